"""How a row of the class list is painted: an eye and a lock, open or shut, and hidden classes paler."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QPointF, QRectF, Qt
from qtpy.QtGui import QPainter, QPainterPath, QPalette, QPen
from qtpy.QtWidgets import QApplication, QStyle, QStyleOptionViewItem

from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.gui.forms.class_model import CLASS, EYE, LOCK

WIDTH, HEIGHT, PUPIL = 14.0, 8.0, 2.2
PALE = 0.4
BODY, SHACKLE = QRectF(-4.5, -0.5, 9.0, 6.5), QRectF(-3.0, -6.0, 6.0, 9.0)  # of a lock, from its middle
OPENED = 4.0  # pixels to the side


class ClassDelegate(ChipDelegate):
    """Paints the cells of a class list in the colours of the window."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Write what is hidden in the pale text of disabled things."""
        super().initStyleOption(option, index)
        if not index.data(CLASS).shown:
            pale = option.palette.color(QPalette.ColorRole.Text)
            pale.setAlphaF(PALE)
            option.palette.setColor(QPalette.ColorRole.Text, pale)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint eye and lock; the rest is as Qt paints it."""
        if index.column() not in (EYE, LOCK):
            super().paint(painter, option, index)
            return
        self.initStyleOption(option, index)
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        pen, brush = painter.pen(), painter.brush()  # the next cell is painted with them
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(option.palette.color(QPalette.ColorRole.Text), 1.3))
        if index.column() == EYE:
            _draw(painter, QRectF(option.rect).center(), open_=index.data(CLASS).shown)
        else:
            _draw_lock(painter, QRectF(option.rect).center(), shut=index.data(CLASS).locked)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.setBrush(brush)


def _draw(painter: QPainter, centre: QPointF, *, open_: bool) -> None:
    """Draw an eye: two lids and a pupil, or where it is shut the lower lid."""
    left, right = centre - QPointF(WIDTH / 2, 0), centre + QPointF(WIDTH / 2, 0)
    lids = QPainterPath(left)
    lids.quadTo(centre + QPointF(0, HEIGHT), right)
    if open_:
        lids.quadTo(centre - QPointF(0, HEIGHT), left)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(lids)
    if open_:
        painter.setBrush(painter.pen().color())
        painter.drawEllipse(centre, PUPIL, PUPIL)


def _draw_lock(painter: QPainter, centre: QPointF, *, shut: bool) -> None:
    """Draw a padlock; an open one pale, with its shackle to the side."""
    painter.setOpacity(1.0 if shut else PALE)
    aside = QPointF(0.0 if shut else OPENED, 0.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(SHACKLE.translated(centre + aside), 0, 180 * 16)  # in sixteenths of a degree
    painter.setBrush(painter.pen().color() if shut else Qt.BrushStyle.NoBrush)
    painter.drawRect(BODY.translated(centre))
    painter.setOpacity(1.0)
