"""pytest-qt's hands, for a machine that does other work at the same time."""

from __future__ import annotations

from typing import Any

from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

PATIENCE_MS = 60_000
NO_BUTTON, NO_KEYS = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


class PatientBot(QtBot):
    """Waits long for what must come, gives a window the keyboard, and moves a mouse of its own.

    Nothing takes longer by it but a test that fails. QTest moves the pointer of the screen; the screen says that no
    button is down, and may say so when one was let go already.
    """

    def waitUntil(self, callback: Any, *, timeout: int = PATIENCE_MS) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_MS))

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, raising: bool | None = None, **more: Any) -> Any:
        long = timeout if raising is False else max(timeout, PATIENCE_MS)
        return super().waitSignal(signal, timeout=long, raising=raising, **more)

    def waitActive(self, widget: QWidget, *, timeout: int = PATIENCE_MS) -> Any:
        return super().waitActive(widget, timeout=max(timeout, PATIENCE_MS))

    def waitExposed(self, widget: QWidget, *, timeout: int = PATIENCE_MS) -> Any:
        return super().waitExposed(widget, timeout=max(timeout, PATIENCE_MS))

    def mouseMove(self, widget: QWidget, pos: QPoint | None = None, buttons: Any = NO_BUTTON) -> None:
        """Move the mouse over a widget, now; to its middle where no place is named."""
        place = widget.rect().center() if pos is None else pos
        on_screen = QPointF(widget.mapToGlobal(place))
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), on_screen, NO_BUTTON, buttons, NO_KEYS)
        QApplication.sendEvent(widget, event)
        QApplication.processEvents()

    def give_the_keyboard(self, widget: QWidget) -> None:
        """Make the window of a widget the active one: keys that are pressed before reach no shortcut.

        Without a window manager nobody gives a new window the keyboard but who asks for it, and the screen's answer
        comes when it comes.
        """
        window = widget.window()
        if not window.isActiveWindow():
            window.activateWindow()
            self.waitUntil(window.isActiveWindow)
