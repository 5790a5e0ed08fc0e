"""The keys of the Review tab; letters and digits are napari's and the tools'."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import napari
from qtpy.QtCore import QObject
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

KEYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "accept": (("Shift+Return", "Shift+Enter"), "Accept and next"),
    "flag": (("Shift+F",), "Flag and next"),
    "reject": (("Shift+X",), "Reject and next"),
    "take_back": (("Ctrl+Shift+Return", "Ctrl+Shift+Enter"), "Take the last judgement back"),
    "go_next": (("PgDown",), "Next scan of the list"),
    "go_back": (("PgUp",), "Scan before in the list"),
    "next_place": (("Shift+E",), "Next suspicious place"),
    "next_unchecked": (("Shift+C",), "Next slice that nobody has checked"),
}
HELD = frozenset({"go_next", "go_back", "next_place", "next_unchecked"})


class ReviewKeys(QObject):
    """Listens in napari's window while a project is open.

    Parameters
    ----------
    verbs : mapping of str to callable
        What each key of `KEYS` does.
    """

    def __init__(self, viewer: napari.Viewer, verbs: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        window = viewer.window._qt_window
        self._shortcuts: list[QShortcut] = []
        for name, verb in verbs.items():
            for key in KEYS[name][0]:
                shortcut = QShortcut(QKeySequence(key), window)
                shortcut.activated.connect(verb)
                shortcut.setAutoRepeat(name in HELD)  # a key that is held must not judge what nobody has seen
                self._shortcuts.append(shortcut)
        self.listen(False)

    def listen(self, on: bool) -> None:
        """Hear the keys, or leave them to others."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(on)

    def let_go(self) -> None:
        """Leave the keys to others for good."""
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()
