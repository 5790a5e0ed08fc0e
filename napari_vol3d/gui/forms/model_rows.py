"""The rows of the list of models as Qt wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt

State = Literal["checking", "sound", "changed", "broken"]
ROW = Qt.ItemDataRole.UserRole  # the row's `ModelRow`


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model as it is listed.

    Attributes
    ----------
    key : str
        Its folder: two versions of a model have the same name.
    colors : tuple of str
        Of its classes, as "#rrggbb".
    origin : str
        "bundled", "added" or "trained"; "" of a folder that can't be opened.
    why : str
        What is wrong with it; "" where nothing is.
    dice : float or None
        Mean over its classes, of scans that its training never saw.
    preferred : bool
        Whether it is the one that is preselected.
    """

    key: str
    title: str
    version: str = ""
    colors: tuple[str, ...] = ()
    origin: str = ""
    state: State = "checking"
    why: str = ""
    dice: float | None = None
    preferred: bool = False

    @property
    def facts(self) -> str:
        """What stands in the second line: "bundled, default, Dice 0.91"."""
        dice = "" if self.dice is None else f"Dice {self.dice:.2f}"
        wrong = self.state if self.state in ("changed", "broken") else ""
        return ", ".join(part for part in (wrong, self.origin, "default" if self.preferred else "", dice) if part)


class ModelRows(QAbstractListModel):
    """One column of models."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ModelRow, ...] = ()

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        """What is listed."""
        return self._rows

    def set_rows(self, rows: Sequence[ModelRow]) -> bool:
        """List these; give whether the list was built anew, because other models are in it."""
        before, self._rows = self._rows, tuple(rows)
        if [row.key for row in before] != [row.key for row in rows]:
            self.beginResetModel()
            self.endResetModel()
            return True
        if rows and before != self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
        return False

    def place(self, key: str) -> QModelIndex:
        """Give the row of a model; an invalid one where it is not listed."""
        return self.index(next((k for k, row in enumerate(self._rows) if row.key == key), -1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of models."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a row shows."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.why or f"{row.title} {row.version}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return " ".join(filter(None, (row.title, row.version, row.facts, row.why)))
        return None
