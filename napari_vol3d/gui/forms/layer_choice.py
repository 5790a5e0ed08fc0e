"""Form: choose one of the viewer's layers of a kind; it follows the layer list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import LayerList
from napari.layers import Image, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.gui.layers import origin_of


class LayerChoice(QComboBox):
    """The layers of a kind, newest chosen.

    Parameters
    ----------
    wanted : callable
        Whether a layer is listed; by default scans: images that are no probability maps of ours.
    tip : str
    takes_new : bool
        Whether a layer that comes is chosen; otherwise the choice stays what it was, which may be none.
    """

    valueChanged = Signal()

    def __init__(
        self, layers: LayerList, parent: QWidget | None = None, *, wanted: Callable[[Layer], bool] | None = None,
        tip: str = "The image to segment", takes_new: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._layers, self._wanted, self._takes_new = layers, is_scan if wanted is None else wanted, takes_new
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setToolTip(tip)
        for signal in (layers.events.inserted, layers.events.removed, layers.events.renamed):
            signal.connect(self._follow)
        self.currentIndexChanged.connect(self._changed)
        self._follow()

    def value(self) -> Any:
        """Give the chosen layer."""
        layer = self.currentData()
        return layer if layer in self._layers else None

    def setValue(self, layer: Layer | None) -> None:
        """Choose a layer, or (None) none."""
        self.setCurrentIndex(-1 if layer is None else self.findData(layer))

    def refresh(self) -> None:
        """List the layers as they are now: whoever hears of a layer first need not wait for this to hear of it."""
        self._follow()

    def let_go(self) -> None:
        """Stop following: the form outlives no viewer."""
        for signal in (self._layers.events.inserted, self._layers.events.removed, self._layers.events.renamed):
            signal.disconnect(self._follow)

    def _follow(self, event: Any = None) -> None:
        scans = [layer for layer in self._layers if self._wanted(layer)]
        before = self.currentData()
        is_new = self._takes_new and getattr(event, "type", "") == "inserted"
        added = getattr(event, "value", None) if is_new else None
        self.blockSignals(True)
        self.clear()
        for layer in scans:
            self.addItem(layer.name, layer)
        wanted = added if added in scans else before if before in scans else self._first_of(scans)
        self.setCurrentIndex(scans.index(wanted) if wanted is not None else -1)
        self.blockSignals(False)
        self._changed()

    def _first_of(self, scans: list[Layer]) -> Layer | None:
        """Give what is chosen where nothing was."""
        return scans[-1] if scans and self._takes_new else None

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def is_scan(layer: Layer) -> bool:
    """Whether a layer is an image, and none of a model's probabilities."""
    origin = origin_of(layer)
    return isinstance(layer, Image) and (origin is None or not origin.probability)
