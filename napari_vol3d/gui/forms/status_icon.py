"""How the status of a reading looks: a shape and a colour, each of which tells it without the other."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

# Okabe and Ito's colours, which colour-blind people can tell apart; in the order of `review.project.records.STATUSES`,
# which is not imported: it loads the database, and that is not for the start of a window.
COLORS = {
    "todo": "#808080", "predicted": "#56b4e9", "in review": "#e69f00", "accepted": "#009e73", "flagged": "#d55e00",
    "rejected": "#cc79a7",
}  # fmt: skip
DONE = frozenset({"accepted", "rejected"})
SIZE = 12  # pixels
SHARP = 3  # times as many for screens with small ones
ROUND = QRectF(1.5, 1.5, 9.0, 9.0)


def status_icons() -> dict[str, QIcon]:
    """Draw an icon for each status."""
    return {status: _icon(status) for status in COLORS}


def _icon(status: str) -> QIcon:
    picture = QPixmap(SIZE * SHARP, SIZE * SHARP)
    picture.setDevicePixelRatio(SHARP)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(COLORS[status]), 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _draw(painter, status)
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else Qt tints it in a row that is chosen
    return icon


def _draw(painter: QPainter, status: str) -> None:
    """Draw a ring, a ring with a dot, half a disc, a tick on a disc, a flag, or a cross."""
    color = painter.pen().color()
    if status in ("todo", "predicted", "in review"):
        painter.drawEllipse(ROUND)
    if status == "rejected":
        painter.setPen(QPen(color, 2.2))
        painter.drawLine(QPointF(2.5, 2.5), QPointF(9.5, 9.5))
        painter.drawLine(QPointF(2.5, 9.5), QPointF(9.5, 2.5))
    painter.setBrush(color)
    if status == "predicted":
        painter.drawEllipse(QPointF(6, 6), 1.4, 1.4)
    elif status == "in review":
        painter.drawPie(ROUND, 90 * 16, 180 * 16)  # in sixteenths of a degree
    elif status == "flagged":
        painter.drawPolygon(QPolygonF([QPointF(3, 2), QPointF(10, 4.2), QPointF(3, 6.4)]))
        painter.drawLine(QPointF(3, 2), QPointF(3, 11))
    elif status == "accepted":
        painter.drawEllipse(ROUND)
        painter.setPen(QPen(QColor("white"), 1.5))
        painter.drawPolyline(QPolygonF([QPointF(3.6, 6.2), QPointF(5.3, 8), QPointF(8.5, 4.4)]))
