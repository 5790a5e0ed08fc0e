"""Form: choose one of the viewer's Image layers; it follows the layer list."""

from __future__ import annotations

from typing import Any

from napari.components import LayerList
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.gui.layers import origin_of


class LayerChoice(QComboBox):
    """The Image layers of a viewer, newest chosen; probability maps of ours are left out."""

    valueChanged = Signal()

    def __init__(self, layers: LayerList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setToolTip("The image to segment")
        for signal in (layers.events.inserted, layers.events.removed, layers.events.renamed):
            signal.connect(self._follow)
        self.currentIndexChanged.connect(self._changed)
        self._follow()

    def value(self) -> Image | None:
        """Give the chosen layer."""
        layer = self.currentData()
        return layer if layer in self._layers else None

    def setValue(self, layer: Image) -> None:
        """Choose a layer."""
        self.setCurrentIndex(self.findData(layer))

    def let_go(self) -> None:
        """Stop following: the form outlives no viewer."""
        for signal in (self._layers.events.inserted, self._layers.events.removed, self._layers.events.renamed):
            signal.disconnect(self._follow)

    def _follow(self, event: Any = None) -> None:
        scans = [layer for layer in self._layers if isinstance(layer, Image) and not _is_probability(layer)]
        before = self.currentData()
        added = getattr(event, "value", None) if getattr(event, "type", "") == "inserted" else None
        self.blockSignals(True)
        self.clear()
        for layer in scans:
            self.addItem(layer.name, layer)
        wanted = added if added in scans else before if before in scans else (scans[-1] if scans else None)
        self.setCurrentIndex(scans.index(wanted) if wanted is not None else -1)
        self.blockSignals(False)
        self._changed()

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def _is_probability(layer: Image) -> bool:
    origin = origin_of(layer)
    return origin is not None and origin.probability
