"""The rows of a worklist as Qt wants them: 200 scans or 20,000, no widget for any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from napari_vol3d.gui.forms.row_words import bold, rich, say_minutes
from napari_vol3d.gui.forms.worklist_order import Column, Wanted, find_rows, sort_rows, sought_in, status_for

if TYPE_CHECKING:
    from napari_vol3d.review.project.records import Row  # loads the database: not at the start of a window

STATUS = Qt.ItemDataRole.UserRole  # of the row, as the reader may see it
SCORE = Qt.ItemDataRole.UserRole + 1  # of the row, from 0 to 1, or None
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
NOTED = "✎"
HEADS = {
    Column.NAME: ("scan", "Name of the scan; a click sorts, another one the other way round"),
    Column.STATUS: ("status", "Where the work on the scan is"),
    Column.SCORE: ("score", "How much the prediction deserves a look: 0 looks sound, 1 deserves the first look"),
    Column.WHO: ("who", "Who worked on it last"),
    Column.MINUTES: ("min", "Minutes of activity; pauses are not counted"),
    Column.NOTE: (NOTED, "What somebody noted about the scan"),
}
HIDDEN_FROM_BLIND = frozenset({Column.SCORE, Column.WHO})


class WorklistModel(QAbstractTableModel):
    """Columns as in `Column`. What is listed changes only when that is asked for.

    A row that was updated stays where it is, even if it no longer fits what is wanted: rows that jump away under the
    pointer are worse than one too many. `stale` tells when listing anew would make a difference.
    """

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._at: dict[str, int] = {}  # of all rows, by the key of the reading
        self._sought: list[str] = []
        self._statuses: list[str] = []
        self._wanted = Wanted()
        self._blind = False
        self._listed: list[int] = []
        self._places: dict[int, int] = {}  # in the list

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in the order of the worklist."""
        return tuple(self._rows)

    @property
    def wanted(self) -> Wanted:
        """Which rows are listed."""
        return self._wanted

    @property
    def blind(self) -> bool:
        """Whether the reader sees neither scores nor what others did."""
        return self._blind

    def set_rows(self, rows: Sequence[Row]) -> None:
        """List these; their order is that of the worklist."""
        self._rows = list(rows)
        self._at = {row.reading.key: at for at, row in enumerate(self._rows)}
        self._sought = [sought_in(row) for row in self._rows]
        self._read_statuses()
        self.refresh()

    def update_row(self, row: Row) -> bool:
        """Show a row that has changed, where it is; give whether it is one of these."""
        at = self._at.get(row.reading.key)
        if at is None:  # of another worklist: an answer that came late
            return False
        self._rows[at], self._sought[at] = row, sought_in(row)
        self._statuses[at] = status_for(row, blind=self._blind)
        place = self._places.get(at)
        if place is not None:
            self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))
        return True

    def set_wanted(self, wanted: Wanted) -> None:
        """List only some of the rows, or in another order."""
        if wanted != self._wanted or self.stale():
            self._wanted = wanted
            self.refresh()

    def set_blind(self, blind: bool) -> None:
        """Show neither scores nor what others did; nothing can be found or sorted by them either."""
        self._blind = blind
        self._read_statuses()
        self.refresh()

    def refresh(self) -> None:
        """List anew."""
        self.beginResetModel()
        self._listed = self._arranged()
        self._places = {at: place for place, at in enumerate(self._listed)}
        self.endResetModel()

    def stale(self) -> bool:
        """Whether rows were updated so that other ones are wanted, or in another order."""
        return self._listed != self._arranged()

    def row_of(self, reading_key: str | None) -> int:
        """Give where a reading is listed; -1 where it is not."""
        at = self._at.get(reading_key or "")
        return -1 if at is None else self._places.get(at, -1)

    def row(self, place: int) -> Row:
        """Give the row at a place in the list."""
        return self._rows[self._listed[place]]

    def knows(self, reading_key: str | None) -> bool:
        """Whether a reading is in the worklist, listed or not."""
        return reading_key in self._at

    def keys(self) -> tuple[str, ...]:
        """Give the keys of the readings that are listed, from the top."""
        return tuple(self._rows[at].reading.key for at in self._listed)

    def counts(self) -> Counter[str]:
        """Count all rows by status."""
        return Counter(self._statuses)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of scans that are listed."""
        return 0 if parent is not None and parent.isValid() else len(self._listed)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid() or not 0 <= index.row() < len(self._listed):
            return None
        at, column = self._listed[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(at, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (Column.SCORE, Column.MINUTES):
            return RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(at)
        if role == STATUS:
            return self._statuses[at]
        return self._score(at) if role == SCORE else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Give the names of the columns."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        title, tip = HEADS[Column(section)]
        if role == Qt.ItemDataRole.FontRole and self._wanted.order == section:
            return bold()  # an arrow needs more room than there is
        return title if role == Qt.ItemDataRole.DisplayRole else tip if role == Qt.ItemDataRole.ToolTipRole else None

    def _arranged(self) -> list[int]:
        wanted = self._wanted
        if self._blind and wanted.order in HIDDEN_FROM_BLIND:
            wanted = Wanted(statuses=wanted.statuses, text=wanted.text)
        found = find_rows(self._sought, self._statuses, wanted)
        return sort_rows(self._rows, self._statuses, wanted, found=found)

    def _read_statuses(self) -> None:
        self._statuses = [status_for(row, blind=self._blind) for row in self._rows]

    def _score(self, at: int) -> float | None:
        return None if self._blind else self._rows[at].score

    def _text(self, at: int, column: Column) -> str:
        row = self._rows[at]
        if column == Column.NAME:
            return row.case.name
        if column == Column.STATUS:
            return self._statuses[at]
        if column == Column.SCORE:
            score = self._score(at)
            return "" if score is None else f"{score:.2f}"
        if column == Column.MINUTES:
            return say_minutes(row.reading.seconds)
        return row.reading.note if column == Column.NOTE else self._who(at)

    def _who(self, at: int) -> str:
        return "" if self._blind else self._rows[at].reading.annotator

    def _hint(self, at: int) -> str:
        """Say everything; as rich text, so that a long note is wrapped and a "<" in it stays one."""
        case, reading, score, who = self._rows[at].case, self._rows[at].reading, self._score(at), self._who(at)
        lines = [
            case.name if case.code in ("", case.name) else f"{case.name} ({case.code})",
            f"subject {case.subject}" if case.subject else "",
            f"session {case.session}" if case.session else "",
            self._statuses[at] + (f", {who}" if who else ""),
            "" if score is None else f"score {score:.2f}: 1 deserves the first look",
            f"{say_minutes(reading.seconds)} min" if reading.seconds > 0 else "",
            reading.note,
            "Double click or Enter opens it.",
        ]  # fmt: skip
        return rich(lines)
