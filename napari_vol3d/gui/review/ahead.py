"""Ahead of the person: the next cases are predicted while they work, and the next one's voxels are there already.

Predicting gives way: it shares the window's engine, and stops as soon as the person has something computed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.review.loading import Loaded, load
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.foresee import foresee
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.review.project.accepted_features import accepted_features
from napari_vol3d.review.project.case_volume import volume_for
from napari_vol3d.review.project.foreseen import predicted_cases, remember
from napari_vol3d.review.project.reading_plan import Protocol
from napari_vol3d.review.project.records import Foreseen, Row
from napari_vol3d.review.project.store import Project

SOON_MS = 500  # after a case is shown: the person's own voxels first
DEFAULT = Protocol()
FEW = 12  # accepted scans that a prediction is held against: each is read
QUIET_MS = 2_000  # after something was computed for the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be predicted with, as the Segment tab says it now."""

    model: Model
    settings: SegmentSettings


class Ahead(QObject):
    """Predicts and loads ahead, for one project at a time.

    Parameters
    ----------
    keeper : EngineKeeper
    wish : callable
        Gives the model of the project and the settings; None where nothing can be predicted.
    busy : callable
        Whether the person has something computed.
    """

    predicted = Signal(str)  # key of the reading whose case has a prediction now
    progressed = Signal(str)  # what goes on, in words; "" for nothing

    def __init__(
        self, keeper: EngineKeeper, wish: Callable[[], Wish | None], busy: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._keeper, self._wish, self._busy = keeper, wish, busy
        self._project: Project | None = None
        self._next: list[Row] = []
        self._todo: list[Row] = []
        self._failed: set[str] = set()
        self._made: dict[str, str] = {}  # the last prediction that was made here, by its case
        self._ready: Loaded | None = None
        self._loading: Job | None = None
        self._predicting: Job | None = None
        self._row: Row | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._go_on)

    def follow(
        self, project: Project | None, following: Sequence[Row], current: Sequence[Row] = (),
        protocol: Protocol = DEFAULT,
    ) -> None:  # fmt: skip
        """Know what comes next, the nearest first; a person who goes elsewhere is followed there.

        Parameters
        ----------
        current : sequence of Row
            What is open: it is predicted first, where it is still to do.
        """
        if project is not self._project:
            self._failed.clear()
            self._made.clear()
            self._ready = None
            if self._predicting is not None:
                self._predicting.stop()
        self._project, self._next = project, list(following)
        self._todo = [row for row in (*current, *following) if protocol.prediction_for(row.reading)]
        near = self._next[0].reading.key if self._next else ""
        if self._ready is not None and self._ready.row.reading.key != near:
            self._ready = None
        self._soon.start(SOON_MS)

    def take(self, reading: str) -> Loaded | None:
        """Give a case that is there already; None where it has to be read."""
        ready, self._ready = self._ready, None
        return ready if ready is not None and ready.row.reading.key == reading else None

    def give_way(self) -> None:
        """Stop predicting: the person wants the engine."""
        if self._predicting is not None and self._predicting.running:
            self._predicting.stop()
        self._soon.start(QUIET_MS)

    def let_go(self) -> None:
        """Stop all of it."""
        self._soon.stop()
        self._project, self._next, self._todo = None, [], []
        for job in (self._loading, self._predicting):
            if job is not None:
                job.stop()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        self._load_next()
        self._predict_next()

    def _load_next(self) -> None:
        if self._project is None or not self._next or self._ready is not None or _runs(self._loading):
            return
        verb = load(self._project, self._next[0].reading.key)
        self._loading = Job(verb, name="Opening the next case", parent=self, quiet=True)
        self._loading.succeeded.connect(self._on_loaded)
        self._loading.start()

    def _on_loaded(self, loaded: Loaded) -> None:
        if self._next and loaded.row.reading.key == self._next[0].reading.key and not self._is_old(loaded):
            self._ready = loaded
        else:
            self._soon.start(SOON_MS)

    def _is_old(self, loaded: Loaded) -> bool:
        """Whether it was read before there was a prediction."""
        made = self._made.get(loaded.row.case.key)
        return made is not None and not loaded.row.reading.blind and made != (loaded.start and loaded.start.key)

    def _predict_next(self) -> None:
        project, wish = self._project, self._wish()
        if project is None or wish is None or _runs(self._predicting):
            return
        if self._busy():
            self._soon.start(QUIET_MS)
            return
        row = self._unpredicted(project)
        if row is None:
            return
        self._row = row
        engine = self._keeper.get(wish.settings.device, wish.settings.precision)
        verb = predict_case(project, row, wish, engine)
        self._predicting = Job(verb, name=f"Predicting {row.case.name}", parent=self, quiet=True)
        self._predicting.progressed.connect(self._on_progress)
        self._predicting.succeeded.connect(self._on_predicted)
        self._predicting.failed.connect(self._on_failed)
        self._predicting.ended.connect(self._on_ended)
        self._predicting.start()

    def _unpredicted(self, project: Project) -> Row | None:
        there = predicted_cases(project)
        return next(
            (
                row
                for row in self._todo
                if row.case.key not in there | self._failed and row.reading.status == "todo"
            ),
            None,
        )  # fmt: skip

    def _on_progress(self, progress: Progress) -> None:
        if self._row is not None:
            share = f" {progress.done / progress.total:.0%}" if progress.total else ""
            self.progressed.emit(f"Predicting {self._row.case.name} ahead{share}")

    def _on_predicted(self, made: Foreseen) -> None:
        row = self._row
        if row is None:
            return
        self._made[made.case] = made.key
        if self._ready is not None and self._is_old(self._ready):
            self._ready = None
        self.predicted.emit(row.reading.key)

    def _on_failed(self, problem: Vol3dError) -> None:
        if self._row is not None:
            self._failed.add(self._row.case.key)
            self.progressed.emit(f"{self._row.case.name} was not predicted: {problem}")

    def _on_ended(self) -> None:
        self.progressed.emit("")
        if self._project is not None:
            self._soon.start(SOON_MS)


def predict_case(project: Project, row: Row, wish: Wish, engine: Engine) -> Generator[Progress, None, Foreseen]:
    """Predict a case, and keep what was found in its project."""
    scan = volume_for(project, row.case, wish.model.card.input.channels)
    seen = yield from foresee(
        scan, wish.model, wish.settings, engine=engine, accepted=accepted_features(project, most=FEW)
    )  # fmt: skip
    return remember(project, row.case.key, seen)


def _runs(job: Job | None) -> bool:
    return job is not None and job.running


