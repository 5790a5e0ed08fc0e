"""Where a class is: the middle of its largest object, looked for beside the window."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.seek import middle_of_largest
from napari_vol3d.gui.jobs import Job


class ClassPlace(QObject):
    """Looks for one class at a time; a newer wish replaces the one before.

    `found` carries the point of the world, as `dims.point` gives it; `missing` the id of a class without voxels.
    """

    found = Signal(object)
    missing = Signal(object)

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._job: Job | None = None
        self._round = 0
        self._layer: Labels | None = None
        self._leading: tuple[int, ...] = ()

    @property
    def looking(self) -> bool:
        """Whether an answer is still to come."""
        return self._job is not None and self._job.running

    def look(self, layer: Labels, class_id: int) -> None:
        """Look for a class, of a series at the moment that is shown."""
        self.let_go()
        self._layer, self._leading = layer, self._moment(layer)
        data = (layer.data[0] if layer.multiscale else layer.data)[self._leading]
        verb = _numbered(self._round, data if data.ndim == 3 else data[None], class_id)
        self._job = Job(verb, name="Looking for a class", parent=self)
        self._job.succeeded.connect(self._take)
        self._job.ended.connect(self._job.deleteLater)
        self._job.start()

    def let_go(self) -> None:
        """Stop looking."""
        self._round += 1  # what an earlier round still says is dropped
        if self._job is not None and self._job.running:
            self._job.stop()
        self._job, self._layer = None, None

    def _moment(self, layer: Labels) -> tuple[int, ...]:
        extra = max(layer.ndim - 3, 0)
        here = layer.world_to_data(self._viewer.dims.point[-layer.ndim :])[:extra]
        return tuple(int(np.clip(round(v), 0, n - 1)) for v, n in zip(here, layer.data.shape, strict=False))

    def _take(self, answer: tuple[int, int, tuple[int, ...] | None]) -> None:
        asked, class_id, voxel = answer
        if asked != self._round or self._layer is None:
            return
        if voxel is None:
            self.missing.emit(class_id)
        else:
            self.found.emit(self._point(self._layer, voxel))

    def _point(self, layer: Labels, voxel: tuple[int, ...]) -> tuple[float, ...]:
        """Give the point of a voxel; along axes that the layer lacks it is where one looks now."""
        world = layer.data_to_world((*self._leading, *voxel)[-layer.ndim :])
        here = tuple(self._viewer.dims.point)
        return (*(float(v) for v in here[: len(here) - len(world)]), *(float(v) for v in world))


def _numbered(number: int, data: Any, class_id: int) -> Generator[Progress, None, tuple[int, int, Any]]:
    return number, class_id, (yield from middle_of_largest(data, class_id))
