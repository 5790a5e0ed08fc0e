"""Asking before a window closes over corrections that no disk has taken."""

from __future__ import annotations

import napari
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_vol3d.gui.correct.desk import Desk

CLOSE, STAY = QMessageBox.StandardButton.Close, QMessageBox.StandardButton.Cancel


class Closing(QObject):
    """Keeps napari's window open, if a person wants it, while corrections are in memory only."""

    def __init__(self, viewer: napari.Viewer, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        viewer.window._qt_window.installEventFilter(self)

    def let_go(self) -> None:
        """Let it close; the window may be gone already."""
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold the closing up where something would be lost."""
        if event.type() != QEvent.Type.Close or not isinstance(watched, QWidget):
            return False
        if not self._at_risk() or is_sure(watched):
            return False
        event.ignore()
        return True

    def _at_risk(self) -> bool:
        troubles = (ledger.trouble for ledger in self._desk.ledgers)
        return any(trouble is not None and trouble.place == "memory" for trouble in troubles)


def is_sure(window: QWidget) -> bool:
    """Ask whether corrections may be lost."""
    asked = QMessageBox(
        QMessageBox.Icon.Warning, "Corrections are not saved",
        "Corrections would be lost: their journal can't be written. Cancel, and save the labels now.",
        CLOSE | STAY, window,
    )  # fmt: skip
    asked.button(CLOSE).setText("Close and lose them")
    asked.setDefaultButton(STAY)
    answer = asked.exec()
    asked.deleteLater()
    return bool(answer == CLOSE)
