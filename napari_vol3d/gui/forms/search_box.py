"""Form: a line to search in."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QLineEdit


class SearchBox(QLineEdit):
    """A line edit in which Return ends: it searches, and does not also press the button of the panel around it."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Return."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
