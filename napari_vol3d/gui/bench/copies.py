"""Points, shapes and the like in our views: plain copies, made anew when the layer has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer

WATCHED = (
    "data", "visible", "opacity", "blending", "name", "scale", "translate", "rotate", "shear", "affine", "size",
    "symbol", "face_color", "border_color", "border_width", "edge_color", "edge_width", "colormap", "contrast_limits",
    "features", "shading",
)  # what a person sees of any of them  # fmt: skip
PAUSE_MS = 150  # while somebody draws, a copy is made a few times a second


class Copy(QObject):
    """Asks for another copy of a layer, at the end of a pause in which it has not changed, until it lets go."""

    def __init__(self, layer: Layer, renew: Callable[[Layer], None]) -> None:
        super().__init__()
        self._layer, self._renew = layer, renew
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self._signals = [getattr(layer.events, name) for name in WATCHED if hasattr(layer.events, name)]
        for signal in self._signals:
            signal.connect(self._changed)

    def let_go(self) -> None:
        """Ask no more."""
        self._timer.stop()
        for signal in self._signals:
            signal.disconnect(self._changed)

    def _changed(self, event: Any) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _ask(self) -> None:
        self._renew(self._layer)
