"""Form: which layer is which channel of a model; what their names say is chosen already."""

from __future__ import annotations

from napari.components import LayerList
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_vol3d.core.channel_names import match_channels
from napari_vol3d.gui.forms.layer_choice import LayerChoice, is_scan


class ChannelChoices(QWidget):
    """One chooser of a layer for each channel; hidden where a model has one.

    Attributes
    ----------
    names : tuple of str
        The channels asked for.
    """

    valueChanged = Signal()

    def __init__(self, layers: LayerList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self.names: tuple[str, ...] = ()
        self.choices: list[LayerChoice] = []
        self._labels: list[QLabel] = []
        self._like = ""  # the scan whose case is meant
        self._touched = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        for event in (layers.events.inserted, layers.events.renamed):
            event.connect(self._match)
        self.setVisible(False)

    def ask(self, names: tuple[str, ...], like: str = "") -> None:
        """Ask for these channels, of the case of a scan of that name; for none the form is hidden."""
        moved, self._like = like != self._like, like
        if names != self.names:
            self._ask_for(names)
        elif moved:  # what was chosen by hand without this scan was chosen for another case
            self._touched = self._touched and like in [each.name for each in self.value() if each is not None]
            self._match()

    def _ask_for(self, names: tuple[str, ...]) -> None:
        self._clear()
        self.names, self._touched = names, False
        for row, name in enumerate(names):
            label = QLabel(name)
            choice = LayerChoice(self._layers, tip=f"The image that is the channel {name}", takes_new=False)
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(choice, row, 1)
            self._labels.append(label)
            self.choices.append(choice)
            choice.activated.connect(self._note_hand)
        self._match()
        for choice in self.choices:
            choice.valueChanged.connect(self._changed)
        self.setVisible(bool(names))
        self.valueChanged.emit()

    def value(self) -> tuple[Image | None, ...]:
        """Give the chosen layers, in the order of the channels."""
        return tuple(choice.value() for choice in self.choices)

    def let_go(self) -> None:
        """Stop following the layers."""
        for event in (self._layers.events.inserted, self._layers.events.renamed):
            event.disconnect(self._match)
        for choice in self.choices:
            choice.let_go()

    def _clear(self) -> None:
        for choice in self.choices:
            choice.valueChanged.disconnect(self._changed)
            choice.let_go()
        for widget in (*self._labels, *self.choices):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._labels, self.choices = [], []

    def _match(self, event: object = None) -> None:
        """Choose by the names of the scan's case, until a person has chosen; what no name says stays open."""
        if self._touched:
            return
        scans = [layer for layer in self._layers if is_scan(layer)]
        matched = match_channels(self.names, [scan.name for scan in scans], like=self._like)
        for choice, found in zip(self.choices, matched, strict=True):
            choice.refresh()
            choice.setValue(None if found is None else scans[found])

    def _note_hand(self, *_: object) -> None:
        self._touched = True

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()
