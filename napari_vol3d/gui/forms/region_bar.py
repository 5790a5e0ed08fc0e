"""Form: deciding on the regions where two readings differ, one after the other."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_vol3d.core.say import shortened

FIRST, SECOND, THIRD, BY_HAND = "first", "second", "third", "hand"
# Digits are napari's tools, Ctrl+0 fits the view, Alt and a digit are our views.
KEYS: Mapping[str, str] = {FIRST: "Ctrl+1", SECOND: "Ctrl+2", THIRD: "Ctrl+3", BY_HAND: "Ctrl+4"}
LONG_NAME = 12  # letters
LEAST_BUTTON = 40  # pixels
BEGIN = "Show where the two readings of this case differ, and decide region by region"
HAND_TIP = "Leave this region as it is, to be corrected by hand"
BOTH_TIP = "Where both readings say the same, take that: one step, which can be undone"
END_TIP = "Stop; what was decided stays"


class RegionBar(QWidget):
    """Shows a region and asks what becomes of it.

    Signals: `beginAsked`, `endAsked`, `bothAsked`; `chosen` with "first", "second", "third" or "hand"; `stepped` with
    -1 or 1.
    """

    beginAsked = Signal()
    endAsked = Signal()
    bothAsked = Signal()
    chosen = Signal(str)
    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.begin = QPushButton("Adjudicate")
        self.words, self.progress = _line(), _line()
        self.choices = {choice: _button("") for choice in KEYS}
        self.previous, self.next = QToolButton(), QToolButton()
        self.both, self.end = _button("Take where both agree"), _button("Stop")
        self._active = QWidget()
        self._lay_out()
        self._connect()
        self.show_idle("")

    def show_idle(self, why_not: str, *, busy: bool = False) -> None:
        """Offer to begin, or say why that does not work."""
        self._active.hide()
        self.begin.show()
        self.begin.setEnabled(not why_not and not busy)
        self.begin.setText("Comparing ..." if busy else "Adjudicate")
        self.begin.setToolTip(why_not or BEGIN)
        self.words.setText(why_not)

    def show_readers(self, first: str, second: str, *, third: str, why_no_third: str) -> None:
        """Offer what these readers say; `third` is "model" or "majority"."""
        self.begin.hide()
        self._active.show()
        names = {FIRST: first, SECOND: second, THIRD: third or "model", BY_HAND: "by hand"}
        tips = {FIRST: f"Take what {first} says here", SECOND: f"Take what {second} says here", BY_HAND: HAND_TIP,
                THIRD: f"Take what the {third} says here"}  # fmt: skip
        for choice, button in self.choices.items():
            off = choice == THIRD and why_no_third
            key = QKeySequence(KEYS[choice]).toString(QKeySequence.SequenceFormat.NativeText)
            button.setText(f"{key}  {shortened(names[choice], LONG_NAME)}")
            button.setEnabled(not off)
            button.setToolTip(why_no_third if off else f"{tips[choice]} ({key})")

    def show_region(self, words: str, progress: str, *, why_not_both: str) -> None:
        """Say what the readings say in a region, and how far it is."""
        self.words.setText(words)
        self.progress.setText(progress)
        self.both.setEnabled(not why_not_both)
        self.both.setToolTip(why_not_both or BOTH_TIP)

    def _connect(self) -> None:
        for signal, slot in (
            (self.begin.clicked, self.beginAsked), (self.end.clicked, self.endAsked),
            (self.both.clicked, self.bothAsked), (self.previous.clicked, self._go_back),
            (self.next.clicked, self._go_on),
            *((button.clicked, self._choose) for button in self.choices.values()),
        ):  # fmt: skip
            signal.connect(slot)

    def _choose(self) -> None:
        self.chosen.emit(next(choice for choice, button in self.choices.items() if button is self.sender()))

    def _go_back(self) -> None:
        self.stepped.emit(-1)

    def _go_on(self) -> None:
        self.stepped.emit(1)

    def _lay_out(self) -> None:
        for button, arrow, tip in (
            (self.previous, Qt.ArrowType.LeftArrow, "The region before: a larger one"),
            (self.next, Qt.ArrowType.RightArrow, "The next region: a smaller one"),
        ):  # fmt: skip
            button.setArrowType(arrow)
            button.setToolTip(tip)
        self.end.setToolTip(END_TIP)
        ways = QGridLayout()
        ways.setSpacing(4)
        for place, button in enumerate(self.choices.values()):
            ways.addWidget(button, place // 2, place % 2)
        column = _column(self._active)
        column.addLayout(_row(self.progress, self.previous, self.next))
        column.addLayout(ways)
        column.addLayout(_row(self.both, self.end))
        whole = _column(self)
        for part in (self.begin, self.words, self._active):
            whole.addWidget(part)


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row


def _column(parent: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    return column


def _line() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _button(title: str) -> QPushButton:
    button = QPushButton(title)
    button.setMinimumWidth(LEAST_BUTTON)  # napari's theme would have them wider than the dock
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys go on to the canvas
    return button
