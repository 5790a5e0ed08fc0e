"""Two layers that are held against each other, for whoever shows them so."""

from __future__ import annotations

from typing import TypeAlias

from napari.components import LayerList
from napari.layers import Image, Layer
from qtpy.QtCore import QObject, Signal

Two: TypeAlias = tuple[Layer, Layer]


class Looks:
    """How layers were shown before they were compared, to be given back."""

    def __init__(self, layers: Two | tuple[()] = ()) -> None:
        self._before = {layer: (layer.visible, layer.opacity) for layer in layers}

    def __bool__(self) -> bool:
        return bool(self._before)

    def give_back(self) -> None:
        """Show the layers as they were."""
        before, self._before = self._before, {}
        for layer, (visible, opacity) in before.items():
            layer.visible, layer.opacity = visible, opacity


def show_fully(layer: Layer) -> None:
    """Show a layer; an image as bright as it is, and not what an overlay has left of it."""
    layer.visible = True
    if isinstance(layer, Image):
        layer.opacity = 1.0


class Pair(QObject):
    """Two of the viewer's layers, both shown while they are held; none when one of them is taken away.

    Attributes
    ----------
    changed : Signal
        Other layers are held, or none.
    """

    changed = Signal()

    def __init__(self, layers: LayerList) -> None:
        super().__init__()
        self._layers = layers
        self._held: Two | None = None
        self._looks = Looks()
        layers.events.removed.connect(self._on_removed)

    def value(self) -> Two | None:
        """Give the layers, the first and the second."""
        return self._held

    def hold(self, first: Layer, second: Layer) -> None:
        """Hold these two, and show them."""
        self._give_back()
        self._held = (first, second)
        self._looks = Looks(self._held)
        for layer in self._held:
            show_fully(layer)
        self.changed.emit()

    def drop(self) -> None:
        """Hold none; what was hidden before is hidden again."""
        if self._held is not None:
            self._give_back()
            self.changed.emit()

    def let_go(self) -> None:
        """Hold none, and follow the viewer no longer."""
        self.drop()
        self._layers.events.removed.disconnect(self._on_removed)

    def _give_back(self) -> None:
        self._looks.give_back()
        self._held = None

    def _on_removed(self, event: object) -> None:
        if self._held is not None and not all(layer in self._layers for layer in self._held):
            self.drop()
