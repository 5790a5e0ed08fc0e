"""The accepted versions of a reading as Qt wants them, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from napari_vol3d.gui.forms.row_words import bold, rich, say_minutes
from napari_vol3d.review.when import say_when

if TYPE_CHECKING:
    from napari_vol3d.review.project.records import Version  # loads the database: not at the start of a window

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(IntEnum):
    """Columns of a list of versions."""

    NUMBER = 0
    TIME = 1
    WHO = 2
    MINUTES = 3
    MODEL = 4


HEADS = {
    Column.NUMBER: ("no.", "1 is the version that was accepted first"),
    Column.TIME: ("accepted", "When it was accepted"),
    Column.WHO: ("who", "Who accepted it"),
    Column.MINUTES: ("min", "Minutes of activity since the version that it came from"),
    Column.MODEL: ("model", "The model whose prediction it began with"),
}


class VersionModel(QAbstractTableModel):
    """Columns as in `Column`; the version that counts now is bold."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.versions: tuple[Version, ...] = ()
        self.accepted: str | None = None
        self._names: Mapping[int, str] = {}

    def set_versions(self, versions: Sequence[Version], accepted: str | None, names: Mapping[int, str]) -> None:
        """List these; `accepted` is the key of the one that counts now, `names` those of the classes."""
        self.beginResetModel()
        self.versions = tuple(sorted(versions, key=lambda version: version.number, reverse=True))
        self.accepted, self._names = accepted, names
        self.endResetModel()

    def row_of(self, key: str | None) -> int:
        """Give where a version is listed; -1 where it is not."""
        return next((row for row, version in enumerate(self.versions) if version.key == key), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of versions."""
        return 0 if parent is not None and parent.isValid() else len(self.versions)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(Column)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        version, column = self.versions[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(version, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (Column.NUMBER, Column.MINUTES):
            return RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(version)
        if role == Qt.ItemDataRole.FontRole and version.key == self.accepted:
            return bold()
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Give the names of the columns."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        title, tip = HEADS[Column(section)]
        return title if role == Qt.ItemDataRole.DisplayRole else tip if role == Qt.ItemDataRole.ToolTipRole else None

    def _hint(self, version: Version) -> str:
        changed = [
            f"{self._names.get(int(class_id), f'class {class_id}')}: +{added:,} −{taken:,} voxels"
            for class_id, (added, taken) in sorted(version.changed.items(), key=lambda item: int(item[0]))
            if added or taken
        ]
        now = ": this one is accepted now" if version.key == self.accepted else ""
        minutes = say_minutes(version.seconds)
        return rich((
            f"Version {version.number}{now}", f"{say_when(version.time)}, {version.who}",
            f"{minutes} min of activity" if minutes else "", f"model {version.model}" if version.model else "no model",
            *(changed or ["Nothing was changed by hand"]),
        ))  # fmt: skip


def _text(version: Version, column: Column) -> str:
    if column == Column.NUMBER:
        return f"{version.number}"
    if column == Column.TIME:
        return say_when(version.time)
    if column == Column.MINUTES:
        return say_minutes(version.seconds)
    return version.who if column == Column.WHO else version.model
