"""Form: a histogram of grey levels with the window on it, to be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_vol3d.core.windows import Histogram, Window

Color = tuple[float, float, float, float]  # red, green, blue, alpha, 0 to 1
GREY: tuple[Color, ...] = ((0, 0, 0, 1), (1, 1, 1, 1))
SIZE = QSize(300, 90)
MARGIN = 6  # pixels at the sides, so that a handle at the end can be taken
STRIP = 10  # pixels; height of the colour ramp
REACH = 7  # pixels from a handle at which it is taken
STEP = 0.02  # of the width, that an arrow key moves or widens the window by
FEWEST = 0.001  # of what is shown: the least width that a drag leaves


class Part(Enum):
    """What of the window the mouse holds."""

    LOW = "low"
    HIGH = "high"
    BOTH = "both"


class HistogramForm(QWidget):
    """Shows how often grey levels occur, and edits which are black and which are white.

    A handle is dragged alone, what lies between them moves both, a double click asks for `auto`; the arrows move the
    window (left and right) and make it wider and narrower (up and down).

    Attributes
    ----------
    auto : Window or None
        What a double click sets.
    """

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.auto: Window | None = None
        self._window = Window(0.0, 1.0)
        self._histogram: Histogram | None = None
        self._ramp: Sequence[Color] = GREY
        self._shown = (0.0, 1.0)  # grey levels at the left and at the right end
        self._held: Part | None = None
        self._from = 0.0  # grey level at which the mouse was pressed
        self._begun = self._window
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Histogram of grey levels")
        self.setToolTip(
            "Drag an end to change black or white, or between them to move both; double click fits the scan.\n"
            "Arrow keys: left and right move, up and down make wider and narrower"
        )

    def value(self) -> tuple[float, float]:
        """Give the grey levels that are black and white."""
        return self._window.limits

    def setValue(self, limits: tuple[float, float]) -> None:
        """Show these grey levels as black and white."""
        window = Window(float(limits[0]), float(limits[1]))
        if window != self._window:
            self._window = window
            self._fit()
            self.update()
            self.valueChanged.emit()

    def show_histogram(self, histogram: Histogram | None) -> None:
        """Show how often grey levels occur; None where that is not known yet."""
        self._histogram = histogram
        self._fit()
        self.update()

    def show_ramp(self, colors: Sequence[Color]) -> None:
        """Show the colours from black to white, evenly spaced."""
        self._ramp = colors
        self.update()

    def sizeHint(self) -> QSize:
        """Give the size it likes; Qt asks."""
        return SIZE

    def minimumSizeHint(self) -> QSize:
        """Give the size it needs; Qt asks."""
        return QSize(120, SIZE.height())

    def place_of(self, level: float) -> float:
        """Give where a grey level is, in pixels from the left."""
        low, high = self._shown
        return MARGIN + (level - low) / (high - low) * (self.width() - 2 * MARGIN)

    def level_at(self, place: float) -> float:
        """Give the grey level at a place in pixels from the left."""
        low, high = self._shown
        return low + (place - MARGIN) / max(self.width() - 2 * MARGIN, 1) * (high - low)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of an end or of the whole window; Qt calls this."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = self._part_at(event.position().x())
            self._from, self._begun = self.level_at(event.position().x()), self._window

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is held; Qt calls this."""
        if self._held is None:
            self._point_at(self._part_at(event.position().x()))
        else:
            self._move(self.level_at(event.position().x()) - self._from)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of what is held; Qt calls this."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = None
            self._fit()
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit the window to the scan; Qt calls this."""
        if self.auto is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setValue(self.auto.limits)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move or widen the window by the arrows; Qt calls this."""
        window, step = self._window, STEP * self._window.width
        ways = {
            Qt.Key.Key_Left: (window.level - step, window.width), Qt.Key.Key_Right: (window.level + step, window.width),
            Qt.Key.Key_Up: (window.level, window.width + step), Qt.Key.Key_Down: (window.level, window.width - step),
        }  # fmt: skip
        if event.key() in ways:
            self.setValue(Window.around(*ways[event.key()]).limits)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme; Qt calls this."""
        self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QEvent) -> None:
        """Paint the histogram, the window and the ramp; Qt calls this."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(MARGIN, 2, -MARGIN, -STRIP - 4)
        colors = self.palette()
        self._paint_window(painter, area, colors)
        self._paint_counts(painter, area, colors)
        self._paint_handles(painter, area, colors)
        painter.end()

    def _paint_window(self, painter: QPainter, area: QRectF, colors: QPalette) -> None:
        painter.fillRect(area, _faint(colors.color(QPalette.ColorRole.WindowText), 0.07))
        low, high = (QPointF(self.place_of(level), 0) for level in self._window.limits)
        ramp = QLinearGradient(low, high)
        for share, color in zip(np.linspace(0, 1, len(self._ramp)), self._ramp, strict=True):
            ramp.setColorAt(float(share), QColor.fromRgbF(*(min(max(float(part), 0.0), 1.0) for part in color)))
        strip = QRectF(area.left(), area.bottom() + 2, area.width(), STRIP)
        painter.fillRect(strip, ramp)
        painter.setOpacity(0.45 if self.isEnabled() else 0.15)
        painter.fillRect(self._between(area), ramp)
        painter.setOpacity(1.0)

    def _paint_counts(self, painter: QPainter, area: QRectF, colors: QPalette) -> None:
        if self._histogram is None or not self._histogram.counts.any():
            return
        edges = np.linspace(self._histogram.low, self._histogram.high, len(self._histogram.counts) + 1)
        tops = area.bottom() - self._histogram.counts / self._histogram.counts.max() * (area.height() - 4)
        outline = [QPointF(self.place_of(edges[0]), area.bottom())]
        for left, right, top in zip(edges, edges[1:], tops, strict=False):
            outline += [QPointF(self.place_of(left), top), QPointF(self.place_of(right), top)]
        outline.append(QPointF(self.place_of(edges[-1]), area.bottom()))
        ink = colors.color(QPalette.ColorRole.WindowText)
        painter.setClipRect(area)
        painter.setPen(QPen(_faint(ink, 0.9), 1.0))
        painter.setBrush(_faint(ink, 0.35))
        painter.drawPolygon(QPolygonF(outline))
        painter.setClipping(False)

    def _paint_handles(self, painter: QPainter, area: QRectF, colors: QPalette) -> None:
        ink = colors.color(QPalette.ColorRole.Highlight if self.hasFocus() else QPalette.ColorRole.WindowText)
        between = self._between(area)
        painter.setPen(QPen(ink, 2.0))
        painter.setBrush(ink)
        for place in (between.left(), between.right()):
            painter.drawLine(QPointF(place, area.top()), QPointF(place, area.bottom() + STRIP + 2))
            painter.drawEllipse(QPointF(place, area.center().y()), 3.0, 3.0)

    def _between(self, area: QRectF) -> QRectF:
        """Give the part of the area between the handles, which stay on it."""
        low, high = (min(max(self.place_of(level), area.left()), area.right()) for level in self._window.limits)
        return QRectF(low, area.top(), high - low, area.height())

    def _part_at(self, place: float) -> Part:
        """Give what of the window would be taken at a place; beside it the nearer end."""
        low, high = self.place_of(self._window.low), self.place_of(self._window.high)
        # Where the ends are close, the middle third stays the window's.
        reach = min(REACH, (high - low) / 3)
        if low + reach < place < high - reach:
            return Part.BOTH
        return Part.LOW if abs(place - low) < abs(place - high) else Part.HIGH

    def _move(self, by: float) -> None:
        low, high = self._begun.limits
        least = FEWEST * (self._shown[1] - self._shown[0])
        if self._held is Part.LOW:
            low = min(low + by, high - least)
        elif self._held is Part.HIGH:
            high = max(high + by, low + least)
        else:
            low, high = low + by, high + by
        if low < high:
            self.setValue((low, high))

    def _point_at(self, part: Part) -> None:
        shape = Qt.CursorShape.OpenHandCursor if part is Part.BOTH else Qt.CursorShape.SizeHorCursor
        self.setCursor(shape)

    def _fit(self) -> None:
        """Show all of the histogram and all of the window; while something is held, the ground stays where it is."""
        if self._held is None:
            ends = [*self._window.limits]
            if self._histogram is not None:
                ends += [self._histogram.low, self._histogram.high]
            self._shown = (min(ends), max(ends))


def _faint(color: QColor, alpha: float) -> QColor:
    faint = QColor(color)
    faint.setAlphaF(alpha)
    return faint
