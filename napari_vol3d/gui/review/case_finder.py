"""Looking for cases beside the window."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job

if TYPE_CHECKING:
    from napari_vol3d.review.project.gather import Gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where to look: see `review.project.gather.gather`."""

    sources: tuple[Path, ...]
    base: Path
    priors: Path | None = None


class CaseFinder(QObject):
    """Answers what was asked last, and that alone.

    Only one look goes on at a time: one at a slow disk can't be stopped, and several would take all threads that the
    window has.
    """

    found = Signal(object)  # Gathered
    failed = Signal(object)  # Vol3dError

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked: Asked | None = None
        self._now: Asked | None = None  # what the look that goes on was asked
        self._job: Job | None = None

    def look(self, asked: Asked | None) -> None:
        """Look there; None: nowhere."""
        self._asked = asked
        if asked is not None and (self._job is None or not self._job.running):
            self._start(asked)

    def let_go(self) -> None:
        """Answer nothing any more."""
        self._asked = None
        if self._job is not None:
            self._job.stop()

    def _start(self, asked: Asked) -> None:
        self._now = asked
        self._job = Job(_look(asked), name="Looking for scans", parent=self, quiet=True)
        self._job.succeeded.connect(self._on_found)
        self._job.failed.connect(self._on_failed)
        self._job.ended.connect(self._on_ended)
        self._job.start()

    def _on_found(self, found: Gathered) -> None:
        if self._now == self._asked:
            self.found.emit(found)

    def _on_failed(self, problem: Vol3dError) -> None:
        if self._now == self._asked:
            self.failed.emit(problem)

    def _on_ended(self) -> None:
        if self._asked is not None and self._now != self._asked:
            self._start(self._asked)


def _look(asked: Asked) -> Generator[Progress, None, Gathered]:
    from napari_vol3d.review.project.gather import gather

    yield Progress(phase="Looking for scans")
    try:
        return gather(asked.sources, base=asked.base, priors=asked.priors)
    except OSError as error:
        raise FileProblem(
            f"A folder can't be read: {error.strerror or error}.", hint="Choose one that you may read."
        ) from error
