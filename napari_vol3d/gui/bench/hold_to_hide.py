"""Hold H to look at the scan without its labels; let go to have them back."""

from __future__ import annotations

import napari
from napari.layers import Labels
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QWindow
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit

from napari_vol3d.gui.bench.view import View

KEY = Qt.Key.Key_H
TYPED_IN = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)


class Curtain:
    """Hides the visible labels of a viewer and brings back those that it has hidden; one for all views."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._hidden: list[Labels] | None = None

    @property
    def closed(self) -> bool:
        """Whether labels are hidden now."""
        return self._hidden is not None

    def close(self) -> None:
        """Hide all labels that are visible; once closed, it has nothing more to do."""
        if self._hidden is None:
            self._hidden = [layer for layer in self._viewer.layers if isinstance(layer, Labels) and layer.visible]
            for layer in self._hidden:
                layer.visible = False

    def open(self) -> None:
        """Show them again, those that are still there."""
        hidden, self._hidden = self._hidden or [], None
        for layer in hidden:
            if layer in self._viewer.layers:
                layer.visible = True


class HoldToHide(QObject):
    """Closes the curtain while the key is held over one view, wherever the focus is but in a field one types in.

    Notes
    -----
    A key binding of napari's hears only what is typed into its canvas, and not that the focus went away meanwhile.
    """

    def __init__(self, view: View, curtain: Curtain) -> None:
        super().__init__()
        self._native, self._curtain = view.native, curtain
        self._window: QWindow | None = None  # while the mouse is over the view
        self._holding = False
        self._native.installEventFilter(self)

    def let_go(self) -> None:
        """Leave the view, with its labels as they were."""
        self._native.removeEventFilter(self)
        self._release()
        self._listen(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch the key, the mouse and the focus."""
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return self._key(watched, event, pressed=kind == QEvent.Type.KeyPress)
        if kind == QEvent.Type.Enter:
            self._listen(self._native.window().windowHandle())
        elif kind == QEvent.Type.Leave and watched is self._native and not self._holding:
            self._listen(None)
        elif kind in (QEvent.Type.FocusOut, QEvent.Type.Hide):
            self._release()
        return False

    def _key(self, watched: QObject, event: QKeyEvent, *, pressed: bool) -> bool:
        """Close or open the curtain; give whether the key was meant for nobody else."""
        if event.key() != KEY or (watched is self._window and isinstance(QApplication.focusWidget(), TYPED_IN)):
            return False
        # A held key repeats itself, on X11 as releases and presses.
        if not event.isAutoRepeat():
            if not pressed:
                self._release()
            elif event.modifiers() == Qt.KeyboardModifier.NoModifier:
                self._holding = True
                self._curtain.close()
        # A list that has the focus would go to a name with this letter. The canvas may have its own use for the key.
        return watched is self._window and QApplication.focusWidget() is not self._native

    def _release(self) -> None:
        if self._holding:
            self._holding = False
            self._curtain.open()

    def _listen(self, window: QWindow | None) -> None:
        """Hear the keys of this window before whatever has the focus in it."""
        if window is self._window:
            return
        if self._window is not None:
            self._window.removeEventFilter(self)
        if window is not None:
            window.installEventFilter(self)
        self._window = window
