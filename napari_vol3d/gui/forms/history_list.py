"""Form: what was done to the labels, to be undone, done again, and gone back to at any point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QKeyEvent, QPalette, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.gui.forms.history_model import NAME, STATE, TIME, HistoryModel, State

if TYPE_CHECKING:
    from napari_vol3d.review.history import Step  # loads the database: not at the start of a window

PALE = 0.45
ROWS = 6  # that are seen without scrolling
BUTTON_ROOM = 16  # pixels of a button that its text does not get


class HistoryList(QWidget):
    """Lists steps; it shows and asks, and undoes nothing itself.

    Signals
    -------
    jumpAsked : str or None
        The step after which the labels should be, None: as they were found.
    undoAsked, redoAsked
    """

    jumpAsked = Signal(object)
    undoAsked = Signal()
    redoAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = HistoryModel(self)
        self.view = _HistoryView(self.model)
        self.undo = _StepButton("Undo", "Ctrl+Z")
        self.redo = _StepButton("Redo", "Ctrl+Shift+Z")
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.undo)
        buttons.addWidget(self.redo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.view)
        layout.addLayout(buttons)
        self.view.jumped.connect(self._jump)
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)
        self.set_steps((), 0)

    def set_steps(self, steps: Sequence[Step], at: int) -> None:
        """List these, of which the first `at` are done.

        Where the present step was in sight it stays in sight; else the list stays where a person has scrolled it to.
        """
        follow = self.view.sees(self.model.present())
        self.model.set_steps(steps, at)
        if follow:
            self.view.bring(self.model.present())
        self.undo.set_step(steps[at - 1].name if at else None)
        self.redo.set_step(steps[at].name if at < len(steps) else None)

    def _jump(self, row: int) -> None:
        if row != self.model.at:
            self.jumpAsked.emit(self.model.token(row))

    def _undo(self) -> None:
        self.undoAsked.emit()

    def _redo(self) -> None:
        self.redoAsked.emit()


class _HistoryView(QTableView):
    """The list itself: a click or Enter jumps. A table, for a list or a tree lays all 10,000 rows out for a new one."""

    jumped = Signal(int)

    def __init__(self, model: HistoryModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the list
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.hide()
        across.setStretchLastSection(True)
        across.setMinimumSectionSize(10)
        across.resizeSection(TIME, self.fontMetrics().horizontalAdvance("00:00") + 14)
        down.hide()
        down.setMinimumSectionSize(10)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(self.fontMetrics().height() + 2)
        self.setFixedHeight(ROWS * down.defaultSectionSize() + 2 * self.frameWidth())
        self.clicked.connect(self._clicked)

    def sees(self, index: QModelIndex) -> bool:
        """Whether a row is in sight."""
        return self.viewport().rect().intersects(self.visualRect(index))

    def bring(self, index: QModelIndex) -> None:
        """Scroll to a row, also to one that was added just now."""
        self.executeDelayedItemsLayout()
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter jump to the row that the arrows went to."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.jumped.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def _clicked(self, index: QModelIndex) -> None:
        self.jumped.emit(index.row())


class _Delegate(QStyledItemDelegate):
    """Paints the present step bold, and those that can be done again pale."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Take font and colour from the state of the step."""
        super().initStyleOption(option, index)
        state = index.data(STATE)
        if state == State.PRESENT and index.column() == NAME:
            option.font.setBold(True)
        elif state == State.AHEAD:
            pale = option.palette.color(QPalette.ColorRole.Text)
            pale.setAlphaF(PALE)
            option.palette.setColor(QPalette.ColorRole.Text, pale)


class _StepButton(QPushButton):
    """A button that is named for what it does, as far as there is room."""

    def __init__(self, verb: str, key: str) -> None:
        super().__init__()
        self._verb, self._key, self._words = verb, key, verb
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_step(self, name: str | None) -> None:
        """Name the step; None where there is none."""
        self._words = self._verb if name is None else f"{self._verb}: {name}"
        self.setEnabled(name is not None)
        self.setToolTip(f"Nothing to {self._verb.lower()}" if name is None else f"{self._words} ({self._key})")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Name as much as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = max(self.width() - BUTTON_ROOM, 0)
        shown: Any = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))
