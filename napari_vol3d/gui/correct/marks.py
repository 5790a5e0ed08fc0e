"""What the tool in hand was told, drawn in a view: dots with their numbers, and lines, on the slices that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.events import Event
from numpy.typing import NDArray
from qtpy.QtCore import QObject
from vispy.scene.visuals import Line, Markers

from napari_vol3d.gui.bench.glass import IN_FRONT, Writing
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.mark import Mark, Projection
from napari_vol3d.gui.correct.tools.marking import MarkingTool

DOT, JOINT, WIDTH = 9, 6, 3  # pixels
EDGE = "#000000"  # around what is drawn, so that it is seen on any scan
SIZE = 10  # points
BESIDE = (9.0, -9.0)  # pixels from a dot to its number


class Marks(QObject):
    """A piece of a view: draws the marks of the desk's tool, where it makes any."""

    def __init__(self, view: View, desk: Desk) -> None:
        super().__init__()
        self._view, self._desk = view, desk
        self._tool: MarkingTool | None = None
        self._under = Line(connect="segments", method="gl", width=WIDTH + 2, color=EDGE, parent=view.glass)
        self._line = Line(connect="segments", method="gl", width=WIDTH, parent=view.glass)
        self._joints, self._dots = Markers(parent=view.glass), Markers(parent=view.glass)
        self._nodes = self._under, self._joints, self._line, self._dots
        for order, node in enumerate(self._nodes, start=IN_FRONT - 8):
            node.order, node.visible = order, False
            node.set_gl_state("translucent", depth_test=False)
        self.writing = Writing(view, size=SIZE, color="white", anchor=("left", "center"))
        self.segments: NDArray[np.float64] = np.zeros((0, 2))  # pixels, both ends of each
        self.dots: NDArray[np.float64] = np.zeros((0, 2))
        for signal in (desk.toolChanged, desk.recordChanged):
            signal.connect(self._follow)
        for event in self._events():
            event.connect(self._on_event)
        self._follow()

    def refresh(self) -> None:
        """Draw what lies on the slice that is shown now."""
        record, marks = self._desk.record, () if self._tool is None else self._tool.marks
        lines, dots = _Places(), _Places()
        words: list[tuple[str, Pixel]] = []
        if record is not None and marks and self._view.plane is not Plane.VOLUME:
            words = _put(marks, Projection(self._view, record), lines, dots)
        self._draw(lines, dots)
        self.writing.write([text for text, _ in words], [place for _, place in words])

    def let_go(self) -> None:
        """Take everything off the canvas."""
        for signal in (self._desk.toolChanged, self._desk.recordChanged):
            signal.disconnect(self._follow)
        for event in self._events():
            event.disconnect(self._on_event)
        self._attach(None)
        self.writing.let_go()
        for node in self._nodes:
            node.parent = None

    def _on_event(self, event: Event) -> None:
        self.refresh()

    def _follow(self) -> None:
        tool = self._desk.tool
        self._attach(tool if isinstance(tool, MarkingTool) else None)
        self.refresh()

    def _attach(self, tool: MarkingTool | None) -> None:
        if tool is self._tool:
            return
        if self._tool is not None:
            self._tool.marksChanged.disconnect(self.refresh)
        if tool is not None:
            tool.marksChanged.connect(self.refresh)
        self._tool = tool

    def _draw(self, lines: _Places, dots: _Places) -> None:
        self.segments, self.dots = lines.all, dots.all
        self._under.visible = self._line.visible = bool(len(self.segments))
        if len(self.segments):
            self._under.set_data(pos=self.segments)
            self._line.set_data(pos=self.segments, color=lines.colors)
        for node, places, size in ((self._joints, lines, JOINT), (self._dots, dots, DOT)):
            node.visible = bool(len(places.all))
            if node.visible:
                node.set_data(
                    places.all, size=size, symbol="disc", edge_width=1, edge_color=EDGE, face_color=places.colors
                )

    def _events(self) -> tuple[Any, ...]:
        model = self._view.model
        camera, dims = model.scene.camera.events, model.dims.events
        return (
            camera.center, camera.zoom, camera.orientation, dims.order, dims.ndisplay, dims.point,
            self._view.qt_viewer.canvas.events.resize,
        )  # fmt: skip


class _Places:
    """Places on the canvas, each with its colour."""

    def __init__(self) -> None:
        self._places: list[NDArray[np.float64]] = [np.zeros((0, 2))]
        self._colors: list[NDArray[np.float64]] = [np.zeros((0, 4))]

    def add(self, places: NDArray[np.float64], color: str) -> None:
        rgb = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        self._places.append(places)
        self._colors.append(np.tile([*rgb, 1.0], (len(places), 1)))

    @property
    def all(self) -> NDArray[np.float64]:
        return np.concatenate(self._places)

    @property
    def colors(self) -> NDArray[np.float64]:
        return np.concatenate(self._colors)


def _put(
    marks: tuple[Mark, ...], projection: Projection, lines: _Places, dots: _Places
) -> list[tuple[str, Pixel]]:
    """Place what lies on the slice; give the words, and where they stand."""
    words: list[tuple[str, Pixel]] = []
    for mark in marks:
        steps, alone = mark.on_slice(projection.axis, projection.index)
        lines.add(projection.pixels(steps), mark.color)
        dots.add(projection.pixels(alone), mark.color)
        if mark.text and mark.voxels[0][projection.axis] == projection.index:
            x, y = projection.pixels([mark.voxels[0]])[0].tolist()
            words.append((mark.text, (x + BESIDE[0], y + BESIDE[1])))
    return words
