"""The reading bench with everything that belongs to it, put together for one viewer."""

from __future__ import annotations

import napari
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.memory import Memory
from napari_vol3d.gui.panels.reading import ReadingPanel


class ReadingRoom:
    """Bench, panel and what is in the views.

    Attributes
    ----------
    bench : Bench
    panel : ReadingPanel
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(6, 2, 6, 2)
        self.bench = Bench(viewer, foot)
        self._memory = Memory(self.bench)
        self.panel = ReadingPanel(viewer, self.bench)
        self.panel.changed.connect(self._memory.keep)
        viewer.layers.events.inserted.connect(self._restore)
        self._restore()

    def let_go(self) -> None:
        """Leave the viewer as it was."""
        self._viewer.layers.events.inserted.disconnect(self._restore)
        self._memory.let_go()
        self.panel.let_go()
        self.bench.let_go()

    def _restore(self, event: object = None) -> None:
        """Open the views with the first scan, if they were open last time."""
        if len(self._viewer.layers) == 1:
            self._memory.restore()
