"""The keys of the tools, and undo where napari's own does not reach."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_vol3d.gui.correct.keys import Hand, keys_of

UNDO, REDO = "Ctrl+Z", "Ctrl+Shift+Z"


class Shortcuts(QObject):
    """Listens in napari's window.

    Keys of tools work while labels or an image are chosen: points and shapes have their own. Undo is napari's key and
    reaches labels that are chosen; while their scan is, it is ours.
    """

    toolAsked = Signal(str)
    undoAsked = Signal()
    redoAsked = Signal()

    def __init__(self, viewer: napari.Viewer, hand: Hand) -> None:
        super().__init__()
        self._viewer = viewer
        self._keys: dict[str, QShortcut] = {}
        window = viewer.window._qt_window
        undo, redo = (QShortcut(QKeySequence(key), window) for key in (UNDO, REDO))
        undo.activated.connect(self.undoAsked)
        redo.activated.connect(self.redoAsked)
        self._steps = [undo, redo]
        viewer.layers.selection.events.active.connect(self._follow)
        self.set_hand(hand)

    def let_go(self) -> None:
        """Leave the keys to napari; a second time it does nothing."""
        self._viewer.layers.selection.events.active.disconnect(self._follow)
        for shortcut in (*self._steps, *self._keys.values()):
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._steps.clear()
        self._keys.clear()

    def set_hand(self, hand: Hand) -> None:
        """Listen to the keys for a pen in this hand."""
        for old in self._keys.values():
            old.setParent(None)
            old.deleteLater()
        window = self._viewer.window._qt_window
        self._keys = {name: QShortcut(QKeySequence(key), window) for name, key in keys_of(hand).items()}
        for shortcut in self._keys.values():
            shortcut.activated.connect(self._on_key)
        self._follow()

    def _on_key(self) -> None:
        self.toolAsked.emit(next(name for name, shortcut in self._keys.items() if shortcut is self.sender()))

    def _follow(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        for shortcut in self._keys.values():
            shortcut.setEnabled(active is None or isinstance(active, Image | Labels))
        for shortcut in self._steps:
            shortcut.setEnabled(isinstance(active, Image))
