"""What is drawn of measurements: lines with handles, and the value beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QFont, QFontMetricsF
from vispy.scene.visuals import Line, Markers

from napari_vol3d.gui.bench.glass import IN_FRONT, Writing
from napari_vol3d.gui.bench.measured import Tool
from napari_vol3d.gui.bench.view import Pixel, View

PLAIN, STANDS_OUT = "#ffd54f", "#ffffff"
SIZE = 9  # points
DRAWN = 96 / 72  # vispy draws text this much larger than Qt
HANDLE = 7  # pixels across
CORNERS = 64  # of the line that stands for an ellipse
BESIDE = (8.0, -12.0)  # pixels from a figure to its value
MARGIN = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measurement on the canvas."""

    kind: Tool
    pixels: tuple[Pixel, ...]
    text: str
    chosen: bool = False


class Marks:
    """The measurements on one canvas."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._under = Line(connect="segments", method="gl", width=4, color=(0, 0, 0, 0.6), parent=view.glass)
        self._line = Line(connect="segments", method="gl", width=2, antialias=True, parent=view.glass)
        self._handles = Markers(parent=view.glass)
        for node, order in ((self._under, IN_FRONT - 3), (self._line, IN_FRONT - 2), (self._handles, IN_FRONT - 1)):
            node.order, node.visible = order, False
            node.set_gl_state("translucent", depth_test=False)
        self.writing = Writing(view, size=SIZE, color=PLAIN, anchor=("left", "center"))
        self.figures: tuple[Figure, ...] = ()
        size = QFont(view.native.font())
        size.setPointSizeF(SIZE)
        self._font = QFontMetricsF(size)

    def draw(self, figures: Iterable[Figure]) -> None:
        """Show these, instead of those before."""
        before, self.figures = self.figures, tuple(figures)
        if before == self.figures:
            return
        for node in (self._under, self._line, self._handles):
            node.visible = bool(self.figures)
        texts = [self._fitting(one.text) for one in self.figures]
        self.writing.write(texts, [self._beside(*each) for each in zip(self.figures, texts, strict=True)])
        if not self.figures:
            return
        lines = [segments(one) for one in self.figures]
        colors = [_color(one, len(line)) for one, line in zip(self.figures, lines, strict=True)]
        self._under.set_data(pos=np.concatenate(lines))
        self._line.set_data(pos=np.concatenate(lines), color=np.concatenate(colors))
        handles = np.concatenate([np.array(one.pixels, np.float32) for one in self.figures])
        self._handles.set_data(
            handles, size=HANDLE, symbol="disc", edge_width=1, edge_color="black", face_color=PLAIN
        )

    def let_go(self) -> None:
        """Take everything off the canvas."""
        self.writing.let_go()
        for node in (self._under, self._line, self._handles):
            node.parent = None

    def _width(self, text: str) -> float:
        return max(self._font.horizontalAdvance(line) for line in text.split("\n")) * DRAWN

    def _fitting(self, text: str) -> str:
        """Break a text that a narrow view would cut off."""
        return text if self._width(text) + 2 * MARGIN <= self._view.native.width() else text.replace(", ", "\n")

    def _beside(self, figure: Figure, text: str) -> Pixel:
        """Place the value at the right end of a figure, or under an ellipse, but within the canvas."""
        x, y = max(figure.pixels)
        if figure.kind == "ellipse":
            left, lower = min(pixel[0] for pixel in figure.pixels), max(pixel[1] for pixel in figure.pixels)
            x, y = left - BESIDE[0], lower - 2 * BESIDE[1]
        size = self._view.native.size()
        most = size.width() - self._width(text) - MARGIN
        height = self._font.height() * (text.count("\n") + 1)
        return max(MARGIN, min(x + BESIDE[0], most)), min(max(y + BESIDE[1], height), size.height() - height)


def segments(figure: Figure) -> NDArray[np.float32]:
    """Give the ends of the lines of a figure, two rows each."""
    corners = np.array(figure.pixels, np.float32)
    if figure.kind == "ellipse":
        turn = np.linspace(0, 2 * np.pi, CORNERS + 1)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        corners = (corners.mean(axis=0) + circle * np.abs(corners[1] - corners[0]) / 2).astype(np.float32)
    return np.asarray(np.stack([corners[:-1], corners[1:]], axis=1).reshape(-1, 2))


def _color(figure: Figure, count: int) -> NDArray[np.float32]:
    text = STANDS_OUT if figure.chosen else PLAIN
    color = [int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return np.tile(np.array([*color, 1.0], np.float32), (count, 1))
