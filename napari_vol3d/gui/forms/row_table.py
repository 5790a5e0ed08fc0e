"""A table with one row chosen at a time: rows of one height, no scroll bar across, letters left to the tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QEvent, QItemSelectionModel, QModelIndex, QRectF, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent, QTextOption
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
CHOOSE = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
MARGIN = 8  # pixels beside the text of a cell
PALE = 0.6


class RowTable(QTableView):
    """Tells what a person does: nothing is told of what a program does, nor when Qt moves the focus in.

    Signals: `stepped` to a row that was pressed, or that the arrow keys went to; `opened` by a double click or Enter.

    Parameters
    ----------
    model : QAbstractTableModel
    widths : mapping of int to str
        Of columns, by a text that has to fit in.
    stretched : int
        The column that gets the rest.
    """

    stepped = Signal(int)
    opened = Signal(int)

    def __init__(self, model: QAbstractTableModel, widths: Mapping[int, str], *, stretched: int) -> None:
        super().__init__()
        self._widths = widths
        self.empty = ""
        self.setModel(model)
        self._set_up()
        across = self.horizontalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        self.fit()
        self.pressed.connect(self._on_pressed)
        self.doubleClicked.connect(self._on_double_clicked)

    def set_empty(self, words: str) -> None:
        """Say this where there is no row."""
        self.empty = words
        self.viewport().update()

    def mark(self, row: int) -> None:
        """Choose a row and scroll to it, -1 for none; nobody is told."""
        index = self.model().index(row, 0) if row >= 0 else QModelIndex()
        self.executeDelayedItemsLayout()  # else a new list is scrolled as far as the old one could be
        self.setCurrentIndex(index)
        if not index.isValid():
            self.clearSelection()

    def fit(self) -> None:
        """Have rows and columns as large as the font wants them."""
        self.verticalHeader().setDefaultSectionSize(self.row_height())
        for column in self._widths:
            if not self.isColumnHidden(column):  # Qt would show it
                self.setColumnWidth(column, self.least_width(column))

    def least_width(self, column: int) -> int:
        """Give the width that a column takes, in pixels; 0 where it is hidden."""
        return 0 if self.isColumnHidden(column) else self.text_width(column)

    def text_width(self, column: int) -> int:
        """Give the width that the text of a column needs, in pixels."""
        return int(self.fontMetrics().horizontalAdvance(self._widths[column])) + MARGIN

    def row_height(self) -> int:
        """Give the height of a row in pixels."""
        return int(self.fontMetrics().height()) + 6

    def show_rows(self, count: int) -> None:
        """Take the height of so many rows, and of the heads."""
        heads = 0 if self.horizontalHeader().isHidden() else self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(count * self.row_height() + heads + 2 * self.frameWidth() + 2)

    def selectionCommand(self, index: QModelIndex, event: QEvent | None = None) -> Any:
        """Keep the chosen row chosen: Ctrl and a click, or a click beside the rows, would take it away."""
        return CHOOSE if index.isValid() else QItemSelectionModel.SelectionFlag.NoUpdate

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter open the row that the arrows went to."""
        before = self.currentIndex().row()
        if event.key() in ENTER and before >= 0:
            self.opened.emit(before)
            return
        super().keyPressEvent(event)
        here = self.currentIndex().row()
        if here >= 0 and here != before:
            self.stepped.emit(here)

    def keyboardSearch(self, search: str) -> None:
        """Leave letters alone: they are the keys of tools, and Qt would ask each row whether it begins so."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose nothing by itself: Qt would make the first row the current one."""
        none = not self.currentIndex().isValid()
        super().focusInEvent(event)
        if none:
            self.selectionModel().clearCurrentIndex()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag nothing: the row that was pressed is the one that was told."""

    def changeEvent(self, event: QEvent) -> None:
        """Fit to another font: napari's theme comes after the start."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit to another width."""
        super().resizeEvent(event)
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, or why there is none."""
        super().paintEvent(event)
        if self.empty and not self.model().rowCount():
            painter, pale = QPainter(self.viewport()), self.palette().color(QPalette.ColorRole.Text)
            pale.setAlphaF(PALE)
            painter.setPen(pale)
            room = QRectF(self.viewport().rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN))
            painter.drawText(room, self.empty, QTextOption(Qt.AlignmentFlag.AlignCenter))  # which wraps
            painter.end()

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.setCornerButtonEnabled(False)
        down, across = self.verticalHeader(), self.horizontalHeader()
        down.hide()
        down.setMinimumSectionSize(10)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setMinimumSectionSize(10)
        across.setHighlightSections(False)

    def _on_pressed(self, index: QModelIndex) -> None:
        self.stepped.emit(index.row())

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.opened.emit(index.row())
