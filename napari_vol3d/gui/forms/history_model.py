"""The rows of a history as Qt wants them: 10 steps or 10,000, no widget for any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

if TYPE_CHECKING:
    from napari_vol3d.review.history import Step  # loads the database: not at the start of a window

TIME, NAME = range(2)
STATE = Qt.ItemDataRole.UserRole  # the row's `State`
START = "As it was found"


class State(IntEnum):
    """Whether a step is done, the last one done, or can be done again."""

    DONE = 0
    PRESENT = 1
    AHEAD = 2


class HistoryModel(QAbstractTableModel):
    """Columns: the time, the name. The first row is the labels as they were found.

    Attributes
    ----------
    at : int
        Row of the present step; as many steps are done.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._steps: tuple[Step, ...] = ()
        self.at = 0

    def set_steps(self, steps: Sequence[Step], at: int) -> None:
        """List these; rows that stay are not built anew, so that the list stays where it is scrolled to."""
        pairs = zip(self._steps, steps, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0].token == pair[1].token, pairs))
        self._cut(same)
        self._extend(steps, same)
        before, self.at = self.at, at
        if before != at:
            self.dataChanged.emit(self.index(min(before, at), TIME), self.index(max(before, at), NAME))

    def present(self) -> QModelIndex:
        """Give the cell with the name of the present step."""
        return self.index(self.at, NAME)

    def token(self, row: int) -> str | None:
        """Give the token of a row; None of the first."""
        return self._steps[row - 1].token if row else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of steps, and the start."""
        return 0 if parent is not None and parent.isValid() else 1 + len(self._steps)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else 2

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == STATE:
            return State.PRESENT if row == self.at else State.DONE if row < self.at else State.AHEAD
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(row) if column == NAME else self._time(row)
        return None

    def _cut(self, length: int) -> None:
        """Take away the rows of steps that were left as a branch."""
        if length < len(self._steps):
            self.beginRemoveRows(QModelIndex(), length + 1, len(self._steps))
            self._steps = self._steps[:length]
            self.at = min(self.at, length)
            self.endRemoveRows()

    def _extend(self, steps: Sequence[Step], same: int) -> None:
        if same < len(steps):
            self.beginInsertRows(QModelIndex(), same + 1, len(steps))
            self._steps = tuple(steps)
            self.endInsertRows()

    def _name(self, row: int) -> str:
        return self._steps[row - 1].name if row else START

    def _time(self, row: int) -> str:
        return f"{datetime.fromisoformat(self._steps[row - 1].time).astimezone():%H:%M}" if row else ""

    def _hint(self, row: int) -> str:
        if row == self.at:
            return f"{self._name(row)}: this is how the labels are now"
        return f"Click: the labels as they were after {self._name(row)!r}" if row else "Click: as they were found"
