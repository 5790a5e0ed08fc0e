"""The viewer's images: which are shown, and how the chosen one looks."""

from __future__ import annotations

from typing import Any

from napari.components import LayerList
from napari.layers import Image, Layer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

COLORMAPS = (
    "gray", "gray_r", "red", "green", "blue", "magenta", "cyan", "yellow", "inferno", "viridis", "turbo",
)  # fmt: skip
BLENDING_WORDS = {"translucent": "covers", "additive": "adds up"}
ROW_HEIGHT, ROWS = 24, 5


class ImageList(QWidget):
    """A list of images with a box each for being shown; below it opacity, colours and blending of the chosen one.

    The layers are the truth: what a person changes here is set on them, and shown when they have changed.
    """

    valueChanged = Signal()  # another image is chosen

    def __init__(self, layers: LayerList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self._followed: list[Layer] = []
        self.list = QListWidget()
        self.list.setMaximumHeight(ROWS * ROW_HEIGHT)
        self.list.setToolTip("Images, the uppermost first; the box shows and hides, a click chooses")
        self.opacity = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 1)
        self.opacity.setSingleStep(0.05)  # type: ignore[arg-type]  # typed as a slider of whole numbers
        self.opacity.setToolTip("How much of the chosen image is seen, from 0 to 1")
        self.colormap = _combo("In which colours grey levels are shown")
        self.colormap.addItems(COLORMAPS)
        self.blending = _combo("Covers: hides what is below. Adds up: colours of images mix, as of channels")
        for value, words in BLENDING_WORDS.items():
            self.blending.addItem(words, value)
        self._arrange()
        self._signals = tuple(getattr(layers.events, name) for name in ("inserted", "removed", "renamed", "reordered"))
        for signal in self._signals:
            signal.connect(self._follow_layers)
        self.list.itemChanged.connect(self._set_visible)
        self.list.currentRowChanged.connect(self._choose)
        self.opacity.valueChanged.connect(self._set_opacity)
        self.colormap.currentTextChanged.connect(self._set_colormap)
        self.blending.currentIndexChanged.connect(self._set_blending)
        self._follow_layers()

    def value(self) -> Image | None:
        """Give the chosen image."""
        item = self.list.currentItem()
        layer = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        return layer if layer in self._layers else None

    def setValue(self, layer: Image) -> None:
        """Choose an image."""
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) is layer:
                self.list.setCurrentRow(row)

    def let_go(self) -> None:
        """Stop following: the list outlives no viewer."""
        for signal in self._signals:
            signal.disconnect(self._follow_layers)
        self._unfollow()

    def _arrange(self) -> None:
        looks = QFormLayout()
        looks.setVerticalSpacing(4)
        looks.addRow("Opacity", self.opacity)
        looks.addRow("Colours", self.colormap)
        looks.addRow("Blending", self.blending)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addLayout(looks)

    def _follow_layers(self, event: Any = None) -> None:
        """List the images anew; the chosen one stays chosen, and one that has come is."""
        came = getattr(event, "value", None) if getattr(event, "type", "") == "inserted" else None
        before = self.value()
        self._unfollow()
        images = [layer for layer in reversed(self._layers) if isinstance(layer, Image)]
        self.list.blockSignals(True)
        self.list.clear()
        for layer in images:
            self.list.addItem(_item(layer))
            self._follow(layer)
        self.list.blockSignals(False)
        wanted = came if came in images else before if before in images else (images[0] if images else None)
        self.list.setCurrentRow(-1 if wanted is None else images.index(wanted))
        self._choose()

    def _follow(self, layer: Layer) -> None:
        layer.events.visible.connect(self._on_visible)
        for signal in (layer.events.opacity, layer.events.colormap, layer.events.blending):
            signal.connect(self._show_looks)
        self._followed.append(layer)

    def _unfollow(self) -> None:
        for layer in self._followed:
            layer.events.visible.disconnect(self._on_visible)
            for signal in (layer.events.opacity, layer.events.colormap, layer.events.blending):
                signal.disconnect(self._show_looks)
        self._followed.clear()

    def _choose(self, row: int = 0) -> None:
        self._show_looks()
        self.valueChanged.emit()

    def _on_visible(self, event: Any) -> None:
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setCheckState(_checked(item.data(Qt.ItemDataRole.UserRole).visible))
        self.list.blockSignals(False)

    def _show_looks(self, event: Any = None) -> None:
        layer = self.value()
        for editor in (self.opacity, self.colormap, self.blending):
            editor.setEnabled(layer is not None)
            editor.blockSignals(True)
        if layer is not None:
            self.opacity.setValue(layer.opacity)
            self._show_colormap(layer.colormap.name)
            self.blending.setCurrentIndex(1 if str(layer.blending) == "additive" else 0)
        for editor in (self.opacity, self.colormap, self.blending):
            editor.blockSignals(False)

    def _show_colormap(self, name: str) -> None:
        """Show the colours of the layer, which may be none of ours."""
        if self.colormap.findText(name) < 0:
            self.colormap.addItem(name)
        self.colormap.setCurrentText(name)

    def _set_visible(self, item: QListWidgetItem) -> None:
        item.data(Qt.ItemDataRole.UserRole).visible = item.checkState() == Qt.CheckState.Checked

    def _set_opacity(self, value: float) -> None:
        if (layer := self.value()) is not None:
            layer.opacity = value

    def _set_colormap(self, name: str) -> None:
        if (layer := self.value()) is not None and name in COLORMAPS:
            layer.colormap = name

    def _set_blending(self, row: int) -> None:
        if (layer := self.value()) is not None:
            layer.blending = self.blending.currentData()


def _item(layer: Layer) -> QListWidgetItem:
    item = QListWidgetItem(layer.name)
    item.setData(Qt.ItemDataRole.UserRole, layer)
    item.setToolTip(layer.name)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(_checked(layer.visible))
    return item


def _checked(visible: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if visible else Qt.CheckState.Unchecked


def _combo(tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    return box
