"""Form: choose two layers of a viewer that can be held against each other."""

from __future__ import annotations

from napari.components import LayerList
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_vol3d.gui.bench.pair import Two

TIPS = (
    "The image that others are held against: left of the line, below the overlay, fixed when registering",
    "The image that is held against it: right of the line, over the overlay, moved when registering",
)


class PairChoice(QWidget):
    """Two boxes with the viewer's images and labels; both are images, or both are labels."""

    valueChanged = Signal()

    def __init__(self, layers: LayerList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self.first, self.second = (_box(tip) for tip in TIPS)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        layout.addRow("A", self.first)
        layout.addRow("B", self.second)
        self._signals = tuple(getattr(layers.events, name) for name in ("inserted", "removed", "renamed", "reordered"))
        for signal in self._signals:
            signal.connect(self._follow)
        self.first.currentIndexChanged.connect(self._first_chosen)
        self.second.currentIndexChanged.connect(self._changed)
        self._follow()

    def value(self) -> Two | None:
        """Give the two layers; None where two of a kind are not there."""
        first, second = self.first.currentData(), self.second.currentData()
        return None if first is None or second is None or first is second else (first, second)

    def setValue(self, pair: Two) -> None:
        """Choose two layers."""
        self._show(*pair)

    def let_go(self) -> None:
        """Stop following: the form outlives no viewer."""
        for signal in self._signals:
            signal.disconnect(self._follow)

    def _follow(self, event: object = None) -> None:
        self._show(self.first.currentData(), self.second.currentData())

    def _first_chosen(self) -> None:
        self._show(self.first.currentData(), self.second.currentData())

    def _changed(self) -> None:
        self.valueChanged.emit()

    def _show(self, first: Layer | None, second: Layer | None) -> None:
        """List what there is, and keep what is chosen; else choose the first two of a kind."""
        before = self.value()
        choices = [layer for layer in self._layers if isinstance(layer, Image | Labels)]
        first = first if first in choices else next(iter(choices), None)
        others = [layer for layer in choices if layer is not first and _kind(layer) is _kind(first)]
        _fill(self.first, choices, first)
        _fill(self.second, others, second if second in others else next(iter(others), None))
        if self.value() != before:
            self.valueChanged.emit()


def _box(tip: str) -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
    box.setToolTip(tip)
    return box


def _fill(box: QComboBox, layers: list[Layer], chosen: Layer | None) -> None:
    box.blockSignals(True)
    box.clear()
    for layer in layers:
        box.addItem(layer.name, layer)
    box.setCurrentIndex(-1 if chosen is None else layers.index(chosen))
    box.blockSignals(False)


def _kind(layer: Layer | None) -> type[Layer]:
    return Labels if isinstance(layer, Labels) else Image
