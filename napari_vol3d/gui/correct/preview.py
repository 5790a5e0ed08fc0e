"""What a tool would change, over the labels, before it does."""

from __future__ import annotations

import napari
import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import ERASING
from napari_vol3d.gui.label_looks import true_color
from napari_vol3d.gui.layers import PREVIEW

OPACITY = 0.85
NAME = "Preview"
MOST = 2**16 - 1  # beyond that napari needs numba for colours of single ids


class Preview(QObject):
    """A layer over the box of an edit: changed voxels in the colour that they would get, the eraser's where erased."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: Labels | None = None
        self._record: Record | None = None  # over whose labels it lies

    @property
    def shown(self) -> bool:
        """Whether something is shown."""
        return self._layer is not None and self._layer in self._viewer.layers

    def show(self, record: Record, edit: Edit | None) -> None:
        """Show an edit in the place of the one before; None shows nothing."""
        if edit is None or record is not self._record:
            self.clear()
        if edit is None:
            return
        self._record = record
        voxels, ids = in_small(edit)
        colors: dict[int | None, str] = {
            number: true_color(record.layer, class_id) if class_id else ERASING for number, class_id in ids.items()
        }
        colors |= {0: "transparent", None: "transparent"}
        start = np.zeros(record.layer.ndim)
        start[-3:] = edit.box.start
        # World axes are those of the voxels, so the box lies where its first voxel does.
        corner = np.asarray(record.layer.data_to_world(tuple(start)))[-3:]
        layer = self._layer
        if layer is None or not self.shown:
            layer = self._add(record, voxels, corner)
        else:
            layer.data, layer.translate = voxels, corner
        layer.colormap = DirectLabelColormap(color_dict=colors)

    def clear(self) -> None:
        """Show the labels as they are."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _add(self, record: Record, voxels: np.ndarray, corner: np.ndarray) -> Labels:
        of, selection = record.layer, self._viewer.layers.selection
        chosen = set(selection)
        layer = self._layer = Labels(
            voxels, name=NAME, scale=of.scale[-3:], translate=corner, units=of.units[-3:], opacity=OPACITY,
            axis_labels=of.axis_labels[-3:], metadata={PREVIEW: True},
        )  # fmt: skip
        layer.editable = False
        self._viewer.add_layer(layer)
        selection.update(chosen)  # nobody asked for another layer
        selection.discard(layer)
        return layer


def in_small(edit: Edit) -> tuple[NDArray[np.uint16], dict[int, int]]:
    """Give the changed voxels in numbers that napari can colour one by one, and the class of each number.

    A number is the id where that is small: napari shows it. Voxels that become background have one of their own.
    """
    changed = edit.changed
    ids, places = np.unique(edit.after[changed], return_inverse=True)
    small = int(ids[-1]) < MOST
    numbers = np.where(ids == 0, MOST, ids) if small else np.arange(len(ids)) % MOST + 1
    voxels = np.zeros(edit.box.shape, np.uint16)
    voxels[changed] = numbers.astype(np.uint16)[places]
    return voxels, {int(number): int(class_id) for number, class_id in zip(numbers, ids, strict=True)}
