"""Where the views are on the screen: in panes in the middle of napari's window, or in windows of their own."""

from __future__ import annotations

import napari
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.gui.bench.extra_views import ExtraView
from napari_vol3d.gui.bench.panes import Pane, Panes
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View

PLACES = (Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL, Plane.VOLUME)  # line by line; coronal under axial shares its x
KEYS = {Plane.AXIAL: "Alt+1", Plane.CORONAL: "Alt+2", Plane.SAGITTAL: "Alt+3", Plane.VOLUME: "Alt+4"}
WINDOW_SIZE = (700, 700)


class Arrangement(QObject):
    """The panes of an open bench.

    Parameters
    ----------
    viewer : Viewer
        Its canvas moves into the first pane, and back when this lets go.
    foot : QWidget
        Stands under the panes.
    """

    came = Signal(object)  # an ExtraView
    going = Signal(object)
    changed = Signal()

    def __init__(self, viewer: napari.Viewer, first: View, foot: QWidget) -> None:
        super().__init__()
        self._viewer, self._first, self._foot = viewer, first, foot
        self._panes: dict[Plane, Pane] = {}
        self._extra: dict[Plane, ExtraView] = {}
        self._windows: dict[QWidget, ExtraView] = {}
        self.alone: Plane | None = None
        self._shared = ""

    def open(self) -> None:
        """Build the panes, and put napari's canvas into the first."""
        middle = self._viewer.window._qt_window.centralWidget()
        self._area = Panes(middle, self._foot)
        middle.layout().insertWidget(0, self._area)
        self._panes = {plane: Pane(plane, KEYS[plane]) for plane in PLACES}
        self._area.place(self._panes.values())
        self._area.show()
        self._foot.show()
        self._extra = {plane: ExtraView(self._viewer, plane) for plane in PLACES[1:]}
        for plane, pane in self._panes.items():
            pane.hold(self._extra[plane].canvas if plane in self._extra else self._first.qt_viewer)
            pane.largeRequested.connect(self._on_large)
            pane.windowRequested.connect(self._on_window)
        self._area.even()
        self._area.dragged.connect(self._on_dragged)
        for extra in self._extra.values():
            self.came.emit(extra)

    def let_go(self) -> None:
        """Give napari's canvas back, and take the others away."""
        for window in list(self._windows):
            window.close()
        for extra in self._extra.values():
            self.going.emit(extra)
            extra.let_go()
        self._extra.clear()
        self._foot.setParent(None)
        layout = self._viewer.window._qt_window.centralWidget().layout()
        layout.insertWidget(0, self._first.qt_viewer)
        self._first.qt_viewer.show()
        self._area.setParent(None)
        self._area.deleteLater()
        self._panes.clear()

    def show_only(self, plane: Plane | None) -> None:
        """Make one view large, or show all, as a person has shared the room among them."""
        self.alone = plane
        self._area.show_only(plane)
        if plane is None and self._shared:
            self._area.setSizes(self._shared)
        elif plane is None:
            self._area.even()
        self.changed.emit()

    def name(self, *, anatomical: bool) -> None:
        """Write the views' names above them."""
        for plane, pane in self._panes.items():
            # Without layers of three axes, napari's own view cuts nothing yet.
            turned = plane not in self._extra and self._first.model.dims.ndim >= 3
            shown = self._first.plane if turned else plane
            pane.name(shown.title(anatomical=anatomical), alone=self.alone is plane)
        for window, extra in self._windows.items():
            window.setWindowTitle(f"{extra.plane.title(anatomical=anatomical)} - {self._viewer.title}")

    def open_window(self, plane: Plane) -> QWidget:
        """Open one more view of this plane in a window of its own."""
        window = QWidget(self._viewer.window._qt_window, Qt.WindowType.Window)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        extra = self._windows[window] = ExtraView(self._viewer, plane)
        column = QVBoxLayout(window)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(extra.canvas)
        window.resize(*WINDOW_SIZE)
        window.installEventFilter(self)
        window.show()
        self.came.emit(extra)
        self.changed.emit()
        return window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let a view go with its window."""
        if event.type() == QEvent.Type.Close and watched in self._windows:
            extra = self._windows.pop(watched)
            self.going.emit(extra)
            extra.let_go()
            self.changed.emit()
        return False

    @property
    def sizes(self) -> str:
        """How a person has shared the room among the four panes; "" where nobody has."""
        return self._shared

    @sizes.setter
    def sizes(self, said: str) -> None:
        if self._area.setSizes(said):
            self._shared = said

    def _on_dragged(self) -> None:
        if self.alone is None:
            self._shared = self._area.sizes()
            self.changed.emit()

    def _on_large(self) -> None:
        plane = self.sender().plane
        self.show_only(None if self.alone is plane else plane)

    def _on_window(self) -> None:
        self.open_window(self.sender().plane)
