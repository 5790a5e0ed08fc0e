"""Window and level with the right button, as radiology viewers have it."""

from __future__ import annotations

import math
from collections.abc import Callable

from napari.layers import Image
from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.windows import Window
from napari_vol3d.gui.bench.view import View

CLICK = 4  # pixels; a hand that clicks moves no further
WHOLE = 256  # pixels that move the level by one width, or make the width e times as large

PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
RIGHT = Qt.MouseButton.RightButton


class WindowDrag(QObject):
    """Turns a drag of the right button into grey levels: right is wider, up is brighter (the level sinks).

    These are the directions of Cornerstone, OHIF and 3D Slicer. A press is held back until it is clear what it becomes:
    a drag, of which the canvas, which would zoom, hears nothing; or a click, which is then handed on, because it
    begins to encircle labels and takes back a polygon's points. With other keys or without an image it is napari's.

    Parameters
    ----------
    view : View
        The canvas.
    target : callable
        Gives the viewer's own layer to change, None where there is none.
    """

    def __init__(self, view: View, target: Callable[[], Image | None]) -> None:
        super().__init__()
        self._native, self._target = view.native, target
        self._held: tuple[QMouseEvent, Image] | None = None  # the press, and whose grey levels it may change
        self._begun: Window | None = None  # the window at the press, once it is a drag
        self._handing_on = False
        self._native.installEventFilter(self)

    def let_go(self) -> None:
        """Leave the canvas its right button."""
        self._native.removeEventFilter(self)
        self._end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what belongs to a press of the right button; Qt calls this."""
        if self._handing_on:
            return False
        kind = event.type()
        if kind in PRESSES:
            return self._on_press(event)
        if self._held is None:
            return False
        if kind == QEvent.Type.MouseMove:
            return self._on_move(event, *self._held)
        return kind == QEvent.Type.MouseButtonRelease and self._on_release(event, self._held[0])

    def _on_press(self, event: QMouseEvent) -> bool:
        if self._held is not None and event.button() != RIGHT:  # one thing at a time
            return True
        if self._held is not None and self._begun is None:  # pressed twice, the release went elsewhere
            self._hand_on(self._held[0])
        self._end()
        return self._begin(event)

    def _begin(self, event: QMouseEvent) -> bool:
        alone = event.button() == RIGHT and event.buttons() == RIGHT
        layer = self._target() if alone and event.modifiers() == Qt.KeyboardModifier.NoModifier else None
        if layer is None:
            return False
        self._held = _copy(event), layer
        return True

    def _on_move(self, event: QMouseEvent, press: QMouseEvent, layer: Image) -> bool:
        if not event.buttons() & RIGHT:
            self._end()
            return False
        moved = event.position() - press.position()
        if self._begun is None and math.hypot(moved.x(), moved.y()) > CLICK:
            self._begun = Window(*(float(limit) for limit in layer.contrast_limits))
        if self._begun is not None:
            layer.contrast_limits = dragged(self._begun, moved, least=_least(layer)).limits
        return True

    def _on_release(self, event: QMouseEvent, press: QMouseEvent) -> bool:
        if event.button() != RIGHT:  # of a button that was swallowed, or that was down before
            return False
        clicked = self._begun is None
        self._end()
        if clicked:
            self._hand_on(press, _copy(event))
        return True

    def _hand_on(self, *events: QMouseEvent) -> None:
        self._handing_on = True
        for event in events:
            QApplication.sendEvent(self._native, event)
        self._handing_on = False

    def _end(self) -> None:
        self._held = self._begun = None


def dragged(window: Window, moved: QPointF, *, least: float = 0.0) -> Window:
    """Give what a drag makes of a window.

    Parameters
    ----------
    moved : QPointF
        Pixels from where the drag began; y rises downwards.
    least : float
        The width that is kept.
    """
    level = window.level + moved.y() / WHOLE * window.width
    return Window.around(level, window.width * math.exp(moved.x() / WHOLE), least=least)


def _least(layer: Image) -> float:
    return 1.0 if layer.dtype.kind in "iu" else 0.0


def _copy(event: QMouseEvent) -> QMouseEvent:
    """Copy an event: Qt's own does not outlive its delivery."""
    return QMouseEvent(
        event.type(), event.position(), event.globalPosition(), event.button(), event.buttons(), event.modifiers()
    )  # fmt: skip
