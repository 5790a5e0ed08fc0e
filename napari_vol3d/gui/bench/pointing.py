"""The mouse on a view: a click puts the crosshair, Shift drags it, the wheel turns slices."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QPoint, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View, World

CLICK = 4  # pixels: a mouse that moves less has clicked
NOTCH = 120  # Qt's eighths of a degree in one notch of a wheel
ZOOM_STEP = 1.1


class Pointing(QObject):
    """Turns what the mouse does on a view into places.

    Where the layer that is chosen takes clicks, as a brush does, a plain click is its own; Shift always points.

    Parameters
    ----------
    view : View
    go_to : callable
        Takes the point.
    turn : callable
        Takes a number of slices to turn the view by.
    wheel_turns : callable
        Whether the wheel turns slices; with Ctrl, or where it does not, it zooms.
    """

    def __init__(
        self, view: View, go_to: Callable[[World], None], turn: Callable[[View, int], None],
        wheel_turns: Callable[[], bool],
    ) -> None:  # fmt: skip
        super().__init__()
        self._view, self._go_to, self._turn, self._wheel_turns = view, go_to, turn, wheel_turns
        self._pressed: QPoint | None = None
        self._dragging = False
        self._rest = 0  # of a wheel or a touchpad that gives less than a notch
        view.native.installEventFilter(self)

    def let_go(self) -> None:
        """Leave the mouse to napari."""
        self._view.native.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See what the mouse does; True where napari shall not."""
        kind = event.type()
        if self._view.plane is Plane.VOLUME or not self._view.model.layers:
            return False
        if kind == QEvent.Type.MouseButtonPress:
            return self._press(event)
        if kind == QEvent.Type.MouseMove:
            return self._move(event)
        if kind == QEvent.Type.MouseButtonRelease:
            return self._release(event)
        return kind == QEvent.Type.Wheel and self._wheel(event)

    def _press(self, event: QMouseEvent) -> bool:
        self._pressed, self._dragging = None, False
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._dragging = True
            self._point(event)
        elif event.modifiers() == Qt.KeyboardModifier.NoModifier and self._clicks_are_free:
            self._pressed = event.pos()
        return self._dragging

    def _move(self, event: QMouseEvent) -> bool:
        if self._dragging:
            self._point(event)
        elif self._pressed is not None and (event.pos() - self._pressed).manhattanLength() > CLICK:
            self._pressed = None  # napari pans
        return self._dragging

    def _release(self, event: QMouseEvent) -> bool:
        if self._dragging:
            self._dragging = False
            return True
        if self._pressed is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = None
            self._point(event)
        return False

    def _wheel(self, event: QWheelEvent) -> bool:
        if not self._wheel_turns():
            return False
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._zoom(event)
            return True
        if event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        self._rest += event.angleDelta().y()
        notches = int(self._rest / NOTCH)
        self._rest -= notches * NOTCH
        if notches:
            self._turn(self._view, notches)
        return True

    def _zoom(self, event: QWheelEvent) -> None:
        """Zoom about the mouse, as napari's own wheel does."""
        pixel = (event.position().x(), event.position().y())
        before = self._view.to_world(pixel)
        camera = self._view.model.scene.camera
        camera.zoom *= ZOOM_STEP ** (event.angleDelta().y() / NOTCH)
        after = self._view.to_world(pixel)
        down, right = self._view.model.dims.order[-2:]
        camera.center = (
            0.0, camera.center[-2] + before[down] - after[down], camera.center[-1] + before[right] - after[right],
        )  # fmt: skip

    def _point(self, event: QMouseEvent) -> None:
        self._go_to(self._view.to_world((float(event.pos().x()), float(event.pos().y()))))

    @property
    def _clicks_are_free(self) -> bool:
        active = self._view.model.layers.selection.active
        return active is None or str(active.mode) == "pan_zoom"
