"""The ring at the mouse: how far a brush reaches, in the colour of its class, or red where it erases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vispy.scene.visuals import Line
from vispy.visuals.transforms import STTransform

from napari_vol3d.gui.bench.glass import IN_FRONT
from napari_vol3d.gui.bench.view import Pixel, View

ERASING = "#ff453a"
DARK = (0.0, 0.0, 0.0, 0.65)  # the edge, for bright scans
CORNERS = 96
DASH = 6  # corners of a dash, and of the gap behind it
LEAST = 3.0  # pixels: below it is no ring


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the ring is drawn.

    Attributes
    ----------
    color : str
        "#rrggbb"
    dashed : bool
        It erases.
    """

    color: str
    dashed: bool = False


class Ring:
    """A ring on the canvas of a view; hidden until it is shown."""

    def __init__(self, view: View) -> None:
        # Moved and scaled by its transform: no line is sent to the graphics card while the mouse moves.
        self._place = STTransform()
        self._look: Look | None = None
        self._under = Line(_ends(dashed=False), connect="segments", method="gl", width=4, color=DARK)
        self._line = Line(_ends(dashed=False), connect="segments", method="gl", width=2, antialias=True)
        for node, order in ((self._under, IN_FRONT - 5), (self._line, IN_FRONT - 4)):
            node.order, node.visible, node.transform, node.parent = order, False, self._place, view.glass
            node.set_gl_state("translucent", depth_test=False)

    @property
    def shown(self) -> bool:
        """Whether it is there."""
        return bool(self._line.visible)

    @property
    def look(self) -> Look | None:
        """How it was drawn last."""
        return self._look

    @property
    def pixel(self) -> Pixel:
        """Its middle."""
        x, y, *_ = self._place.translate.tolist()
        return x, y

    @property
    def radius(self) -> float:
        """In pixels."""
        return float(self._place.scale[0])

    def show(self, pixel: Pixel, radius: float, look: Look) -> None:
        """Draw it around a place of the canvas."""
        reach = max(radius, LEAST)
        self._place.translate, self._place.scale = (*pixel, 0, 0), (reach, reach, 1, 1)
        if look != self._look:
            self._look, ends = look, _ends(dashed=look.dashed)
            self._under.set_data(pos=ends)
            self._line.set_data(pos=ends, color=look.color)
        self._set_visible(True)

    def hide(self) -> None:
        """Take it away."""
        self._set_visible(False)

    def let_go(self) -> None:
        """Take it off the canvas for good."""
        for node in (self._under, self._line):
            node.parent = None

    def _set_visible(self, visible: bool) -> None:
        for node in (self._under, self._line):
            if node.visible != visible:
                node.visible = visible


def _ends(*, dashed: bool) -> NDArray[np.float32]:
    """Give the ends of the lines that a circle of radius 1 consists of, two rows each."""
    turn = np.linspace(0, 2 * np.pi, CORNERS + 1)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)
    lines = np.stack([circle[:-1], circle[1:]], axis=1)
    if dashed:
        lines = lines[np.arange(CORNERS) // DASH % 2 == 0]
    return np.ascontiguousarray(lines.reshape(-1, 2))
