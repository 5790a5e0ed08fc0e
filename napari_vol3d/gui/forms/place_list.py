"""Form: suspicious places of a scan, to be looked at one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.forms.row_table import RowTable
from napari_vol3d.gui.forms.row_words import rich

NUMBER, WORDS, SCORE = range(3)
WIDTHS: Mapping[int, str] = {NUMBER: "✓ 10", SCORE: "0.00"}
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CHIP = 12  # pixels
ROWS = 5  # that are seen without scrolling
UNKNOWN, SOUND = "No prediction of this scan yet", "Nothing suspicious: the prediction looks sound"

Place = Mapping[str, Any]


class PlaceModel(QAbstractTableModel):
    """Columns: the number with a tick where a person was, what it is in its class's colour, the score."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.places: tuple[Place, ...] = ()
        self.visited: set[int] = set()
        self._look: Callable[[int], ClassRow] | None = None

    def set_places(self, places: Sequence[Place], visited: Collection[int]) -> None:
        """List these."""
        self.beginResetModel()
        self.places, self.visited = tuple(places), {at for at in visited if 0 <= at < len(places)}
        self.endResetModel()

    def set_look(self, look: Callable[[int], ClassRow] | None) -> None:
        """Show the classes so."""
        self._look = look
        self._changed(0, len(self.places) - 1)

    def visit(self, at: int) -> None:
        """Tick a place."""
        self.visited.add(at)
        self._changed(at, at)

    def after(self, at: int) -> int:
        """Give the next place that was not visited, from there on and round; where all were, the next; -1 of none."""
        count = len(self.places)
        ahead = [(at + step) % count for step in range(1, count + 1)]
        return next((place for place in ahead if place not in self.visited), ahead[0] if ahead else -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of places."""
        return 0 if parent is not None and parent.isValid() else len(self.places)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Give the number of columns."""
        return 0 if parent is not None and parent.isValid() else 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        at, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(at, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(at)
        if role == Qt.ItemDataRole.TextAlignmentRole and column != WORDS:
            return RIGHT
        if role == Qt.ItemDataRole.DecorationRole and column == WORDS:
            shown = self._class(at)
            return None if shown is None else QColor(shown.color)
        return None

    def _changed(self, first: int, last: int) -> None:
        if 0 <= first <= last:
            self.dataChanged.emit(self.index(first, NUMBER), self.index(last, SCORE))

    def _text(self, at: int, column: int) -> str:
        if column == NUMBER:
            return f"{'✓ ' if at in self.visited else ''}{at + 1}"
        return str(self.places[at]["words"]) if column == WORDS else f"{self.places[at]['score']:.2f}"

    def _class(self, at: int) -> ClassRow | None:
        class_id = self.places[at].get("class_id")
        return self._look(int(class_id)) if self._look is not None and class_id else None

    def _hint(self, at: int) -> str:
        place, shown = self.places[at], self._class(at)
        centre = ", ".join(f"{axis} {round(k)}" for axis, k in zip("zyx", place.get("centre", ()), strict=False))
        return rich((
            f"{at + 1}. {place['words']}", "" if shown is None else shown.name,
            f"score {place['score']:.2f}: 1 is the most suspicious",
            f"{place['voxels']:,} voxels" if "voxels" in place else "", f"at {centre}" if centre else "",
            "You looked at it. Click to go there again." if at in self.visited else "Click to go there.",
        ))  # fmt: skip


class PlaceList(QWidget):
    """Lists places and ticks those that a person went to; it shows and asks.

    A place is a mapping as `review.project.records.Foreseen` has it: "words" and "score" at least, and "class_id",
    "voxels", "centre" where they are known.

    Signals
    -------
    goRequested : object
        The place, as it was given.
    visitedChanged
    """

    goRequested = Signal(object)
    visitedChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = PlaceModel(self)
        self.view = RowTable(self.model, WIDTHS, stretched=WORDS)
        self.view.setItemDelegate(ChipDelegate(self.view))
        self.view.setIconSize(QSize(CHIP, CHIP))
        self.view.setAccessibleName("Places to look at")
        self.view.horizontalHeader().hide()
        self.view.show_rows(ROWS)
        self.count = QLabel()
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.next = QPushButton("Next place")
        self._lay_out()
        self.view.stepped.connect(self._go)
        self.view.opened.connect(self._go)
        self.next.clicked.connect(self._go_on)
        self.setValue(None)

    def value(self) -> tuple[Place, ...]:
        """Give the places that are listed."""
        return self.model.places

    def setValue(self, places: Sequence[Place] | None, *, visited: Collection[int] = ()) -> None:
        """List these, the most suspicious first; None where there is no prediction. Nobody is told.

        Where they are those that are listed already, what was visited stays so.
        """
        self.view.set_empty(UNKNOWN if places is None else SOUND)
        if not places or tuple(places) != self.model.places or visited:
            self.model.set_places(places or (), visited)
            self.view.mark(-1)
        self._say()

    def set_look(self, look: Callable[[int], ClassRow] | None) -> None:
        """Show classes in their colours; `look` tells them by id."""
        self.model.set_look(look)

    def visited(self) -> tuple[int, ...]:
        """Give which places a person went to, from 0."""
        return tuple(sorted(self.model.visited))

    def current(self) -> Place | None:
        """Give the place that a person went to last."""
        at = self.view.currentIndex().row()
        return self.model.places[at] if at >= 0 else None

    def next_place(self) -> Place | None:
        """Go to the next place that was not visited, where all were to the next; None where there is none."""
        at = self.model.after(self.view.currentIndex().row())
        if at < 0:
            return None
        self.view.mark(at)
        self._go(at)
        return self.model.places[at]

    def _go(self, at: int) -> None:
        self.model.visit(at)
        self._say()
        self.goRequested.emit(self.model.places[at])
        self.visitedChanged.emit()

    def _go_on(self) -> None:
        self.next_place()

    def _say(self) -> None:
        seen, count = len(self.model.visited), len(self.model.places)
        self.count.setText(f"{seen} of {count} looked at" if count else "")
        self.next.setEnabled(count > 0)
        self.next.setToolTip("Shows the next place that you have not looked at" if count else self.view.empty)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.count, 1)
        row.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.view)
        column.addLayout(row)
