"""Form: one of the models, in a list that says of each what it is, where it is from, and whether it is sound."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QModelIndex, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPalette
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.gui.forms.model_rows import ROW, ModelRow, ModelRows
from napari_vol3d.gui.forms.status_icon import SIZE, status_icons

LEAST_ROWS, MOST_ROWS = 2, 6  # that are seen without scrolling
SIGNS = {"sound": "accepted", "changed": "flagged", "broken": "rejected"}  # as in the worklist: shape and colour
CHIP, GAP, MARGIN = 10, 3, 5  # pixels
MOST_CHIPS = 8
EDGE = "#808080"
PALE = 0.65


class ModelList(QWidget):
    """Lists models; `valueChanged` tells the key of the one that a person chose."""

    valueChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows, self.view = ModelRows(self), QListView()
        self._quiet = False
        self.view.setModel(self.rows)
        self.view.setItemDelegate(ModelDelegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAccessibleName("Models")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.setRows(())

    def value(self) -> str:
        """Give the key of the chosen model; "" where none is chosen."""
        index = self.view.currentIndex()
        return str(index.data(ROW).key) if index.isValid() else ""

    def setValue(self, key: str) -> None:
        """Choose a model, as a person does."""
        self.view.setCurrentIndex(self.rows.place(key))

    def setRows(self, rows: Sequence[ModelRow]) -> None:
        """List these; the chosen one stays chosen where it is still there."""
        key, self._quiet = self.value(), True
        if self.rows.set_rows(rows):
            self.view.setCurrentIndex(self.rows.place(key))
        self._quiet = False
        shown = min(max(len(rows), LEAST_ROWS), MOST_ROWS)
        self.view.setFixedHeight(shown * row_height(self.view) + 2 * self.view.frameWidth() + 2)

    def _choose(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.valueChanged.emit(current.data(ROW).key)


class ModelDelegate(QStyledItemDelegate):
    """Paints two lines: title and version, then the classes in their colours and what is known of the model."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self._icons = status_icons()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Give two lines their room; as wide as the list is."""
        return QSize(0, row_height(self._view))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint a row; the ground is the style's."""
        row: ModelRow = index.data(ROW)
        style = self._view.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, self._view)
        pen, font = painter.pen(), painter.font()
        room = option.rect.adjusted(MARGIN, 3, -MARGIN, -3)
        half = room.height() // 2
        self._paint_sign(painter, row, QRect(room.left(), room.top(), SIZE, half))
        inside = room.adjusted(SIZE + MARGIN, 0, 0, 0)
        painter.setPen(_ink(option))
        self._paint_title(painter, row, QRect(inside.left(), inside.top(), inside.width(), half))
        self._paint_facts(painter, row, QRect(inside.left(), inside.top() + half, inside.width(), half))
        painter.setPen(pen)
        painter.setFont(font)

    def _paint_sign(self, painter: QPainter, row: ModelRow, room: QRect) -> None:
        sign = SIGNS.get(row.state)
        if sign is not None:
            self._icons[sign].paint(painter, room)

    def _paint_title(self, painter: QPainter, row: ModelRow, room: QRect) -> None:
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(row.version)
        painter.drawText(room, _flags(Qt.AlignmentFlag.AlignRight), row.version)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        left = room.adjusted(0, 0, -width - 2 * MARGIN, 0)
        title = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, left.width())
        painter.drawText(left, _flags(Qt.AlignmentFlag.AlignLeft), title)
        font.setBold(False)
        painter.setFont(font)

    def _paint_facts(self, painter: QPainter, row: ModelRow, room: QRect) -> None:
        at = room.left()
        top = room.center().y() - CHIP // 2
        for color in row.colors[:MOST_CHIPS]:
            chip = QRect(QPoint(at, top), QSize(CHIP, CHIP))
            painter.fillRect(chip, QColor(EDGE))  # white on white is seen
            painter.fillRect(chip.adjusted(1, 1, -1, -1), QColor(color))
            at += CHIP + GAP
        painter.setOpacity(PALE)
        more = len(row.colors) - MOST_CHIPS
        if more > 0:
            beside = QRect(at, room.top(), room.width(), room.height())
            painter.drawText(beside, _flags(Qt.AlignmentFlag.AlignLeft), f"+{more}")
            at += painter.fontMetrics().horizontalAdvance(f"+{more}") + GAP
        left = QRect(at + MARGIN, room.top(), room.right() - at - MARGIN, room.height())
        facts = painter.fontMetrics().elidedText(row.facts, Qt.TextElideMode.ElideRight, left.width())
        painter.drawText(left, _flags(Qt.AlignmentFlag.AlignRight), facts)
        painter.setOpacity(1.0)


def row_height(view: QWidget) -> int:
    """Give the height of a row in pixels."""
    return 2 * int(view.fontMetrics().height()) + 10


def _ink(option: QStyleOptionViewItem) -> QColor:
    chosen = option.state & QStyle.StateFlag.State_Selected
    return option.palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)


def _flags(side: Qt.AlignmentFlag) -> int:
    return int(side | Qt.AlignmentFlag.AlignVCenter)
