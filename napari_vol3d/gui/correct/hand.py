"""The tool in hand: what the left button, a pen and some keys do in one view while a tool is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QMouseEvent, QTabletEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.hold_to_hide import TYPED_IN
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.readout_line import place_of
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.cursor import look_of, pixels_per_unit, place_at
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.pen import PEN, is_eraser, pressure_of
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import Ring
from napari_vol3d.gui.correct.tool import MouseTool, Place, Tool
from napari_vol3d.gui.correct.tools.painting import PaintingTool
from napari_vol3d.gui.correct.tools.pick import PickClass

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
LOST = (QEvent.Type.Hide, QEvent.Type.WindowDeactivate)
NO_LABELS = "There are no labels to correct: choose a Labels layer, or make one."
# With Shift the mouse points, with Alt it is napari's.
OTHERS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class Hand(QObject):
    """Gives the left button to the desk's tool, where that is one for the mouse; the rest stays with others.

    Attributes
    ----------
    ring : Ring
        At the mouse.
    """

    def __init__(self, view: View, desk: Desk) -> None:
        super().__init__()
        self._view, self._desk = view, desk
        self.ring = Ring(view)
        self._tool: Tool | None = None
        self._held: MouseTool | None = None  # whose stroke is drawn
        self._pressed = False  # the left button is ours until it is released
        self._pen = False  # it is a pen's: moves of the mouse that come beside it are made of its own
        self._turned = False  # the pen's eraser is down
        self._ctrl = False
        self._space = False  # napari pans
        self._refused = False  # 3D was explained
        self._mouse: Pixel | None = None
        self._waiting: list[Place] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._pass_on)
        desk.toolChanged.connect(self._on_tool)
        desk.recordChanged.connect(self._on_record)
        for event in self._events():
            event.connect(self._refresh)
        view.native.installEventFilter(self)
        self._follow(desk.tool)

    def let_go(self) -> None:
        """Leave the mouse to others."""
        self._lose()
        self._view.native.removeEventFilter(self)
        self._desk.toolChanged.disconnect(self._on_tool)
        self._desk.recordChanged.disconnect(self._on_record)
        for event in self._events():
            event.disconnect(self._refresh)
        self._follow(None)
        self._timer.stop()
        self.ring.let_go()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what is the tool's; True where nobody else shall have it."""
        kind = event.type()
        if kind in PEN and isinstance(event, QTabletEvent):
            return self._on_pen(event)
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        if kind in KEYS and isinstance(event, QKeyEvent):
            return self._on_key(event)
        if kind == QEvent.Type.Enter:
            self._enter()
        elif kind == QEvent.Type.Leave:
            self._leave()
        elif kind == QEvent.Type.FocusOut:
            self._space = False
        elif kind in LOST:
            self._lose()
        return False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        if self._pen:
            return True
        kind, left, place = event.type(), event.button() == LEFT, place_of(event)
        pixel = place.x(), place.y()
        if kind in PRESSES:
            return self._press(pixel, event.modifiers()) if left else self._pressed
        if kind == QEvent.Type.MouseMove:
            if self._pressed and not event.buttons() & LEFT:
                self._lose()  # the release went elsewhere
            self._ctrl = bool(event.modifiers() & CTRL)
            return self._move(pixel)
        ours = self._pressed
        if kind == QEvent.Type.MouseButtonRelease and left and ours:
            self._release(pixel)
        return ours

    def _on_pen(self, event: QTabletEvent) -> bool:
        """Take a pen at the canvas; Qt makes events of the mouse of those that are not taken, as of a hovering pen."""
        kind, at, self._turned = event.type(), event.position(), is_eraser(event)
        pixel, pressure = (at.x(), at.y()), pressure_of(event)
        if kind == QEvent.Type.TabletPress:
            if self._pressed:
                return self._pen
            self._pen = event.button() == LEFT and self._press(pixel, event.modifiers(), pressure)
            ours = self._pen
        elif not self._pen:
            return False
        elif kind == QEvent.Type.TabletMove:
            ours = self._move(pixel, pressure)
        else:
            ours = True
            if event.button() == LEFT:
                self._release(pixel, pressure)
                self._pen = False
        if ours:
            event.accept()
        return ours

    def _press(self, pixel: Pixel, keys: Any, pressure: float = 1.0) -> bool:
        tool = self._desk.tool
        if not isinstance(tool, MouseTool) or self._space or keys & OTHERS:
            return False
        if self._view.plane is Plane.VOLUME:
            if not self._refused:
                self._refused = True
                self._desk.say("Tools work on slices: use a 2D view. In 3D the mouse turns the view.")
            return False
        self._mouse, self._ctrl, self._pressed = pixel, bool(keys & CTRL), True
        self._desk.view = self._view
        record = self._ready()
        if record is not None:
            self._held = tool
            place = self._place(pixel, record, pressure)
            self._try(lambda: tool.press(place))
        self._refresh()
        return True

    def _move(self, pixel: Pixel, pressure: float = 1.0) -> bool:
        self._mouse = pixel
        self._desk.view = self._view
        record = self._desk.record
        if self._held is not None and record is not None:
            self._waiting.append(self._place(pixel, record, pressure))
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._refresh()  # of a stroke the ring goes with the voxels: drawn before, it would cost a second drawing
        return self._pressed

    def _release(self, pixel: Pixel, pressure: float = 1.0) -> None:
        record = self._desk.record
        last = self._waiting[-1].pixel if self._waiting else None
        if self._held is not None and record is not None and pixel not in (last, self._mouse):
            self._waiting.append(self._place(pixel, record, pressure))
        self._pass_on()
        tool, self._held, self._pressed = self._held, None, False
        if tool is not None:
            self._try(tool.release)
        self._refresh()

    def _pass_on(self) -> None:
        """Give the tool all places since the last time: when it takes long, they are many."""
        self._timer.stop()
        places, tool = self._waiting, self._held
        self._waiting = []
        if tool is not None and places:
            self._try(lambda: tool.drag(places))
            self._refresh()

    def _lose(self) -> None:
        """End a stroke, and leave nothing of it; a button that is still down stays ours."""
        tool, self._held = self._held, None
        self._waiting.clear()
        self._timer.stop()
        if tool is not None:
            tool.cancel()

    def _try(self, step: Callable[[], None]) -> None:
        """Let the tool do something; what does not go ends the stroke, and is said."""
        try:
            step()
        except Vol3dError as problem:
            self._lose()
            self._desk.say(str(problem))

    def _ready(self) -> Record | None:
        """Give what can be corrected, or say why nothing can."""
        record = self._desk.record
        if record is None:
            self._desk.say(self._desk.why_none or NO_LABELS)
        elif not record.layer.visible:
            self._desk.say(f"{record.layer.name} is hidden: show it to correct it.")
            return None
        return record

    def _place(self, pixel: Pixel, record: Record, pressure: float = 1.0) -> Place:
        return place_at(self._view, record, pixel, erasing=self._erasing, pressure=pressure)

    @property
    def _erasing(self) -> bool:
        return self._ctrl or self._turned

    def _on_key(self, event: QKeyEvent) -> bool:
        kind, key = event.type(), event.key()
        if key == Qt.Key.Key_Escape and kind != QEvent.Type.KeyRelease and isinstance(self._tool, MouseTool):
            event.accept()  # an override: the key comes as a key, and not as somebody's shortcut
            if kind == QEvent.Type.KeyPress:
                if self._held is None:  # there is no stroke to give up: the tool is put down
                    self._desk.choose(None)
                self._lose()
                self._refresh()
            return True
        if kind != QEvent.Type.ShortcutOverride and not event.isAutoRepeat():
            if key in ENTER and kind == QEvent.Type.KeyPress and self._held is None:
                self._desk.applyAsked.emit()
            elif key == Qt.Key.Key_Space:
                self._space = kind == QEvent.Type.KeyPress
            elif key == Qt.Key.Key_Control:
                self._ctrl = kind == QEvent.Type.KeyPress
            self._refresh()
        return False

    def _enter(self) -> None:
        self._desk.view = self._view
        tool, focused = self._desk.tool, QApplication.focusWidget()
        # Keys are the tool's where the mouse is; who types elsewhere than into the tool's own form is left alone.
        if isinstance(tool, MouseTool) and (not isinstance(focused, TYPED_IN) or tool.isAncestorOf(focused)):
            self._view.native.setFocus(Qt.FocusReason.MouseFocusReason)

    def _leave(self) -> None:
        self._mouse, self._turned = None, False
        self._refresh()

    def _on_tool(self) -> None:
        before = self._tool
        self._lose()
        self._follow(self._desk.tool)
        self._refused = False
        if isinstance(self._tool, PickClass):
            self._tool.before = before
        if self._tool is not None:
            # The last filter is asked first: what else there is for the mouse waits for the tool.
            self._view.native.removeEventFilter(self)
            self._view.native.installEventFilter(self)
        self._refresh()

    def _on_record(self) -> None:
        self._lose()
        self._refresh()

    def _follow(self, tool: Tool | None) -> None:
        """Hear the options of a tool, and no longer those of the one before."""
        if self._tool is not None and isalive(self._tool):
            self._tool.optionsChanged.disconnect(self._refresh)
        if tool is not None:
            tool.optionsChanged.connect(self._refresh)
        self._tool = tool

    def _refresh(self, event: object = None) -> None:
        """Draw the ring where the mouse is now, and tell the tool."""
        tool, record, pixel = self._desk.tool, self._desk.record, self._mouse
        flat = self._view.plane is not Plane.VOLUME
        if not isinstance(tool, MouseTool) or record is None or pixel is None or not flat or self._space:
            self.ring.hide()
            return
        radius = tool.radius()
        if radius is None:
            self.ring.hide()
        else:
            look = look_of(tool, record, erasing=self._erasing)
            self.ring.show(pixel, radius * pixels_per_unit(self._view, record), look)
        if isinstance(tool, PaintingTool) and self._held is None:
            tool.hover(self._place(pixel, record))

    def _events(self) -> tuple[Any, ...]:
        model = self._view.model
        camera, dims = model.scene.camera.events, model.dims.events
        return camera.zoom, dims.order, dims.ndisplay, dims.point
