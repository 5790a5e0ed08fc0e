"""Twins: layers of another view that show the same voxels as a layer of the viewer.

A layer of napari's keeps the slice that it shows, so one layer can't be in two views. A twin shares the array and has
a slice of its own. The viewer's layer is the truth: what is painted through a twin becomes a stroke of the viewer's
layer, with its undo, its redo and its paint event.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_vol3d.gui.bench.ahead import Ahead
from napari_vol3d.gui.bench.planes import Axis

PLACE = ("scale", "translate", "rotate", "shear", "units", "axis_labels")


class TwinImage(Image):
    """Shows what another Image layer shows, on a slice of its own.

    Parameters
    ----------
    truth : Image
    axis : int
        Which of the last three axes the view cuts: slices across it are read ahead where that helps.
    """

    def __init__(self, truth: Image, axis: Axis, **keywords: Any) -> None:
        self._truth, self._cut = truth, axis
        self._ahead = read_ahead(truth, axis)
        super().__init__(self._ahead, **keywords)

    def read_anew(self) -> None:
        """Show the voxels as they are now; what was read ahead may be old."""
        if isinstance(self._ahead, Ahead):
            self._ahead.forget()

    def follow_data(self) -> None:
        """Show the array that the layer has now."""
        shown = self._ahead.data if isinstance(self._ahead, Ahead) else self._ahead
        if shown is not self._truth.data:
            self._ahead = self.data = read_ahead(self._truth, self._cut)

    def _update_thumbnail(self) -> None:
        """Nobody sees a twin's thumbnail, and napari makes one at each slice."""


class TwinLabels(Labels):
    """Shows and changes what another Labels layer holds, on a slice of its own."""

    def __init__(self, truth: Labels, **keywords: Any) -> None:
        self._truth, self._held = truth, truth.data
        super().__init__(truth.data, **keywords)

    def follow_data(self) -> None:
        """Show the array that the layer has now."""
        if self._truth.data is not self._held:
            self._held = self.data = self._truth.data

    def finish_stroke(self) -> None:
        """End a stroke that nobody will end: its voxels are painted, so it has to be in the history."""
        self._commit_stroke()

    def undo(self) -> None:
        """Take back the last stroke, in whichever view it was painted."""
        self._truth.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._truth.redo()

    def _append_to_undo_history(self, item: list[Any]) -> None:
        """Give a finished stroke to the viewer's layer: there is one history, and one paint event."""
        self._truth._redo_history.clear()
        self._truth._append_to_undo_history(item)

    def _update_thumbnail(self) -> None:
        """Nobody sees a twin's thumbnail, and napari makes one at each slice."""


def read_ahead(layer: Image, axis: Axis) -> Any:
    """Give the voxels for slices across an axis: as they are where these are neighbours in memory, else read ahead.

    Of several resolutions napari reads what a view has in its frame, and no whole planes.
    """
    data = layer.data
    if layer.multiscale or layer.rgb or data.ndim < 3:
        return data
    if isinstance(data, np.ndarray) and int(np.argmin(np.abs(data.strides[-3:]))) != axis:
        return data
    return Ahead(data, axis)


def twin_of(layer: Layer, axis: Axis) -> Layer:
    """Make the twin of a layer for a view that cuts an axis; its looks come with `Tie`.

    A layer that is neither image nor labels gives a plain copy, which is looked at only.
    """
    place = {key: getattr(layer, key) for key in PLACE} | {"affine": layer.affine.affine_matrix, "name": layer.name}
    if isinstance(layer, Labels):
        return TwinLabels(layer, **place, multiscale=layer.multiscale, visible=layer.visible)
    if isinstance(layer, Image):
        return TwinImage(
            layer, axis, **place, multiscale=layer.multiscale, rgb=layer.rgb, visible=layer.visible,
            # else napari would look through the voxels for them
            contrast_limits=layer.contrast_limits,
        )  # fmt: skip
    copied = Layer.create(*layer.as_layer_data_tuple())
    copied.editable = False
    return copied
