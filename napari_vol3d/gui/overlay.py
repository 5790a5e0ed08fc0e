"""The labels of a running prediction, growing on the screen without ever touching what a person painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from napari import Viewer
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit

REFRESH_MS = 100  # measured: ten refreshes a second keep scrolling at 46 ms a step, one for each patch 80 ms
NAME = "Prediction"  # of what a tile changes
ELSEWHERE_MS = 400  # what napari's own view does not show, another view may
Guard: TypeAlias = Callable[[], NDArray[np.bool_] | None]
"""Gives the voxels that stay, in the shape of the layer's array; None: nobody keeps count of them."""


class Overlay(QObject):
    """Writes finished tiles into a Labels layer.

    A voxel that differs from what was last written there was painted by a person, and stays; so does one that the
    guard holds, as a person may paint what a tile has brought, and a later one would not see it.

    Parameters
    ----------
    guard : callable, optional
        Gives the corrected voxels; asked before each tile.

    Attributes
    ----------
    wrote : Signal
        The `Edit` that a tile was, once it is in the array: its voxels, and none that a person changed meanwhile.
    """

    wrote = Signal(object)

    def __init__(
        self, viewer: Viewer, layer: Labels, parent: QObject | None = None, *, guard: Guard | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.layer = layer
        self.guard = guard
        self._viewer = viewer
        self._written: NDArray[Any] = np.zeros_like(layer.data)
        self._timer, self._elsewhere = self._clock(REFRESH_MS), self._clock(ELSEWHERE_MS)

    def write(self, box: Box, labels: NDArray[Any], frame: int = 0) -> None:
        """Put the labels (z, y, x) of a finished tile into the layer, unless its array now has another shape.

        Parameters
        ----------
        frame : int
            The time point, where the layer has a time axis.
        """
        if self.layer.data.shape != self._written.shape:
            return
        place = (*(frame,) * (self.layer.ndim - 3), *box.slices)
        shown, written = self.layer.data[place], self._written[place]
        free, kept = shown == written, self._kept()
        if kept is not None:
            free &= ~kept[place]
        before = shown.copy()
        np.copyto(shown, labels, where=free)
        written[...] = labels
        edit = Edit.between(NAME, before, shown, start=box.start, frame=frame)
        if edit is not None:
            self.wrote.emit(edit)
        timer = self._timer if self._in_view(box) else self._elsewhere
        if not timer.isActive():
            timer.start()

    @property
    def corrected(self) -> bool:
        """Whether a person has changed a voxel since the run began."""
        kept = self._kept()
        return (kept is not None and bool(kept.any())) or not np.array_equal(self.layer.data, self._written)

    def finish(self) -> None:
        """Show the last tiles."""
        self._refresh()
        self.layer.refresh()

    def _kept(self) -> NDArray[np.bool_] | None:
        """Give the corrected voxels, unless they are those of an array that is gone."""
        kept = self.guard() if self.guard is not None else None
        return kept if kept is not None and kept.shape == self._written.shape else None

    def _clock(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(self._refresh)
        return timer

    def _refresh(self) -> None:
        self._timer.stop()
        self._elsewhere.stop()
        if self.layer in self._viewer.layers:
            self.layer.refresh(extent=False, thumbnail=False, highlight=False)

    def _in_view(self, box: Box) -> bool:
        """Whether the slice on the canvas cuts the box; a 3D view shows everything."""
        if self._viewer.dims.ndisplay == 3:
            return True
        axis = self._viewer.dims.order[-3] if self._viewer.dims.ndim >= 3 else 0
        point = self.layer.world_to_data(self._viewer.dims.point[-self.layer.ndim :])[-3:]
        held = axis - (self._viewer.dims.ndim - 3)
        return held < 0 or box.start[held] <= round(float(point[held])) < box.stop[held]
