"""Asking once whether dropped scans should open here.

napari's own reader claims the same file names, so that a drop would open a dialog each time; the person's consent is
kept as napari's reader preference, which can be changed in Preferences > Plugins.
"""

from __future__ import annotations

from napari.settings import get_plugin_settings, get_settings
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.io.registry import FORMATS, NAMELESS_PATTERNS, READ_PATTERNS

PLUGIN = "napari-vol3d"
PATTERNS = (*READ_PATTERNS, *NAMELESS_PATTERNS)


def drops_open_here() -> bool:
    """Whether every format of ours is set to open with this plug-in."""
    preferences = get_settings().plugins.extension2reader
    return all(preferences.get(pattern) == PLUGIN for pattern in PATTERNS)


def open_drops_here() -> None:
    """Make this plug-in the reader of its formats."""
    plugins = get_settings().plugins
    plugins.extension2reader = {**plugins.extension2reader, **dict.fromkeys(PATTERNS, PLUGIN)}


class ConsentBar(QWidget):
    """A line with Yes and No, shown until it has been answered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = ", ".join(known.name for known in FORMATS if known.read and known.extensions)
        text = QLabel(f"Open dropped {names} files and folders of slices with Vol3D, without asking each time?")
        text.setWordWrap(True)
        self.yes = QPushButton("Yes")
        self.no = QPushButton("No")
        self.yes.setToolTip("Sets napari's reader preference; Preferences > Plugins changes it back")
        self.no.setToolTip("napari will ask at each drop; this question does not come again")
        buttons = QHBoxLayout()
        buttons.addWidget(self.yes)
        buttons.addWidget(self.no)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.addWidget(text)
        layout.addLayout(buttons)
        self.yes.clicked.connect(self._accept)
        self.no.clicked.connect(self._answered)
        self.setVisible(not (drops_open_here() or get_plugin_settings(PLUGIN).drops.asked))

    def _accept(self) -> None:
        open_drops_here()
        self._answered()

    def _answered(self) -> None:
        get_plugin_settings(PLUGIN).drops.asked = True
        self.setVisible(False)
