"""Form: which key takes which tool, and in which hand the mouse or the pen is."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Literal, TypeAlias

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

Hand: TypeAlias = Literal["right", "left"]
HANDS: tuple[Hand, Hand] = ("right", "left")


class KeyTable(QWidget):
    """A choice of the hand, and the keys under it."""

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hand = QComboBox()
        self.hand.addItems([f"{hand} hand" for hand in HANDS])
        self.hand.setToolTip("The keys lie under the other hand")
        self.table = QLabel()
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setWordWrap(True)
        for part in (self.hand, self.table):
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # the dock is narrow
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Mouse or pen in the", self.hand)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.table)
        self.hand.activated.connect(self._chosen)

    def value(self) -> Hand:
        """Give the hand: "right" or "left"."""
        return HANDS[self.hand.currentIndex()]

    def setValue(self, hand: Hand) -> None:
        """Choose a hand; nobody is told."""
        self.hand.setCurrentIndex(HANDS.index(hand))

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """List what each key does, by its sign."""
        rows = "".join(
            f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(deed)}</td></tr>" for key, deed in keys.items()
        )
        self.table.setText(f"<table>{rows}</table>")

    def _chosen(self, *_: object) -> None:
        self.valueChanged.emit(self.value())
