"""The reading bench with everything that belongs to it, put together for one viewer."""

from __future__ import annotations

import napari
from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.board import Board
from napari_vol3d.gui.bench.dark import DarkSurround
from napari_vol3d.gui.bench.hold_to_hide import Curtain, HoldToHide
from napari_vol3d.gui.bench.letters import Letters
from napari_vol3d.gui.bench.measuring import Measuring
from napari_vol3d.gui.bench.memory import Memory
from napari_vol3d.gui.bench.readout_line import Hover, ReadoutLine
from napari_vol3d.gui.bench.scale_bar import ScaleBar
from napari_vol3d.gui.bench.view import View, World
from napari_vol3d.gui.bench.window_drag import WindowDrag
from napari_vol3d.gui.panels.classes import ClassesPanel
from napari_vol3d.gui.panels.companions import has_channels
from napari_vol3d.gui.panels.grey_levels import GreyLevels
from napari_vol3d.gui.panels.images import ImagesPanel
from napari_vol3d.gui.panels.measure import MeasurePanel
from napari_vol3d.gui.panels.reading import ReadingPanel
from napari_vol3d.gui.space import reference_of

SEVERAL = 2
REFUSED_MS = 100


class ReadingRoom(QObject):
    """Bench, panel and what is in the views.

    Attributes
    ----------
    bench : Bench
    panel : ReadingPanel
        The tab, with the parts below as sections.
    grey : GreyLevels
    classes : ClassesPanel
    images : ImagesPanel
    measure : MeasurePanel
    line : ReadoutLine
        Under the views.
    """

    leaving = Signal()  # the views are about to go

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self._gone = self._closing = False
        self._refused = QTimer(self)
        self._refused.setSingleShot(True)
        self._refused.setInterval(REFUSED_MS)
        self._refused.timeout.connect(self._ask_refused)
        # napari lends a plug-in its viewer behind a proxy that warns of the window's own widgets, and the views are
        # built around its canvas: nothing public gives that.
        self._viewer = viewer = getattr(viewer, "__wrapped__", viewer)
        self._first = viewer.window._qt_viewer.canvas.native
        foot = QWidget()
        self.bench = Bench(viewer, foot)
        self.grey = GreyLevels(viewer)
        self.classes = ClassesPanel(viewer)
        self.board = Board(viewer, is_ct=self.grey.is_ct)
        self.measure = MeasurePanel(self.board)
        self.line = ReadoutLine(viewer, self._crosshair, is_ct=self.grey.is_ct)
        column = QVBoxLayout(foot)
        column.setContentsMargins(6, 0, 6, 0)
        column.addWidget(self.line)
        self._curtain = Curtain(viewer)
        self._memory = Memory(self.bench)
        self.panel = ReadingPanel(viewer, self.bench)
        self._furnish()
        self.images = ImagesPanel(viewer, self.bench)
        self._add_sections()
        self._connect()
        self._restore()

    def let_go(self) -> None:
        """Leave the viewer as it was."""
        if self._gone:
            return
        self._gone = True
        if not isalive(self):  # the program ended with the window open: Qt has destroyed all of it
            return
        self.leaving.emit()
        if not isalive(self._first):
            return
        self._refused.stop()
        self._viewer.window._qt_window.removeEventFilter(self)
        self._viewer.layers.events.inserted.disconnect(self._restore)
        self._viewer.layers.events.inserted.disconnect(self._unfold)
        self._memory.let_go()
        self.images.let_go()
        self.panel.let_go()
        self.bench.let_go()
        del self._first
        for part in (self.measure, self.line, self.board, self.classes, self.grey):
            part.let_go()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let go when napari's window closes, while its canvas is still there; closing may yet be refused."""
        if event.type() == QEvent.Type.Close:
            self._closing = True
            self._refused.start()
        elif event.type() == QEvent.Type.Hide and self._closing:
            self.let_go()
        return False

    def _ask_refused(self) -> None:
        """See whether the window is still there after napari has asked whether it shall close."""
        if QApplication.activeModalWidget() is not None:
            self._refused.start()
        else:
            self._closing = False

    def _furnish(self) -> None:
        for factory in (
            self._letters, self._hover, self._measuring, self._window_drag, self._hold_to_hide, ScaleBar, DarkSurround,
        ):  # fmt: skip
            self.bench.furnish(factory)

    def _add_sections(self) -> None:
        self.panel.add_section("Grey levels", self.grey)
        self.panel.add_section("Classes", self.classes)
        self._several = self.panel.add_section("Several images", self.images, folded=True)
        self.panel.add_section("Measure", self.measure, folded=True)

    def _connect(self) -> None:
        self.panel.changed.connect(self._memory.keep)
        self.bench.moved.connect(self.line.refresh)
        self.measure.goRequested.connect(self.bench.go_to)
        self.classes.jump.connect(self.bench.go_to)
        self._viewer.layers.events.inserted.connect(self._restore)
        self._viewer.layers.events.inserted.connect(self._unfold)
        self._viewer.window._qt_window.installEventFilter(self)

    def _restore(self, event: object = None) -> None:
        """Open the views with the first scan, if they were open last time."""
        if self._viewer.layers:
            self._memory.restore()

    def _unfold(self, event: object = None) -> None:
        """Show what can be done with several images as soon as there are several, or channels."""
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        if len(images) == SEVERAL or (len(images) == 1 and has_channels(images[0])):
            self._several.expand(animate=False)

    def _crosshair(self) -> World:
        return self.bench.point

    def _anatomical(self) -> bool:
        return reference_of(self._viewer) is not None

    def _letters(self, view: View) -> Letters:
        return Letters(view, self._anatomical)

    def _hover(self, view: View) -> Hover:
        return Hover(view, self.line)

    def _measuring(self, view: View) -> Measuring:
        return Measuring(view, self.board)

    def _window_drag(self, view: View) -> WindowDrag:
        return WindowDrag(view, self.grey.image)

    def _hold_to_hide(self, view: View) -> HoldToHide:
        return HoldToHide(view, self._curtain)
