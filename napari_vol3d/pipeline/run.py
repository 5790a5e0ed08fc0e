"""One run of the verb `segment`: load, measure, plan, tiles; and down the ladder where memory runs out."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.coverage import Coverage
from napari_vol3d.core.errors import MemoryProblem
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.progress import Progress
from napari_vol3d.engine.messages import Loaded
from napari_vol3d.models.card import ModelCard, PostProcessing
from napari_vol3d.models.ensemble import join_cards
from napari_vol3d.models.record import read_record, update_record
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.cache import ResultCache
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.compute import Skip, TileQueue, compute_tiles
from napari_vol3d.pipeline.desk import Desk, Finished
from napari_vol3d.pipeline.exchange import exchange
from napari_vol3d.pipeline.halo import measure_halo
from napari_vol3d.pipeline.handing import loading
from napari_vol3d.pipeline.ladder import Ladder
from napari_vol3d.pipeline.measure import measure_staged
from napari_vol3d.pipeline.plan import GIGABYTE, SegmentPlan, plan_slice, plan_staged, smaller
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.results import Results
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.sink import LabelSink, MemoryLabels
from napari_vol3d.pipeline.stage import Staged
from napari_vol3d.pipeline.turns import taking_turns

PHASE = "Segmenting"
TELLING_SECONDS = 2.0  # of a shorter run most is getting ready: it tells how long others take only where nothing does


@dataclass(slots=True, kw_only=True, eq=False)
class TiledRun:
    """One run of the verb: what it was given, and how far it is."""

    staged: Staged
    models: tuple[Model, ...]
    settings: SegmentSettings
    region: Box | None  # region, focus and mask are of the scan as it came; plan and done of the one on the stage
    focus: Callable[[], Focus] | None
    engine: Engine
    mask: NDArray[np.bool_] | None
    target: LabelSink
    plan: SegmentPlan
    notes: list[str] = field(default_factory=list)
    done: Coverage = field(default_factory=Coverage)
    intensity: tuple[IntensityMap, ...] = ()
    crop: Box | None = None  # all that the network is shown, once it has been looked for
    seconds: float = 0.0
    megavoxels: float = 0.0  # that the network computed
    _results: Results = field(init=False)
    _planned: bool = False  # with what the loaded networks say of themselves

    @property
    def card(self) -> ModelCard:
        """What is known of the model, or of several together."""
        return join_cards([model.card for model in self.models])

    def go(self) -> Generator[Progress, None, Prediction]:
        """Run to the end, down the ladder where memory runs out."""
        began, card = time.monotonic(), self.card
        self._results = Results.of(self.staged, card, self.target, self.region)
        if self.settings.probabilities:
            self._results.keep_probabilities(len(card.output.classes))
        with taking_turns(self.engine) as turn:
            yield from turn
            yield from self._work()
            device = self.engine.ready.device if self.engine.ready else ""
        yield from self._tidy()
        known = read_record(card).seconds_per_megavoxel
        if self.megavoxels and self.seconds and (device not in known or self.seconds > TELLING_SECONDS):
            update_record(card, seconds_per_megavoxel={**known, device: self.seconds / self.megavoxels})
        return Prediction(
            labels=self.target.array if isinstance(self.target, MemoryLabels) else None,
            geometry=self.staged.scan.geometry, classes=card.output.classes,
            model=" + ".join(f"{m.card.name} {m.card.version} ({m.card.weights.sha256[:12]})" for m in self.models),
            plan=self.plan, device=device, seconds=time.monotonic() - began, compute_seconds=self.seconds,
            counts=self._results.counts, probabilities=self._results.probabilities,
            notes=(*self.staged.notes, *self.notes),
        )  # fmt: skip

    def prepare_only(self) -> Generator[Progress, None, None]:
        """Load, and open the files of the first patch."""
        with taking_turns(self.engine) as turn:
            yield from turn
            self._revive()
            yield from self._load()
            z, y, x = self.plan.frame.shape
            slab = self._slab(Focus(point=(z / 2, y / 2, x / 2), axis=0))
            for plan in [self.plan, *([slab] if slab and slab.kept else [])]:
                with self._opened(plan) as desk:
                    for _ in desk.open():
                        yield Progress(phase="Warming up")

    def _work(self) -> Generator[Progress, None, None]:
        """Do all that needs the engine; it is nobody else's, from process to process, until the end."""
        ladder = Ladder()
        self._revive()
        while True:
            try:
                yield from self._prepare()
                yield from self._tiles()
            except MemoryProblem as problem:
                self.plan, note = ladder.step_down(self.plan, self.card, self.engine, problem)
                self.notes.append(note)
                yield Progress(phase="Starting again", note=note)
            else:
                return

    def _revive(self) -> None:
        """Start a process where the last one has ended: cancelled within a long tile, or idle. Refusals stay."""
        if not self.engine.alive and self.engine.refusal is None:
            self.engine.restart()

    def _prepare(self) -> Generator[Progress, None, None]:
        """Load the networks, measure the scan, and plan with what is now known."""
        yield from self._load()
        facts, card = self.engine.loaded, self.card
        if not self.intensity:
            yield from self._measure()
        if facts is None or self._planned:
            return
        known = update_record(card, reach=facts.reach, instance_statistics=facts.instance_statistics)
        plan = self._replan()
        frame, scan = self.staged.volume.cropped(plan.frame), f"{self.staged.scan.name} {self.staged.scan.shape}"
        wanted = self.settings.halo is None and self.settings.context == "measured" and known.halo is None
        # Where memory has run out already, a large window is the last thing to try.
        if wanted and plan.count > 1 and plan.scheme == "halo" and not self.notes and known.nothing_in != scan:
            found = yield from measure_halo(
                frame, card, plan.grid, self.intensity, self.engine, reach=facts.reach, most_voxels=plan.most_voxels
            )
            if found is None:
                update_record(card, nothing_in=scan)
            else:
                where = f"{self.staged.scan.name}, {' x '.join(map(str, found.window))} voxels"
                update_record(card, halo=found.halo, measured_on=where)
                plan = self._replan()
        self.plan, self._planned = plan, True
        if plan.scheme == "overlap" and (self.mask is not None or self.settings.skip_below is not None):
            self.notes.append("Nothing was skipped: blended patches depend on their neighbours.")

    def _measure(self) -> Generator[Progress, None, None]:
        """Measure intensities and, where the network is shown what is bright alone, look for that."""
        yield Progress(phase="Measuring intensities")
        self.intensity, self.crop = measure_staged(self.staged, self.plan.frame, self.plan.grid, self.card)
        self.plan = self.plan if self.crop is None else self._replan()
        for place, labels in self._results.clear_beyond(self.plan.frame):
            yield Progress(phase=PHASE, finished=place, labels=labels)
        self.done = Coverage(box.shifted(_minus(self.plan.frame.start)) for box in self._results.finished)

    def _tidy(self) -> Generator[Progress, None, None]:
        """Do to the finished labels what the card says."""
        most, post = self.settings.memory_gb * GIGABYTE, self.card.output.post
        if post == PostProcessing():
            return
        yield Progress(phase="Tidying labels")
        changed, note = self._results.tidy(post, most_bytes=most, voxels=1 / math.prod(self.plan.grid.ratio))
        self.notes += [note] * bool(note)
        if changed is not None:
            count = self.plan.count
            yield Progress(phase=PHASE, done=count, total=count, finished=changed[0], labels=changed[1], note=note)

    def _replan(self) -> SegmentPlan:
        """Plan with what is known of the model by now; never with larger patches than a step down the ladder left."""
        count = len(self.models)
        plan = plan_staged(self.staged, self.card, self.settings, self.region, models=count, crop=self.crop)
        less: SegmentPlan | None = plan
        while self.notes and less is not None and less.patch_bytes > self.plan.patch_bytes:
            plan, less = less, smaller(less, self.card)
        return less or plan

    def _load(self) -> Generator[Progress, None, None]:
        began, cards = time.monotonic(), tuple(model.card for model in self.models)
        for _ in self.engine.wake():
            yield Progress(phase="Starting TensorFlow", seconds=time.monotonic() - began)
        if self.engine.cards == cards:
            return
        self.engine.cards = ()  # if this is cancelled, nobody knows which it holds
        with contextlib.closing(self.engine.ask(loading(self.engine, self.models), Loaded)) as reports:
            for report in reports:
                if isinstance(report, Loaded):
                    self.engine.cards, self.engine.loaded = cards, report
                yield Progress(phase="Loading model")

    def _tiles(self) -> Generator[Progress, None, None]:
        """Compute what is not final yet: a thin slab where the person looks, then everything."""
        look = self._look()
        slab = None if look is None else self._slab(look())
        if slab is not None:
            yield from self._compute(slab, look, total=0)
        yield from self._compute(self.plan, look, total=self.plan.count)

    def _slab(self, focus: Focus) -> SegmentPlan | None:
        """Plan the slab; None where whole tiles come soon enough, or memory has run out."""
        ready, facts = self.engine.ready, self.engine.loaded
        if ready is None or facts is None or ready.device != "CPU" or self.notes:
            return None
        return plan_slice(self.plan, focus, flops_per_voxel=facts.flops_per_voxel)

    def _compute(
        self, plan: SegmentPlan, look: Callable[[], Focus] | None, *, total: int
    ) -> Generator[Progress, None, None]:
        began, seconds = time.monotonic(), self.seconds
        on_gpu = self.engine.ready is not None and self.engine.ready.device != "CPU"
        cache = ResultCache(self._fingerprint(plan), on_disk=self.settings.cache and not on_gpu)
        queue = TileQueue(plan, self.done, look)
        last = Progress(phase=PHASE, done=plan.count - len(queue) if total else 0, total=total)
        boxes = []
        try:
            with self._opened(plan) as desk:
                for _ in desk.open():
                    yield last
                for part in compute_tiles(plan, queue, desk, cache, skip=self._skip()):
                    self.seconds = seconds + time.monotonic() - began
                    if part is None:
                        yield last
                        continue
                    self.megavoxels += part.computed * plan.passes * math.prod(plan.tiles.patch_size) / 1e6
                    boxes += [part.box] * bool(part.box.size)
                    last = replace(last, done=last.done + 1 if total else 0, seconds=self.seconds)
                    new = self.done.rest(part.box.intersect(plan.box))
                    for box in new:
                        yield self._keep(part, box, last)
                    if not new:
                        yield last
        finally:
            for box in boxes:
                self.done.add(box)
            cache.tidy()

    @contextlib.contextmanager
    def _opened(self, plan: SegmentPlan) -> Iterator[Desk]:
        with exchange(self.engine.folder) as files:
            desk = Desk(
                self.engine, files, self.staged.volume.cropped(plan.frame), self.card, plan.grid, tiles=plan.tiles,
                intensity=self.intensity or _as_stored(self.card), mirror_axes=plan.mirror_axes,
                windows=plan.windows(), probabilities=self.settings.probabilities, kept=plan.kept,
            )  # fmt: skip
            with contextlib.closing(desk):
                yield desk

    def _keep(self, part: Finished, box: Box, progress: Progress) -> Progress:
        """Write a box of what became final, and report it."""
        cut = box.shifted(_minus(part.box.start)).slices
        scores = None if part.probabilities is None else part.probabilities[(slice(None), *cut)]
        place, labels = self._results.keep(box.shifted(self.plan.frame.start), part.labels[cut], scores)
        return replace(progress, finished=place, labels=labels)

    def _look(self) -> Callable[[], Focus] | None:
        """Give where the person looks, in voxels of the frame."""
        focus, staged, offset = self.focus, self.staged, _minus(self.plan.frame.start)
        return None if focus is None else lambda: staged.focus(focus()).moved(offset)

    def _skip(self) -> Skip | None:
        """Give what tells tiles that cannot matter, where the person asked for it."""
        threshold, mask, staged, offset = self.settings.skip_below, self.mask, self.staged, self.plan.frame.start
        if threshold is None and mask is None:
            return None

        def skip(voxels: NDArray[Any], owned: Box) -> bool:
            dark = threshold is not None and not bool((voxels >= threshold).any())
            return dark or (mask is not None and not bool(mask[staged.back(owned.shifted(offset)).slices].any()))

        return skip

    def _fingerprint(self, plan: SegmentPlan) -> str:
        """Say everything that the result of a patch depends on, but for its voxels and its place."""
        ready = self.engine.ready
        weights = [model.card.weights.sha256 for model in self.models]
        ids = [item.id for item in self.card.output.classes]
        machine = f"{ready.versions} {ready.device} {ready.policy}" if ready else ""
        return f"1 {weights} {ids} {self.card.output.activation} {self.intensity} {plan.mirror_axes} {machine}"


def _as_stored(card: ModelCard) -> tuple[IntensityMap, ...]:
    return (IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0),) * len(card.input.channels)


def _minus(offset: tuple[int, int, int]) -> tuple[int, int, int]:
    return (-offset[0], -offset[1], -offset[2])
