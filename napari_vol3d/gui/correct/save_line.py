"""Whether what was corrected is safe: "saved 12:03:20", and what stays on the screen while it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.gui.correct.banner import AMBER, RED, Banner
from napari_vol3d.review.reports import Acknowledged, Mended, Report, Trouble

if TYPE_CHECKING:
    from napari_vol3d.review.lock import Held  # loads the database: not at the start of a window

SLOW_MS = 300  # quicker ones are not announced: the line would flicker at each stroke
SAVED_TIP = "Each correction is on the disk within a second. For a file of labels: Segment > Save, or File > Save"
MEANWHILE = {
    "local": "Corrections are kept on this computer meanwhile.",
    "memory": "Corrections are kept in memory only: save the labels now.",
}


class SaveLine(QWidget):
    """The line, a red banner while the journal can't be written, and what a person must know of the journal.

    Signals
    -------
    saveElsewhereAsked
        A person wants the labels in another place.
    takeOverAsked
        A person wants the journal that somebody else has.
    """

    saveElsewhereAsked = Signal()
    takeOverAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = QLabel()
        self.state.setToolTip(SAVED_TIP)
        self.trouble = Banner(RED)
        self.elsewhere = QPushButton("Save labels to another place ...")
        self.elsewhere.setToolTip("Writes a labels file, to a disk that works")
        self.held = Banner(AMBER)
        self.take_over = QPushButton("Take over")
        self.take_over.setToolTip("Corrections of both are kept: the other person's become another branch of history")
        self.mended = QLabel()
        self.mended.setWordWrap(True)
        self.seen = QPushButton("OK")
        self.seen.setToolTip("Hides this message; the damaged file stays where it is")
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(SLOW_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.state, self.trouble, self.elsewhere, self.held, self.take_over):
            layout.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.mended, 1)
        row.addWidget(self.seen)
        layout.addLayout(row)
        self._slow.timeout.connect(self._say_saving)
        self.elsewhere.clicked.connect(self._ask_elsewhere)
        self.take_over.clicked.connect(self._ask_take_over)
        self.seen.clicked.connect(self._forget_mended)
        self.clear()

    def clear(self) -> None:
        """Say nothing, as of labels that were not corrected yet."""
        self._slow.stop()
        self.state.setText("")
        self.show_trouble(None)
        self.show_held(None)
        self.show_mended("")

    def show_saving(self) -> None:
        """Know that a correction is on its way to the disk; it is said if that takes long."""
        if not self._slow.isActive():
            self._slow.start()

    def show_saved(self, words: str) -> None:
        """Say "saved 12:03:20", or what else stands for it."""
        self._slow.stop()
        self.state.setText(words)

    def show_report(self, report: Report) -> None:
        """Show what the writer says; connect its signal, for it speaks in another thread."""
        if isinstance(report, Acknowledged):
            self.show_saved(report.words)
        elif isinstance(report, Trouble | Mended):
            self.show_trouble(report if isinstance(report, Trouble) else None)

    def show_trouble(self, trouble: Trouble | None) -> None:
        """Show the banner until this is called with None."""
        parts = () if trouble is None else (MEANWHILE[trouble.place], trouble.message, trouble.hint)
        self.trouble.say(" ".join(part for part in parts if part))
        if trouble is not None and trouble.place == "memory":
            self.show_saved("not saved")
        self.elsewhere.setVisible(trouble is not None)

    def show_held(self, held: Held | None) -> None:
        """Say who else has the journal, until this is called with None; corrections are kept all the same."""
        self.held.say("" if held is None else held.words)
        self.take_over.setVisible(held is not None)

    def show_mended(self, sentence: str) -> None:
        """Say what became of a damaged journal, until it was read."""
        self.mended.setText(sentence)
        self.mended.setVisible(bool(sentence))
        self.seen.setVisible(bool(sentence))

    def _say_saving(self) -> None:
        self.state.setText("saving ...")

    def _ask_elsewhere(self) -> None:
        self.saveElsewhereAsked.emit()

    def _ask_take_over(self) -> None:
        self.takeOverAsked.emit()

    def _forget_mended(self) -> None:
        self.show_mended("")
