"""What is changed in one view is seen in the others: at once after a stroke, a few times a second during it."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, QTimer

from napari_vol3d.gui.bench.twin_layers import TwinImage
from napari_vol3d.gui.redrawn import Redrawn

STROKE_MS = 120  # a view of labels takes some 15 ms to draw in software, and the stroke itself must not stutter


class Ripple(QObject):
    """Redraws a layer when its twin was painted, and the twin when the layer changed."""

    def __init__(self, viewer: napari.Viewer, layer: Image | Labels, twin: Image | Labels) -> None:
        super().__init__()
        self._layer, self._twin = layer, twin
        self._redrawn = Redrawn(viewer.dims)
        self._busy = False
        self._stale: set[Image | Labels] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STROKE_MS)
        self._timer.timeout.connect(self._refresh)
        self._connections = [(layer.events.set_data, self._layer_set)]
        if isinstance(layer, Labels):
            self._connections += [
                (layer.events.labels_update, self._layer_painted), (twin.events.labels_update, self._twin_painted),
                (layer.events.paint, self._stroke_ended),
            ]  # fmt: skip
        for signal, slot in self._connections:
            signal.connect(slot)

    def let_go(self) -> None:
        """Stop."""
        self._timer.stop()
        for signal, slot in self._connections:
            signal.disconnect(slot)

    def _layer_painted(self, event: Any) -> None:
        self._later(self._twin)

    def _twin_painted(self, event: Any) -> None:
        self._later(self._layer)

    def _layer_set(self, event: Any) -> None:
        if self._redrawn.in_place():
            self._later(self._twin)

    def _stroke_ended(self, event: Any) -> None:
        """Show the whole stroke; both, because another view may have painted it."""
        self._stale |= {self._layer, self._twin}
        self._refresh()

    def _later(self, layer: Image | Labels) -> None:
        if not self._busy:
            self._stale.add(layer)
            if not self._timer.isActive():
                self._timer.start()

    def _refresh(self) -> None:
        self._timer.stop()
        stale, self._stale, self._busy = self._stale, set(), True
        try:
            for layer in stale:
                if isinstance(layer, TwinImage):
                    layer.read_anew()
                layer.refresh(extent=False, thumbnail=False, highlight=False)
        finally:
            self._busy = False
