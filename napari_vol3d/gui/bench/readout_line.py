"""The line of the bench that says what is under the mouse, in whichever view it is."""

from __future__ import annotations

from collections.abc import Callable

from napari import Viewer
from qtpy.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QSizePolicy, QWidget
from superqt import QElidingLabel

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.object_finder import ObjectFinder
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.readout import IsCT, describe, many_lines, never, one_line
from napari_vol3d.gui.bench.view import Pixel, View, World

EACH_MS = 80  # a dozen readings a second: in software the window is put together anew for each, as for a slice


class ReadoutLine(QElidingLabel):
    """Tells what is at the mouse, or while that is elsewhere, at the crosshair.

    Parameters
    ----------
    viewer : Viewer
        Its layers are told of.
    crosshair : callable
        Gives the point that the views share.
    """

    def __init__(
        self, viewer: Viewer, crosshair: Callable[[], World], *, is_ct: IsCT = never, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._crosshair, self._is_ct = viewer, crosshair, is_ct
        self._mouse: World | None = None
        self.objects = ObjectFinder(viewer, self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(EACH_MS)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.fontMetrics().height() + 6)
        self.setMargin(3)
        self._timer.timeout.connect(self._tell)
        self.objects.found.connect(self.refresh)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.reordered):
            event.connect(self.refresh)
        self.refresh()

    def point_at(self, point: World | None) -> None:
        """Tell of a point under the mouse; None where it has left."""
        self._mouse = point
        self.refresh()

    def refresh(self, event: object = None) -> None:
        """Tell anew, soon: what is under the mouse or the crosshair may have changed."""
        if not self._timer.isActive():
            self._timer.start()

    def let_go(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        self.objects.let_go()
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered):
            event.disconnect(self.refresh)

    def _tell(self) -> None:
        point = self._crosshair() if self._mouse is None else self._mouse
        try:
            reading = describe(self._viewer, point, is_ct=self._is_ct, find_object=self.objects)
        except (Vol3dError, OSError) as problem:  # voxels that lie in a file which is gone
            self.setText(str(problem))
            return
        self.setText(one_line(reading))
        self.setToolTip(many_lines(reading))


class Hover(QObject):
    """Follows the mouse over one view; what the view does with the mouse stays as it is."""

    def __init__(self, view: View, line: ReadoutLine) -> None:
        super().__init__()
        self._view, self._line = view, line
        self._pixel: Pixel | None = None
        view.native.installEventFilter(self)
        view.model.dims.events.point.connect(self._on_slice)

    def let_go(self) -> None:
        """Let go of the view."""
        self._view.native.removeEventFilter(self)
        self._view.model.dims.events.point.disconnect(self._on_slice)
        if self._pixel is not None:
            self._line.point_at(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note where the mouse is; nothing is kept from the view."""
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            place = place_of(event)
            self._pixel = place.x(), place.y()
            self._follow()
        elif event.type() == QEvent.Type.Leave:
            self._pixel = None
            self._line.point_at(None)
        return False

    def _on_slice(self, event: object) -> None:
        if self._pixel is not None:
            self._follow()

    def _follow(self) -> None:
        # In 3D there is no one voxel under the mouse.
        flat = self._view.plane is not Plane.VOLUME
        self._line.point_at(self._view.to_world(self._pixel) if flat and self._pixel is not None else None)


def place_of(event: QMouseEvent) -> QPointF:
    """Give where the mouse is, in whichever way this Qt says it."""
    return event.position() if hasattr(event, "position") else QPointF(event.localPos())
