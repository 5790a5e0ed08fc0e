"""Text on a canvas, in pixels: readable on dark and on bright scans, in the window's own font."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari._vispy.visuals.text import Text
from vispy.scene import Node

from napari_vol3d.gui.bench.view import Pixel, View

IN_FRONT = 2_000_000  # of all layers, and of napari's own overlays
SHADOW = (1.0, 1.0)  # pixels to the right and down


class Writing:
    """Some words on the canvas of a view, each with a shadow."""

    def __init__(self, view: View, *, size: float, color: str, anchor: tuple[str, str] = ("center", "center")) -> None:
        font = view.qt_viewer.canvas._font_info  # vispy's own fonts would be fetched from the net
        self._nodes: list[Node] = []
        for shade, order in (("black", IN_FRONT), (color, IN_FRONT + 1)):
            node = Text(
                "", font_size=size, color=shade, anchor_x=anchor[0], anchor_y=anchor[1], font_info=font,
                parent=view.glass,
            )  # fmt: skip
            node.order, node.visible = order, False
            self._nodes.append(node)

    def write(self, words: Sequence[str], at: Sequence[Pixel]) -> None:
        """Show these words at these places, instead of those before."""
        for node, shift in zip(self._nodes, (SHADOW, (0.0, 0.0)), strict=True):
            node.visible = bool(words)
            if words:
                node.text, node.pos = list(words), np.add(at, shift)

    @property
    def words(self) -> tuple[str, ...]:
        """What is shown."""
        node = self._nodes[-1]
        return tuple(node.text) if node.visible else ()

    @property
    def places(self) -> tuple[Pixel, ...]:
        """Where each word is shown."""
        return tuple((float(x), float(y)) for x, y, *_ in self._nodes[-1].pos)

    def let_go(self) -> None:
        """Take the words off the canvas."""
        for node in self._nodes:
            node.parent = None
