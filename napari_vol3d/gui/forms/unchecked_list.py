"""Form: slices that were interpolated and are still to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.slice_words import slices_in_words

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
HERE, ELSEWHERE = "Takes this slice for checked (Enter)", "The slice that is shown is not among them: press Next."


class UncheckedList(QWidget):
    """Says which slices, and asks for the next one or takes one for checked.

    Enter takes the slice that is shown for checked, and where that is done goes on to the next: a person can go
    through all of them with one key.
    """

    nextAsked = Signal()
    rightAsked = Signal()
    allAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.next, self.right, self.all = (
            QPushButton("Next"), QPushButton("This slice is right"), QPushButton("All checked"),
        )  # fmt: skip
        self.next.setToolTip("Shows the next slice that is not checked")
        self.all.setToolTip("Takes all these slices for checked")
        row = QHBoxLayout()
        row.setSpacing(4)
        for button, signal in (
            (self.next, self.nextAsked), (self.right, self.rightAsked), (self.all, self.allAsked),
        ):  # fmt: skip
            button.clicked.connect(signal)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.words)
        layout.addLayout(row)
        self._slices: dict[int, tuple[int, ...]] = {}
        self.setValue({}, here=False)

    def value(self) -> dict[int, tuple[int, ...]]:
        """Give the slices, by the axis across them."""
        return self._slices

    def setValue(self, slices: Mapping[int, Collection[int]], *, here: bool) -> None:
        """List these; hidden where there are none. `here`: whether one of them is on the screen."""
        self._slices = {axis: tuple(sorted(numbers)) for axis, numbers in slices.items() if numbers}
        said = "; ".join(slices_in_words(axis, numbers) for axis, numbers in self._slices.items())
        self.words.setText(f"Interpolated, not checked: {said}")
        self.right.setEnabled(here)
        self.right.setToolTip(HERE if here else ELSEWHERE)
        self.setVisible(bool(self._slices))

    def event(self, event: QEvent) -> bool:
        """Have Enter for oneself while a button of these is focused; elsewhere it applies the tool."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in ENTER:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer Enter."""
        if event.key() not in ENTER:
            super().keyPressEvent(event)
        elif self.right.isEnabled():
            self.rightAsked.emit()
        else:
            self.nextAsked.emit()
