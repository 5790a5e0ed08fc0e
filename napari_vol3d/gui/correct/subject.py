"""A labels layer as the tools see it: the voxels of the time point shown, their spacing, classes, locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import napari
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.say import short_unit
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.label_looks import names_in
from napari_vol3d.gui.layers import classes_of

LOCKED = "napari-vol3d locked"  # their place in a layer's metadata


class Subject(QObject):
    """Reads a layer, and keeps its locks.

    Attributes
    ----------
    layer : Labels
        Its voxels are a NumPy array, (Z, Y, X) or (T, Z, Y, X).
    """

    locksChanged = Signal()

    def __init__(self, viewer: napari.Viewer, layer: Labels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self.layer = viewer, layer

    @property
    def frame(self) -> int:
        """The time point on the screen; 0 where there is no time."""
        dims, ndim = self._viewer.dims, self.layer.ndim
        if ndim == 3 or dims.ndim < ndim:  # without time, or not shown yet
            return 0
        # The step of the slider counts in that of all layers.
        moment = round(float(self.layer.world_to_data(dims.point[-ndim:])[0]))
        return min(max(moment, 0), len(self.layer.data) - 1)

    @property
    def labels(self) -> NDArray[Any]:
        """The labels (Z, Y, X) of the time point on the screen; change them by `do` or `draw`."""
        return self.of_frame(self.layer.data, self.frame)

    @property
    def spacing(self) -> Spacing:
        """Voxel edges (z, y, x), in `unit`."""
        z, y, x = (abs(float(edge)) for edge in self.layer.scale[-3:])
        return (z, y, x)

    @property
    def unit(self) -> str:
        """Of the spacing: "mm", "µm", "px"."""
        return short_unit(str(self.layer.units[-1]))

    @property
    def locked(self) -> frozenset[int]:
        """Classes that neither lose nor gain a voxel by our tools."""
        return frozenset(self.layer.metadata.get(LOCKED, ()))

    @locked.setter
    def locked(self, class_ids: frozenset[int]) -> None:
        self.layer.metadata[LOCKED] = frozenset(class_ids)
        self.locksChanged.emit()

    def classes(self) -> tuple[LabelClass, ...]:
        """Give the classes that have names."""
        return classes_of(self.layer)

    def name_of(self, class_id: int) -> str:
        """Give the name of a class, or its number in words."""
        return name_class(class_id, names_in(self.layer))

    def to_voxel(self, world: Sequence[float]) -> tuple[float, float, float]:
        """Give the voxel (z, y, x) of a point of the canvas; whole numbers are centres."""
        z, y, x = (float(v) for v in self.layer.world_to_data(tuple(world)[-self.layer.ndim :])[-3:])
        return (z, y, x)

    @staticmethod
    def of_frame(array: NDArray[Any], frame: int) -> NDArray[Any]:
        """Give a time point (Z, Y, X) of an array (Z, Y, X) or (T, Z, Y, X)."""
        return array if array.ndim == 3 else array[frame]
