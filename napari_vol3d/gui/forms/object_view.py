"""The table of objects itself: 200,000 rows of one height, and what keys and the mouse do with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QGuiApplication, QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_vol3d.core.object_order import Key
from napari_vol3d.core.object_table import Ints
from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.gui.forms.object_model import NONE, ObjectModel

CHIP = 12  # pixels
WIDTHS = {Key.CLASS: 11, Key.NUMBER: 6, Key.VOLUME: 7, Key.MEAN: 6, Key.X: 7, Key.Y: 7, Key.Z: 7}  # digits
MOST_SPANS = 1000  # of what was chosen: in another order it may lie in as many pieces, and Qt takes each by itself
SELECT = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows


class ObjectView(QTableView):
    """Rows are chosen, one or several; what is chosen stays so when they are sorted or filtered.

    Signals: `stepped` when a person goes to a row, by a click or the arrow keys; `deletePressed`; `chosenChanged`.
    """

    stepped = Signal(int)
    deletePressed = Signal()
    chosenChanged = Signal()

    def __init__(self, model: ObjectModel) -> None:
        super().__init__()
        self._model = model
        self._kept: tuple[Any, Ints] = None, NONE
        self._set_up()
        self.setModel(model)
        self.setItemDelegate(ChipDelegate(self))
        # The heads ask whether all rows of a column are chosen, cell by cell: half a minute for 200,000.
        self.horizontalHeader().setSelectionModel(QItemSelectionModel(model, self))
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._take_up)
        self.selectionModel().selectionChanged.connect(self._on_chosen)
        self.clicked.connect(self._on_clicked)

    def chosen(self) -> Ints:
        """Give the rows of the table that are chosen, in the order in which they are listed."""
        # By spans: a list of all indices would take longer than all else.
        spans = [np.arange(span.top(), span.bottom() + 1) for span in self.selectionModel().selection()]
        return self._model.rows[np.sort(np.concatenate(spans))] if spans else NONE

    def choose(self, rows: Ints) -> None:
        """Choose rows of the table, those that are listed."""
        spans, last = QItemSelection(), len(Key) - 1
        places = self._model.positions(rows)
        cuts = np.flatnonzero(np.diff(places) != 1) + 1
        if len(cuts) < MOST_SPANS:
            for part in np.split(places, cuts):
                if len(part):
                    spans.select(self._model.index(int(part[0]), 0), self._model.index(int(part[-1]), last))
        self.selectionModel().select(spans, SELECT)
        if len(spans):
            first = self._model.index(int(places[0]), 0)
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let arrow keys go from object to object, Enter to the current one, and Delete delete what is chosen."""
        if event.key() == Qt.Key.Key_Delete:
            self.deletePressed.emit()
            return
        before = self.currentIndex().row()
        super().keyPressEvent(event)
        here = self.currentIndex()
        editing = self.state() == QAbstractItemView.State.EditingState
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not editing
        moved = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if here.isValid() and (entered or (moved and here.row() != before)):
            self.stepped.emit(here.row())

    def keyboardSearch(self, search: str) -> None:
        """Leave letters alone: they are the keys of tools, and Qt would ask each row whether it begins so."""

    def sizeHintForColumn(self, column: int) -> int:
        """Give the width of a column, whatever is in it."""
        return WIDTHS[Key(column)] * self.fontMetrics().horizontalAdvance("0") + 8

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setIconSize(QSize(CHIP, CHIP))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        columns.setMinimumSectionSize(24)
        columns.setHighlightSections(False)

    def show_order(self) -> None:
        """Have the columns as wide as they should be, and sorted by a click on their heads."""
        key, falling = self._model.order
        for column in Key:
            self.setColumnWidth(column, self.sizeHintForColumn(column))
        order = Qt.SortOrder.DescendingOrder if falling else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(int(key), order)
        self.setSortingEnabled(True)

    def _keep(self) -> None:
        self._kept = self._model.listed, self.chosen()

    def _take_up(self) -> None:
        listed, rows = self._kept
        if listed is self._model.listed and len(rows):  # the rows of another table are other objects
            self.choose(rows)
        self.chosenChanged.emit()

    def _on_chosen(self, *_: object) -> None:
        self.chosenChanged.emit()

    def _on_clicked(self, index: QModelIndex) -> None:
        if QGuiApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self.stepped.emit(index.row())
