"""Form: a folder, or none."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget
from superqt import QElidingLabel

SPACE = 4
MARGIN = 14  # pixels beside the words, which they are not told of


class FolderChoice(QWidget):
    """Shows where a folder is, its end first where there is little room, and asks for another.

    Parameters
    ----------
    title : str
        Of the dialog that asks.
    tip : str
    none : str
        What is said where there is no folder.
    optional : bool
        Whether a person can take it away again.
    """

    valueChanged = Signal()
    chosen = Signal()  # by a person

    def __init__(
        self, title: str, tip: str, parent: QWidget | None = None, *, none: str = "", optional: bool = False
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._title, self._none = title, none
        self._folder: Path | None = None
        self.words = QElidingLabel()
        self.words.setElideMode(Qt.TextElideMode.ElideLeft)
        self.words.setEllipsesWidth(MARGIN)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.ask, self.clear = QPushButton("Choose ..."), QToolButton()
        self.ask.setAutoDefault(False)  # Return is for the button that ends a dialog
        self.ask.setToolTip(tip)
        self.clear.setText("x")
        self.clear.setToolTip("Take it away")
        self.clear.setVisible(False)
        self._optional = optional
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.words, 1)
        row.addWidget(self.clear)
        row.addWidget(self.ask)
        self.ask.clicked.connect(self._ask)
        self.clear.clicked.connect(self._clear)
        self.say(none)

    def value(self) -> Path | None:
        """Give the folder."""
        return self._folder

    def setValue(self, folder: Path | None) -> None:
        """Take a folder, or (None) none."""
        if folder != self._folder:
            self._folder = folder
            self.clear.setVisible(self._optional and folder is not None)
            self.say(self._none if folder is None else str(folder))
            self.valueChanged.emit()

    def say(self, words: str) -> None:
        """Show this for the folder, until it is another: the file in it, for instance."""
        self.words.setText(words)
        self.words.setToolTip(words)

    def _ask(self) -> None:
        start = str(self._folder or Path.home())
        folder = QFileDialog.getExistingDirectory(self, self._title, start)
        if folder:
            self.setValue(Path(folder))
            self.chosen.emit()

    def _clear(self) -> None:
        self.setValue(None)
        self.chosen.emit()
