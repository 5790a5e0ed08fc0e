"""Measuring with the mouse in one view: drawing with the chosen tool, and moving what was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent

from napari_vol3d.gui.bench.board import Board
from napari_vol3d.gui.bench.measure_marks import Figure, Marks
from napari_vol3d.gui.bench.measured import POINTS, Measurement
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.readout_line import place_of
from napari_vol3d.gui.bench.view import Pixel, View, World

NEAR = 8.0  # pixels from the mouse to a handle
CLICK = 4.0  # pixels: what is smaller was no drag
PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class Measuring(QObject):
    """Gives the left button to the board's tool; while there is none, to handles of what was measured."""

    def __init__(self, view: View, board: Board) -> None:
        super().__init__()
        self._view, self._board = view, board
        self._marks = Marks(view)
        self._draft: tuple[World, ...] = ()  # the last one is at the mouse
        self._held: tuple[Measurement, int] | None = None
        self._pressed = False  # the left button is ours until it is released
        self._slice: Any = None  # on which the draft is
        board.toolChanged.connect(self._on_tool)
        board.changed.connect(self.refresh)
        for event in self._events():
            event.connect(self.refresh)
        view.native.installEventFilter(self)
        self.refresh()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What is drawn in this view."""
        return self._marks.figures

    def refresh(self, event: object = None) -> None:
        """Draw what is on the slice that is shown now."""
        if self._draft and self._slice != self._place_of_slice():
            self._draft, self._held = (), None
        self._marks.draw(self._figures() if self._flat else ())

    def let_go(self) -> None:
        """Leave the mouse to napari, and take what is drawn off the canvas."""
        self._view.native.removeEventFilter(self)
        self._board.toolChanged.disconnect(self._on_tool)
        self._board.changed.disconnect(self.refresh)
        for event in self._events():
            event.disconnect(self.refresh)
        self._marks.let_go()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what is ours; True where nobody else shall have it."""
        kind = event.type()
        if kind in KEYS and isinstance(event, QKeyEvent):
            return self._on_key(event)
        if not isinstance(event, QMouseEvent):
            return False
        left = event.button() == Qt.MouseButton.LeftButton
        if kind in PRESSES and left:
            return self._press(event)
        if kind == QEvent.Type.MouseMove:
            self._move(_pixel(event))
            return self._pressed
        return kind == QEvent.Type.MouseButtonRelease and left and self._release(_pixel(event))

    def _press(self, event: QMouseEvent) -> bool:
        # Shift points, whatever the tool.
        if not self._flat or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return False
        pixel = _pixel(event)
        self._pressed = self._draw_at(pixel) if self._board.tool is not None else self._grasp(pixel)
        return self._pressed

    def _draw_at(self, pixel: Pixel) -> bool:
        point, tool = self._view.to_world(pixel), self._board.tool
        if tool is None:
            return False
        if tool == "angle" and self._draft:
            self._draft = (*self._draft[:-1], point)
            if len(self._draft) == POINTS[tool]:
                self._finish()
                return True
            self._draft += (point,)
        else:
            self._draft, self._slice = (point, point), self._place_of_slice()
        self.refresh()
        return True

    def _move(self, pixel: Pixel) -> None:
        if self._held is not None:
            one, at = self._held
            points = [self._padded(point) for point in one.points]
            points[at] = self._view.to_world(pixel)
            self._held = self._board.move(one, tuple(points)), at
        elif self._draft:
            self._draft = (*self._draft[:-1], self._view.to_world(pixel))
            self.refresh()

    def _release(self, pixel: Pixel) -> bool:
        if self._pressed:
            self._move(pixel)
        ours, self._pressed, self._held = self._pressed, False, None
        if ours and self._draft and self._board.tool != "angle":
            first, last = (np.array(self._view.to_pixel(point)) for point in self._draft)
            if np.abs(first - last).max() < CLICK:
                self._cancel()
            else:
                self._finish()
        return ours

    def _finish(self) -> None:
        points, self._draft = self._draft, ()
        if self._board.tool is not None:
            self._board.add(self._board.tool, points, self._view.plane.value)

    def _cancel(self) -> None:
        self._draft = ()
        self.refresh()

    def _on_key(self, event: QKeyEvent) -> bool:
        """Escape drops what is half drawn, and then the tool."""
        if event.key() != Qt.Key.Key_Escape or (self._board.tool is None and not self._draft):
            return False
        event.accept()  # an override: the key comes as a key, and not as somebody's shortcut
        if event.type() == QEvent.Type.KeyPress:
            if self._draft:
                self._cancel()
            else:
                self._board.tool = None
        return True

    def _on_tool(self) -> None:
        self._cancel()
        if self._board.tool is not None:
            # The last filter is asked first: what else there is for the mouse waits for the tool.
            self._view.native.removeEventFilter(self)
            self._view.native.installEventFilter(self)

    def _grasp(self, pixel: Pixel) -> bool:
        """Take hold of the nearest handle, where a click is not meant for a brush."""
        active = self._view.model.layers.selection.active
        if active is not None and str(active.mode) != "pan_zoom":
            return False
        near = [
            (float(np.hypot(*np.subtract(self._view.to_pixel(self._padded(point)), pixel))), one, at)
            for one in self._board.measurements if self._shows(one) for at, point in enumerate(one.points)
        ]  # fmt: skip
        found = min(near, key=lambda each: each[0], default=None)
        self._held = None if found is None or found[0] > NEAR else found[1:]
        if self._held is not None:
            self._board.choose(self._held[0])
        return self._held is not None

    def _figures(self) -> list[Figure]:
        tool, axis = self._board.tool, self._view.plane.value
        shown = [one for one in self._board.measurements if self._shows(one)]
        figures = [self._figure(one, chosen=one is self._board.chosen) for one in shown]
        if tool is None or not self._draft:
            return figures
        if len(self._draft) == POINTS[tool]:
            return [*figures, self._figure(self._board.measure(tool, self._draft, axis))]
        pixels = tuple(self._view.to_pixel(point) for point in self._draft)
        return [*figures, Figure(kind=tool, pixels=pixels, text="")]

    def _figure(self, one: Measurement, *, chosen: bool = False) -> Figure:
        pixels = tuple(self._view.to_pixel(self._padded(point)) for point in one.points)
        return Figure(kind=one.kind, pixels=pixels, text=one.text, chosen=chosen)

    def _shows(self, one: Measurement) -> bool:
        """Whether a measurement lies on the slice that is shown, or within half a slice of it."""
        dims = self._view.model.dims
        if not self._flat or one.axis != self._view.plane.value:
            return False
        point = self._padded(one.points[0])
        return all(
            abs(point[axis] - dims.point[axis]) <= dims.range[axis].step / 2 * (1 + 1e-6) for axis in dims.order[:-2]
        )

    def _padded(self, point: World) -> World:
        """Give a point the view's number of axes: series may have come or gone since."""
        ndim = self._view.model.dims.ndim
        return (*self._view.model.dims.point[: max(ndim - len(point), 0)], *point[-ndim:])

    @property
    def _flat(self) -> bool:
        dims = self._view.model.dims
        in_space = dims.ndim >= 3 and min(dims.order[-2:]) >= dims.ndim - 3
        return in_space and len(self._view.model.layers) > 0 and self._view.plane is not Plane.VOLUME

    def _place_of_slice(self) -> tuple[Any, ...]:
        dims = self._view.model.dims
        return dims.order, dims.ndisplay, tuple(dims.point[axis] for axis in dims.order[:-2])

    def _events(self) -> tuple[Any, ...]:
        model = self._view.model
        camera, dims, layers = model.scene.camera.events, model.dims.events, model.layers.events
        return (
            camera.center, camera.zoom, camera.orientation, dims.order, dims.ndisplay, dims.point, layers.inserted,
            layers.removed, self._view.qt_viewer.canvas.events.resize,
        )  # fmt: skip


def _pixel(event: QMouseEvent) -> Pixel:
    place = place_of(event)
    return place.x(), place.y()
