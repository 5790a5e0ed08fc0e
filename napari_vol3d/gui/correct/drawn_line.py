"""The line that scissors draw: on one canvas, from world points, so that it stays where it was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from vispy.scene.visuals import Line

from napari_vol3d.gui.bench.glass import IN_FRONT
from napari_vol3d.gui.bench.view import Pixel, View

DARK = (0.0, 0.0, 0.0, 0.65)


class DrawnLine:
    """A line through places of a canvas.

    Parameters
    ----------
    view : View
    color : str
        "#rrggbb"
    closed : bool
        Whether its ends are joined.
    """

    def __init__(self, view: View, *, color: str, closed: bool) -> None:
        self.view, self._closed = view, closed
        self._pixels: tuple[Pixel, ...] = ()
        self._under = Line(method="gl", width=4, color=DARK, parent=view.glass)
        self._line = Line(method="gl", width=2, antialias=True, color=color, parent=view.glass)
        for node, order in ((self._under, IN_FRONT - 3), (self._line, IN_FRONT - 2)):
            node.order, node.visible = order, False
            node.set_gl_state("translucent", depth_test=False)

    @property
    def pixels(self) -> tuple[Pixel, ...]:
        """Where it goes through."""
        return self._pixels

    def draw(self, pixels: Sequence[Pixel]) -> None:
        """Go through these places."""
        self._pixels = tuple(pixels)
        corners = [*pixels, pixels[0]] if self._closed and pixels else pixels
        for node in (self._under, self._line):
            node.visible = len(corners) > 1
            if node.visible:
                node.set_data(pos=np.array(corners, np.float32))

    def let_go(self) -> None:
        """Take it off the canvas."""
        for node in (self._under, self._line):
            node.parent = None
