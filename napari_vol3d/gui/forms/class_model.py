"""The rows of a class list as Qt wants them: one model for 2 classes or 5,000, no widget for any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor

EYE, NAME, LOCK, ID = range(4)
CLASS = Qt.ItemDataRole.UserRole  # the row's `ClassRow`
SOUGHT = Qt.ItemDataRole.UserRole + 1  # what the search looks in


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """One class as it is listed: id, name, colour as "#rrggbb", whether it is shown, how opaque (0 to 1), locked."""

    id: int
    name: str
    color: str
    shown: bool = True
    opacity: float = 1.0
    locked: bool = False


class ClassModel(QAbstractTableModel):
    """Columns: an eye, the name beside its colour, a lock, the id. What a person types is told, not kept."""

    renamed = Signal(object, str)  # ids may be larger than Qt's int

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ClassRow, ...] = ()

    @property
    def rows(self) -> tuple[ClassRow, ...]:
        """What is listed."""
        return self._rows

    def set_rows(self, rows: Sequence[ClassRow]) -> bool:
        """List these; give whether the list was built anew, because other classes are in it."""
        before, self._rows = self._rows, tuple(rows)
        if [row.id for row in before] != [row.id for row in rows]:
            self.beginResetModel()
            self.endResetModel()
            return True
        changed = [k for k, (old, new) in enumerate(zip(before, rows, strict=True)) if old != new]
        if changed:
            self.dataChanged.emit(self.index(changed[0], EYE), self.index(changed[-1], ID))
        return False

    def place(self, class_id: int) -> QModelIndex:
        """Give the cell with the name of a class; an invalid one where it is not listed."""
        found = (k for k, row in enumerate(self._rows) if row.id == class_id)
        return self.index(next(found, -1), NAME)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of classes."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else 4

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        if role == CLASS:
            return row
        if role == SOUGHT:
            return f"{row.id} {row.name}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _hint(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == EYE:
            return "shown" if row.shown else "hidden"
        if role == Qt.ItemDataRole.AccessibleTextRole and column == LOCK:
            return "locked" if row.locked else "not locked"
        if column == NAME and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.name
        if column == NAME and role == Qt.ItemDataRole.DecorationRole:
            return QColor(row.color)
        return str(row.id) if column == ID and role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Only names can be typed."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and index.column() == NAME else flags

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tell the name that a person has typed; it is listed when whoever listens has given it."""
        row, name = self._rows[index.row()], str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not name or name == row.name:
            return False
        self.renamed.emit(row.id, name)
        return True


def _hint(row: ClassRow, column: int) -> str:
    if column == EYE:
        return f"{'Hide' if row.shown else 'Show'} {row.name}"
    if column == LOCK:
        return f"{'Unlock' if row.locked else 'Lock'} {row.name}: what is locked neither loses nor gains a voxel"
    more = "" if row.opacity == 1 else f", {row.opacity:.0%} opaque"
    return f"{row.name}, id {row.id}{more}. Click to paint with it, double click to rename it."
