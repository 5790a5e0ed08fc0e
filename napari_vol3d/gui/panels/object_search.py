"""Finding and measuring objects beside the window; the newest wish wins."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.object_table import ObjectTable, measure_objects
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundObjects:
    """The objects of one record, of a time point.

    Attributes
    ----------
    seconds : float
        How long it took to find them.
    image : str
        Name of the image that was measured, "" without one.
    """

    record: Record
    frame: int
    table: ObjectTable
    geometry: Geometry
    seconds: float
    image: str = ""


class ObjectSearch(QObject):
    """Finds the objects of one record at a time.

    Signals: `found` with a `FoundObjects`; `progressed`; `failed` with the problem; `busyChanged`.
    """

    found = Signal(object)
    progressed = Signal(object)
    failed = Signal(object)
    busyChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._of: tuple[Record, int, Geometry, str] | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._job is not None

    def look(self, record: Record, geometry: Geometry, *, values: Any = None, image: str = "") -> None:
        """Find the objects of the time point that is shown, and their mean in an image of voxels (Z, Y, X)."""
        self.stop()
        self._of = record, record.frame, geometry, "" if values is None else image
        self._job = Job(_timed(record.labels, geometry, values), name="Finding objects", parent=self, quiet=True)
        self._job.progressed.connect(self._on_progress)
        self._job.succeeded.connect(self._on_found)
        self._job.failed.connect(self._on_failed)
        self._job.ended.connect(self._on_ended)
        self._job.start()
        self.busyChanged.emit()

    def stop(self) -> None:
        """Give up; what is still told is dropped."""
        job, self._job, self._of = self._job, None, None
        if job is not None:
            job.stop()
            self.busyChanged.emit()

    def _on_progress(self, progress: Progress) -> None:
        if self.sender() is self._job:
            self.progressed.emit(progress)

    def _on_found(self, answer: tuple[ObjectTable, float]) -> None:
        if self.sender() is self._job and self._of is not None:
            record, frame, geometry, image = self._of
            table, seconds = answer
            self.found.emit(
                FoundObjects(record=record, frame=frame, table=table, geometry=geometry, seconds=seconds, image=image)
            )

    def _on_failed(self, problem: object) -> None:
        if self.sender() is self._job:
            self.failed.emit(problem)

    def _on_ended(self) -> None:
        job = self.sender()
        if job is self._job:
            self._job = None
            self.busyChanged.emit()
        if isinstance(job, Job):
            job.deleteLater()


def _timed(
    labels: NDArray[Any], geometry: Geometry, values: Any
) -> Generator[Progress, None, tuple[ObjectTable, float]]:
    began = time.monotonic()
    # Not the product of the spacings: axes of a tilted CT are not at right angles.
    volume = abs(float(np.linalg.det(geometry.affine[:3, :3])))
    table = yield from measure_objects(labels, geometry.spacing, image=values, voxel_volume=volume)
    return table, time.monotonic() - began
