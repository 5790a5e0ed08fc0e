"""Telling changed voxels from another slice: napari draws a layer anew for both, with the same event."""

from __future__ import annotations

from typing import Any

from napari.components import Dims


class Redrawn:
    """Knows the slice that was drawn last.

    napari has no event for changed voxels: a stroke emits `labels_update` and at its end `paint`, but undo, redo and
    `refresh` only `set_data`, as does every turn to another slice. So `set_data` is a change where the slice is the
    same; whoever hears `set_data` asks here, each time.
    """

    def __init__(self, dims: Dims) -> None:
        self._dims = dims
        self._seen = self._now()

    def in_place(self) -> bool:
        """Whether the slice is that of the last time, so that its voxels must have changed."""
        before, self._seen = self._seen, self._now()
        return before == self._seen

    def _now(self) -> tuple[Any, ...]:
        dims = self._dims
        return dims.point, dims.order, dims.ndisplay, dims.margin_left, dims.margin_right
