"""The verb `segment`: a scan and a model in, labels on the scan's own grid out, tile by tile."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.amounts import count_voxels
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.intensity import measure_intensity
from napari_vol3d.core.labels import LabelClass, label_dtype
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.resample import GridMap, grid_map
from napari_vol3d.core.tiles import TilePlan, plan_tiles
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.engine.messages import Loaded, LoadModel, Segment, TileDone
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.checks import require_fit, spacing_in
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.exchange import Files, exchange, hand_over, shared_array
from napari_vol3d.pipeline.settings import SegmentSettings

GIGABYTE = 1e9
MOST_MODEL_VOXELS = 10**11  # beyond this a voxel size is wrong, and a run would never end


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPlan:
    """What a run will do, known before it starts.

    Attributes
    ----------
    frame : Box
        The part of the scan that the model takes for its whole world: all of it, or the region, where the scan is
        much larger than what the model was trained on.
    box : Box
        What is segmented, in voxels of the frame.
    grid : GridMap
        From the frame's grid to the model's.
    tiles : TilePlan
        On the model's grid.
    count : int
        Tiles that meet the box.
    patch_bytes : int
        Memory that one patch takes.
    """

    frame: Box
    box: Box
    grid: GridMap
    tiles: TilePlan
    count: int
    patch_bytes: int

    @property
    def megavoxels(self) -> float:
        """Millions of voxels that the network computes."""
        return self.count * float(np.prod(self.tiles.patch_size)) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a run gives.

    Attributes
    ----------
    labels : ndarray of uint8 or uint16, shape (Z, Y, X)
        On the scan's grid; 0 outside the region that was segmented.
    counts : mapping of int to int
        Voxels of each id in the region that was segmented.
    probabilities : ndarray of uint8, shape (classes, Z, Y, X), or None
        0 to 255, where they were asked for.
    seconds, compute_seconds : float
        Wall-clock seconds of the whole run, and of the network alone.
    """

    labels: NDArray[Any]
    geometry: Geometry
    classes: tuple[LabelClass, ...]
    model: str
    plan: SegmentPlan
    device: str
    seconds: float
    compute_seconds: float
    counts: Mapping[int, int]
    probabilities: NDArray[np.uint8] | None = None


def plan_segment(volume: Volume, card: ModelCard, settings: SegmentSettings, region: Box | None = None) -> SegmentPlan:
    """Plan a run: depends on shape, card, settings and region alone, so that it is the same everywhere.

    Parameters
    ----------
    region : Box, optional
        What to segment, in voxels of the scan; all of it where absent.

    Raises
    ------
    ScanMismatch
        If the model does not fit the scan, or the region lies outside it.
    Vol3dError
        If not even the smallest patch fits the memory budget.
    """
    fit = require_fit(volume, card, resample=settings.resample)
    whole = Box.of(volume.shape)
    wanted = whole if region is None else region.intersect(whole)
    if not wanted.size:
        raise ScanMismatch("The region lies outside the scan.", hint="Move it onto the scan, or take the whole scan.")
    frame = wanted if fit.beyond_field_of_view else whole
    spacing = spacing_in(volume.geometry, card.input.unit) or (1.0, 1.0, 1.0)
    grid = grid_map(frame.shape, spacing, _model_spacing(volume, card, settings))
    if math.prod(grid.model_shape) > MOST_MODEL_VOXELS:
        size = " x ".join(f"{n:,}" for n in grid.model_shape)
        raise ScanMismatch(
            f"At the model's spacing the scan has {size} voxels.",
            hint="Check the scan's voxel size, or untick resample.",
        )
    tiles = plan_tiles(
        grid.model_shape,
        multiple=card.input.multiple,
        halo=card.inference.halo if settings.halo is None else settings.halo,
        most_voxels=int(settings.memory_gb * GIGABYTE / card.inference.bytes_per_voxel),
    )
    box = wanted.shifted((-frame.start[0], -frame.start[1], -frame.start[2]))
    return SegmentPlan(
        frame=frame,
        box=box,
        grid=grid,
        tiles=tiles,
        count=grid.tiles_meeting(tiles, box),
        patch_bytes=int(np.prod(tiles.patch_size)) * card.inference.bytes_per_voxel,
    )


def segment(
    volume: Volume,
    model: Model,
    settings: SegmentSettings,
    *,
    region: Box | None = None,
    focus: Spacing | None = None,
    engine: Engine | None = None,
) -> Generator[Progress, None, Prediction]:
    """Segment a scan.

    Parameters
    ----------
    region : Box, optional
        What to segment, in voxels of the scan.
    focus : tuple of float, optional
        Scan voxel (z, y, x) where the person looks: tiles near it come first.
    engine : Engine, optional
        A running engine process to use; it is left running. Without one, a process is started and ended.

    Yields
    ------
    Progress
        Each finished tile with its labels, and a sign of life about 20 times a second: every one is a point where
        closing the generator cancels the run.

    Returns
    -------
    Prediction

    Raises
    ------
    Vol3dError
        If model and scan don't fit, the model can't be loaded, or the engine dies.
    """
    plan = plan_segment(volume, model.card, settings, region)
    if engine is not None:
        return (yield from _segment(volume, model, settings, plan, focus, engine))
    own = Engine(device=settings.device)
    try:
        return (yield from _segment(volume, model, settings, plan, focus, own))
    finally:
        own.close()


def _segment(
    volume: Volume, model: Model, settings: SegmentSettings, plan: SegmentPlan, focus: Spacing | None, engine: Engine
) -> Generator[Progress, None, Prediction]:
    began = time.monotonic()
    for _ in engine.wake():
        yield Progress(phase="Starting TensorFlow", seconds=time.monotonic() - began)
    yield from _load(model, engine)
    with exchange(engine.folder) as files:
        frame = volume.cropped(plan.frame)
        yield from hand_over(frame, files.scan)
        yield Progress(phase="Measuring intensities")
        request = _request(files, frame, model.card, settings, plan, focus)
        labels = np.zeros(volume.shape, label_dtype(max(model.card.label_names)))
        shared = shared_array(files.labels, labels.dtype, frame.shape)
        if files.probabilities and settings.probabilities:
            shared_array(files.probabilities, np.dtype(np.uint8), (len(model.card.output.classes), *frame.shape))
        started, counts = time.monotonic(), Counter[int]()
        last = Progress(phase="Segmenting", total=plan.count)
        with contextlib.closing(engine.ask(request)) as reports:
            for report in reports:
                finished = None
                if isinstance(report, TileDone):
                    part = Box(start=report.start, stop=report.stop)
                    finished = part.shifted(plan.frame.start)
                    labels[finished.slices] = shared[part.slices]
                    counts += count_voxels(labels[finished.slices])
                    last = Progress(
                        phase="Segmenting", done=report.done, total=report.total, seconds=time.monotonic() - started
                    )
                if finished is None:
                    yield last
                else:
                    yield _with_labels(last, finished, labels)
        probabilities = _collect(files.probabilities, volume, plan) if settings.probabilities else None
    return Prediction(
        labels=labels,
        geometry=volume.geometry,
        classes=model.card.output.classes,
        model=f"{model.card.name} {model.card.version} ({model.card.weights.sha256[:12]})",
        plan=plan,
        device=engine.ready.device if engine.ready else "",
        seconds=time.monotonic() - began,
        compute_seconds=last.seconds,
        counts=counts,
        probabilities=probabilities,
    )


def _load(model: Model, engine: Engine) -> Iterator[Progress]:
    if engine.loaded == model.card:
        return
    request = LoadModel(weights=str(model.weights), card=model.card)
    with contextlib.closing(engine.ask(request)) as reports:
        for report in reports:
            if isinstance(report, Loaded):
                engine.loaded = model.card
            yield Progress(phase="Loading model")


def _request(
    files: Files, frame: Volume, card: ModelCard, settings: SegmentSettings, plan: SegmentPlan, focus: Spacing | None
) -> Segment:
    scan = np.load(files.scan, mmap_mode="r")
    start = plan.frame.start
    return Segment(
        scan=str(files.scan),
        labels=str(files.labels),
        probabilities=str(files.probabilities) if settings.probabilities else None,
        ratio=plan.grid.ratio,
        model_shape=plan.grid.model_shape,
        intensity=tuple(measure_intensity(scan[..., c], card.input.intensity) for c in range(scan.shape[-1])),
        patch_size=plan.tiles.patch_size,
        halo=plan.tiles.halo,
        start=plan.box.start,
        stop=plan.box.stop,
        focus=None if focus is None else (focus[0] - start[0], focus[1] - start[1], focus[2] - start[2]),
    )


def _with_labels(progress: Progress, finished: Box, labels: NDArray[Any]) -> Progress:
    return Progress(
        phase=progress.phase, done=progress.done, total=progress.total, seconds=progress.seconds, finished=finished,
        labels=labels[finished.slices].copy(),
    )  # fmt: skip


def _collect(path: Path, volume: Volume, plan: SegmentPlan) -> NDArray[np.uint8]:
    part = np.load(path, mmap_mode="r")
    whole = np.zeros((part.shape[0], *volume.shape), np.uint8)
    whole[(slice(None), *plan.frame.slices)] = part
    return whole


def _model_spacing(volume: Volume, card: ModelCard, settings: SegmentSettings) -> Spacing | None:
    """Spacing to work at: the card's, unless it, the scan or the person says otherwise."""
    known = spacing_in(volume.geometry, card.input.unit) is not None
    return card.input.spacing if settings.resample and known else None
