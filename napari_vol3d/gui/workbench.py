"""The dock: one widget, with what fits the moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import napari
from napari.layers import Image
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFileDialog, QScrollArea, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from napari_vol3d.gui.consent import ConsentBar
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.panels.welcome import WelcomePanel
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.io.registry import READ_PATTERNS

MINIMUM_WIDTH = 340
MARGIN = 3


class Workbench(QWidget):
    """The Vol3D dock widget.

    Attributes
    ----------
    segment : SegmentPanel
        Scan, model, Run.
    reading : ReadingRoom
        The views, and the tab that goes with them.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._docked = False
        super().__init__()
        self._viewer = napari_viewer
        self._keeper = EngineKeeper()
        self._gone = False
        self.setObjectName("Vol3D")
        self.welcome = WelcomePanel()
        self.segment = SegmentPanel(napari_viewer, self._keeper)
        self.reading = ReadingRoom(napari_viewer)
        self.consent = ConsentBar()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)  # no frame: the dock is narrow
        self.tabs.addTab(self.segment, "Segment")
        self.tabs.addTab(self.reading.panel, "Read")
        self._pages = QStackedWidget()
        for page in (self.welcome, self.tabs):
            self._pages.addWidget(page)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.addWidget(self.consent)
        column.addWidget(self._pages, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumWidth(MINIMUM_WIDTH)
        self.welcome.openRequested.connect(self._open)
        self.welcome.sampleRequested.connect(self._sample)
        for event in (napari_viewer.layers.events.inserted, napari_viewer.layers.events.removed):
            event.connect(self._choose_page)
        self._choose_page()
        # napari hides a closed dock and destroys it with the window: no process may stay behind then. A signal
        # does not reach a method of the object that is being destroyed, so a function of its own is connected.
        self.destroyed.connect(_letting_go(self))

    def event(self, event: QEvent) -> bool:
        """Let go when the dock is taken out of its window, even where somebody still holds the widget."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None and self._docked:
                self.let_go()
            self._docked = self.parent() is not None
        return bool(super().event(event))

    def let_go(self) -> None:
        """Stop what runs, end the engine, let go of the viewer; also when Qt has destroyed the widgets already."""
        if not self._gone:
            self._gone = True
            self.segment.let_go()
            self.reading.let_go()
            for event in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
                event.disconnect(self._choose_page)
            self._keeper.close()

    def _choose_page(self, event: object = None) -> None:
        has_scan = any(isinstance(layer, Image) for layer in self._viewer.layers)
        self._pages.setCurrentWidget(self.tabs if has_scan else self.welcome)

    def _open(self) -> None:
        patterns = " ".join(READ_PATTERNS)
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a scan", str(Path.home()), f"Scans ({patterns})")
        if chosen:
            self._viewer.open(chosen, plugin="napari-vol3d")

    def _sample(self) -> None:
        self._viewer.open_sample("napari-vol3d", "hippocampus")


def _letting_go(bench: Workbench) -> Callable[..., None]:
    def let_go(*_: object) -> None:
        bench.let_go()

    return let_go
