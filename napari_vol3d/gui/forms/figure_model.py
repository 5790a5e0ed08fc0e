"""Rows of figures of agreement as Qt wants them: one a class, or one a case and class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(IntEnum):
    """Columns of figures."""

    NAME = 0
    DICE = 1
    HD95 = 2
    VOLUME = 3
    F1 = 4


HEADS = {
    Column.NAME: ("", ""),
    Column.DICE: ("Dice", "1: the same voxels; 0: none in common"),
    Column.HD95: ("HD95", "95th percentile of the distances between the surfaces, in mm"),
    Column.VOLUME: ("vol.", "Volume of the first less that of the second, in percent of their mean"),
    Column.F1: ("F1", "Objects that both have among all: those that share more than half of their union"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """A row as it is listed; a figure that does not exist is None.

    Attributes
    ----------
    name : str
    color : str
        Of the class, as "#rrggbb"; "" for none.
    dice, hd95_mm, difference_percent, f1 : float or None
    tip : str
        As rich text.
    """

    name: str
    color: str = ""
    dice: float | None = None
    hd95_mm: float | None = None
    difference_percent: float | None = None
    f1: float | None = None
    tip: str = ""

    def text(self, column: Column) -> str:
        """Say what a column shows."""
        if column == Column.NAME:
            return self.name
        formats = {
            Column.DICE: (self.dice, ".2f"), Column.HD95: (self.hd95_mm, ".1f"), Column.F1: (self.f1, ".2f"),
            Column.VOLUME: (self.difference_percent, "+.0f"),
        }  # fmt: skip
        value, how = formats[column]
        unit = " %" if column == Column.VOLUME else ""
        return "–" if value is None else f"{value:{how}}{unit}".replace("-", "−")


class FigureModel(QAbstractTableModel):
    """Columns as in `Column`."""

    def __init__(self, heading: str, parent: Any = None) -> None:
        super().__init__(parent)
        self._heading = heading
        self.rows: tuple[FigureRow, ...] = ()

    def set_rows(self, rows: Sequence[FigureRow]) -> None:
        """List these."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role == Qt.ItemDataRole.TextAlignmentRole and column != Column.NAME:
            return RIGHT
        if role == Qt.ItemDataRole.DecorationRole and column == Column.NAME and row.color:
            return QColor(row.color)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Give the names of the columns."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        title, tip = HEADS[Column(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return title or self._heading
        return tip if role == Qt.ItemDataRole.ToolTipRole else None
