"""The rows of a table of objects as Qt wants them: arrays, and no Python object for any row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor

from napari_vol3d.core.object_order import Key, Wanted, find_rows, places_of, sort_rows
from napari_vol3d.core.object_table import Ints, ObjectTable
from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.forms.class_model import ClassRow

CUBES = {"mm": "mm³", "um": "µm³", "nm": "nm³", "pixel": "voxels"}
LENGTHS = {"mm": "mm", "um": "µm", "nm": "nm", "pixel": "voxels"}
PATIENT = ("to the patient's right", "to the front", "to the head")  # where the axes of RAS+ run
PALE = "#808080"  # of what is hidden; seen on a dark and on a light ground
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """What a table is of.

    Attributes
    ----------
    table : ObjectTable
    geometry : Geometry
        Of the labels: where centres are, and in which unit.
    by_class : bool
        Whether a row is a class.
    image : str
        Name of the image whose intensities were averaged, "" where there was none.
    """

    table: ObjectTable
    geometry: Geometry = field(default_factory=lambda: Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"))
    by_class: bool = False
    image: str = ""


class ObjectModel(QAbstractTableModel):
    """Columns as in `Key`: class, number, volume, mean, centre. What a person types is told, not kept."""

    renamed = Signal(object, str)  # ids may be larger than Qt's int

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.listed: Listed | None = None
        self.names: Mapping[int, str] = {}
        self._look: Callable[[int], ClassRow] = _unknown
        self._places = np.zeros((0, 3))
        self._volume = self._mean = np.zeros(0)
        self._wanted = Wanted()
        self._order = Key.VOLUME, True
        self.rows: Ints = NONE  # of the table, as they are listed

    @property
    def table(self) -> ObjectTable | None:
        """What is listed."""
        return None if self.listed is None else self.listed.table

    @property
    def wanted(self) -> Wanted:
        """Which objects are listed."""
        return self._wanted

    @property
    def order(self) -> tuple[Key, bool]:
        """What the rows are sorted by, and whether from the largest."""
        return self._order

    def set_listed(self, listed: Listed | None) -> None:
        """List other objects."""
        self.beginResetModel()
        self.listed = listed
        if listed is not None:
            self._places = places_of(listed.table, listed.geometry)
            self._volume, self._mean = listed.table.volume, listed.table.mean
        self._arrange()
        self.endResetModel()

    def set_looks(self, look: Callable[[int], ClassRow], names: Mapping[int, str]) -> None:
        """Show other names and colours; `look` is asked for the classes that are in sight."""
        self._look, self.names = look, names
        if self._wanted.text:
            self._anew()
        elif len(self.rows):
            self.dataChanged.emit(self.index(0, Key.CLASS), self.index(len(self.rows) - 1, Key.CLASS))

    def set_wanted(self, wanted: Wanted) -> None:
        """List only some of the objects."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._anew()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows; the order before decides among equal ones."""
        if 0 <= column < len(Key):
            self._order = Key(column), order == Qt.SortOrder.DescendingOrder
            self._anew()

    def look(self, row: int) -> ClassRow:
        """Give the class of the object in a row, as it is shown."""
        return self._look(self._class_of(row))

    def look_of(self, class_id: int) -> ClassRow:
        """Give how a class is shown."""
        return self._look(class_id)

    def positions(self, rows: Ints) -> Ints:
        """Give where rows of the table are listed, from the top; those that are not are left out."""
        return np.flatnonzero(np.isin(self.rows, rows))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of objects that are listed."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(Key)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column != Key.CLASS:
            return RIGHT
        return self._class_data(row, role) if column == Key.CLASS else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Give the names of the columns, with their units."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Key):
            return None
        title, tip = _heads(self.listed)[section]
        return title if role == Qt.ItemDataRole.DisplayRole else tip if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Only names can be typed."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and index.column() == Key.CLASS else flags

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tell the name that a person has typed; it is listed when whoever listens has given it."""
        shown, name = self.look(index.row()), str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not name or name == shown.name:
            return False
        self.renamed.emit(shown.id, name)
        return True

    def _anew(self) -> None:
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        if self.listed is None:
            self.rows = NONE
            return
        table, (key, falling) = self.listed.table, self._order
        found = find_rows(table, self._wanted, names=self.names)
        self.rows = sort_rows(table, found, key, falling=falling, geometry=self.listed.geometry)

    def _class_of(self, row: int) -> int:
        return 0 if self.listed is None else int(self.listed.table.class_id[self.rows[row]])

    def _text(self, row: int, column: int) -> str:
        at, table = int(self.rows[row]), self.table
        if table is None:
            return ""
        if column == Key.CLASS:
            return self.look(row).name
        if column == Key.NUMBER:
            return f"{table.number[at]:,}"
        if column == Key.VOLUME:
            return figure(self._volume[at])
        return figure(self._mean[at]) if column == Key.MEAN else f"{self._places[at, column - Key.X]:.1f}"

    def _class_data(self, row: int, role: int) -> Any:
        shown = self.look(row)
        if role == Qt.ItemDataRole.EditRole:
            return shown.name
        if role == Qt.ItemDataRole.DecorationRole:
            return QColor(shown.color)
        if role == Qt.ItemDataRole.ForegroundRole and not shown.shown:
            return QColor(PALE)
        return self._hint(row, shown) if role == Qt.ItemDataRole.ToolTipRole else None

    def _hint(self, row: int, shown: ClassRow) -> str:
        at, table = int(self.rows[row]), self.table
        hidden = "" if shown.shown else ", hidden"
        voxels = 0 if table is None else table.voxels[at]
        return f"{shown.name}, id {shown.id}{hidden}: {voxels:,} voxels. Click to go there, double click to rename."


def figure(value: float) -> str:
    """Say a measurement: three digits at least, no power of ten where it can be helped; "" for what is not known."""
    if not np.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _heads(listed: Listed | None) -> list[tuple[str, str]]:
    unit = "pixel" if listed is None else listed.geometry.unit
    length, cube = LENGTHS.get(unit, unit), CUBES.get(unit, f"{unit}³")
    image = "" if listed is None else listed.image
    number = ("No.", "By size within the class: 1 is the largest")
    if listed is not None and listed.by_class:
        number = ("Objects", "How many objects the class has")
    mean = f"Mean intensity in {image}" if image else "Mean intensity; no scan lies on the grid of the labels"
    ways = PATIENT if listed is not None and listed.geometry.anatomical else ("along x", "along y", "along z")
    return [
        ("Class", "Name of the class"), number, (cube, f"Volume in {cube}"), ("Mean", mean),
        *((f"{axis}, {length}", f"Centre, in {length} {way}") for axis, way in zip("xyz", ways, strict=True)),
    ]  # fmt: skip


def _unknown(class_id: int) -> ClassRow:
    return ClassRow(id=class_id, name=f"class {class_id}", color="#808080")
