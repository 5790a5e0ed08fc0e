"""Small drawings for buttons, in the colour of the text: few fonts have such signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

SIZE = 32  # drawn at twice what is shown, for screens with small pixels
Rect: TypeAlias = tuple[float, float, float, float]  # x, y, width, height, of a drawing 16 wide and high

ONE: tuple[Rect, ...] = ((2, 3, 12, 10),)
FOUR: tuple[Rect, ...] = ((2, 2, 5, 5), (9, 2, 5, 5), (2, 9, 5, 5), (9, 9, 5, 5))
WINDOW: tuple[Rect, ...] = ((2, 5, 9, 9), (5, 2, 9, 9))


def icon(rects: Sequence[Rect], color: QColor) -> QIcon:
    """Draw outlines of rectangles."""
    return QIcon(_drawn(rects, color, filled=False))


def chip(color: QColor) -> QPixmap:
    """Draw a filled square, which stands for a plane or a class."""
    return _drawn(((3, 3, 10, 10),), color, filled=True)


def _drawn(rects: Sequence[Rect], color: QColor, *, filled: bool) -> QPixmap:
    pixmap = QPixmap(SIZE, SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.scale(SIZE / 16, SIZE / 16)
    pen = QPen(color)
    pen.setWidthF(1.4)
    painter.setPen(pen)
    if filled:
        painter.setBrush(color)
    for x, y, width, height in rects:
        painter.drawRect(QRectF(x, y, width, height))
    painter.end()
    pixmap.setDevicePixelRatio(2)
    return pixmap
