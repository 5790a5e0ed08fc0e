"""What ties a twin to its layer: looks and tools follow each other, and what is drawn in one is seen in all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_vol3d.gui.bench.twin_layers import PLACE, TwinImage, TwinLabels

LOOKS = (*PLACE, "affine", "opacity", "blending", "visible", "name")
IMAGE_LOOKS = ("contrast_limits", "contrast_limits_range", "gamma", "colormap", "interpolation2d", "projection_mode")
LABELS_LOOKS = ("colormap", "contour", "show_selected_label", "features", "editable")
TOOLS = (
    "mode", "selected_label", "brush_size", "n_edit_dimensions", "contiguous", "preserve_labels",
)  # a key pressed over any view changes these  # fmt: skip


class Tie:
    """Keeps a twin like its layer until it lets go.

    Parameters
    ----------
    layer : Image or Labels
        The viewer's.
    twin : TwinImage or TwinLabels
        Its twin in another view.
    """

    def __init__(self, layer: Layer, twin: TwinImage | TwinLabels) -> None:
        self.layer, self.twin = layer, twin
        self._connections: list[tuple[Any, Callable[..., None]]] = []
        self._busy = False
        kinds = {Image: IMAGE_LOOKS, Labels: LABELS_LOOKS}
        looks = LOOKS + next((names for kind, names in kinds.items() if isinstance(layer, kind)), ())
        tools = TOOLS if isinstance(layer, Labels) else ()
        for name in (*looks, *tools):
            if hasattr(layer.events, name):
                self._copy(layer, twin, name)
                self._connect(getattr(layer.events, name), self._follow)
        for name in tools:
            self._connect(getattr(twin.events, name), self._lead)
        self._connect(layer.events.data, self._share)

    def let_go(self) -> None:
        """Part the two."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections.clear()

    def _connect(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot)
        self._connections.append((signal, slot))

    def _follow(self, event: Any) -> None:
        self._copy(self.layer, self.twin, event.type)
        if event.type == "visible" and isinstance(self.layer, Labels):  # napari puts tools away while a layer is hidden
            self._copy(self.layer, self.twin, "mode")

    def _lead(self, event: Any) -> None:
        self._copy(self.twin, self.layer, event.type)

    def _share(self, event: Any = None) -> None:
        """Show another array, after `layer.data = ...`."""
        self.twin.follow_data()

    def _copy(self, source: Layer, target: Layer, name: str) -> None:
        """Set one attribute where it differs; what follows from it does not come back."""
        if self._busy:
            return
        value = getattr(source, name)
        if _same(value, getattr(target, name)):
            return
        self._busy = True
        try:
            setattr(target, name, value)
        finally:
            self._busy = False


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, np.ndarray | tuple | list | str | int | float):
        return bool(np.array_equal(np.asarray(one), np.asarray(other)))
    return False  # colour maps, features: comparing costs more than setting
