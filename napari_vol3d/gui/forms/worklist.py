"""Form: the scans of a project, to filter, search, sort, and go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.search_box import SearchBox
from napari_vol3d.gui.forms.status_icon import COLORS, status_icons
from napari_vol3d.gui.forms.worklist_model import HIDDEN_FROM_BLIND, WorklistModel
from napari_vol3d.gui.forms.worklist_order import ALL, LEFT_TO_DO, Column, Wanted, say_progress
from napari_vol3d.gui.forms.worklist_view import WorklistView

if TYPE_CHECKING:
    from napari_vol3d.review.project.records import Row  # loads the database: not at the start of a window

CHOICES: Mapping[str, frozenset[str]] = {
    "all": ALL, "left to do": LEFT_TO_DO, **{status: frozenset({status}) for status in COLORS},
}  # fmt: skip
# What the rows are sorted by: as it is said, whether that is from the largest, and as the other way round is said.
ORDERS: Mapping[Column | None, tuple[str, bool, str]] = {
    None: ("worklist order", False, "worklist order"),
    Column.SCORE: ("look first", True, "look last"),
    Column.NAME: ("name", False, "name, from Z"),
    Column.STATUS: ("status", False, "status, done first"),
    Column.WHO: ("who", False, "who, from Z"),
    Column.MINUTES: ("most minutes", True, "fewest minutes"),
    Column.NOTE: ("note", False, "note, from Z"),
}
SOON_MS = 150  # after the last letter
LEAST_ROWS = 6  # that are seen without scrolling
LEAST_BUTTON, LEAST_CHOICE = 40, 60  # pixels
NO_SCANS, NONE_FIT = "No scans yet", "No scan fits: clear the search or choose “all”"


class Worklist(QWidget):
    """Lists the readings of a project; it shows and asks, and changes nothing itself.

    A row that was updated stays where it is until the list is made anew: by another filter or order, by the button
    that then shows itself, or by `refresh`.

    Signals carry the key of a reading: `chosen` when a person went to a row, `opened` by a double click or Enter.
    `wantedChanged`: a person filters or sorts in another way.
    """

    chosen = Signal(str)
    opened = Signal(str)
    wantedChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key: str | None = None
        self._order: tuple[Column | None, bool] = None, False
        self.model = WorklistModel(self)
        self.view = WorklistView(self.model)
        self.choice, self.order = _choice(), _choice()
        self.search = SearchBox()
        self.anew = QPushButton("List anew")
        self.progress = QLabel()
        self._soon, self._stale = _timer(self), _timer(self)
        self._set_up()
        self._lay_out()
        self._connect()
        self.setValue(())

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def value(self) -> tuple[Row, ...]:
        """Give all rows, in the order of the worklist."""
        return self.model.rows

    def setValue(self, rows: Sequence[Row]) -> None:
        """List these, whose order is that of the worklist; what is chosen stays so where it is among them."""
        scrolled = self.view.verticalScrollBar().value()
        self.model.set_rows(rows)
        if not self.model.knows(self._key):
            self._key, scrolled = None, 0
        self._take_up()
        self.view.verticalScrollBar().setValue(scrolled)
        self._count()

    def update_row(self, row: Row) -> None:
        """Show a row that has changed, where it is; one of another worklist, which came late, is left out."""
        if self.model.update_row(row):
            self._count()
            self._stale.start()

    def current(self) -> str | None:
        """Give the key of the reading that is chosen, also where it is not listed; None where none is."""
        return self._key

    def select(self, key: str | None) -> None:
        """Choose a reading and scroll to it; nobody is told."""
        self._key = key if self.model.knows(key) else None
        self.view.mark(self.model.row_of(self._key))

    def shown(self) -> tuple[str, ...]:
        """Give the keys of the readings that are listed, from the top."""
        return self.model.keys()

    def refresh(self) -> None:
        """List anew: without what no longer fits, and in order again."""
        self.model.refresh()
        self._take_up()

    def set_blind(self, blind: bool) -> None:
        """Hide scores, and what others did."""
        self.model.set_blind(blind)
        self.view.setColumnHidden(Column.SCORE, blind)
        if blind and self._order[0] in HIDDEN_FROM_BLIND:
            self._order = None, False
        self._offer_orders()
        self._list()
        self._count()

    def wanted(self) -> tuple[str, Column | None, bool]:
        """Give the name of the filter, the column that is sorted by, and whether from the largest; to be remembered."""
        return str(self.choice.currentData()), *self._order

    def set_wanted(self, choice: str, order: Column | None = None, *, falling: bool | None = None) -> None:
        """Filter and sort so; nobody is told. What is not offered is left as it is.

        Parameters
        ----------
        choice : str
            A key of `CHOICES`.
        order : Column or None
        falling : bool, optional
            By default as the order is meant: the highest score first.
        """
        at = self.choice.findData(choice)
        if at >= 0:
            self.choice.setCurrentIndex(at)
        if order in self._orders():
            self._order = order, ORDERS[order][1] if falling is None else falling
        self._list()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        icons = status_icons()
        for name in CHOICES:
            self.choice.addItem(name, name)
            if name in icons:
                self.choice.setItemIcon(self.choice.count() - 1, icons[name])
        self.choice.setToolTip("List only the scans whose work is there")
        self.order.setToolTip("What the list is sorted by; a click on the head of a column sorts, too")
        self._offer_orders()
        self.search.setPlaceholderText("Search name, subject, note")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("List only the scans with all these words in name, code, subject, session or note")
        self.anew.setMinimumWidth(LEAST_BUTTON)
        self.anew.setToolTip("Scans have changed since: list what fits now, in order")
        self.anew.hide()
        self.progress.setWordWrap(True)
        self.progress.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.progress.setToolTip("The pace is the median time of the accepted scans; pauses are not counted")

    def _connect(self) -> None:
        for signal, slot in (
            (self.choice.activated, self._want), (self.order.activated, self._want_order),
            (self.search.textChanged, self._search_soon), (self._soon.timeout, self._want),
            (self.view.horizontalHeader().sectionClicked, self._want_column), (self.anew.clicked, self.refresh),
            (self._stale.timeout, self._offer_anew), (self.view.stepped, self._choose),
            (self.view.opened, self._open),
        ):  # fmt: skip
            signal.connect(slot)

    def _search_soon(self, *_: object) -> None:
        self._soon.start()

    def _want(self, *_: object) -> None:
        self._list()
        self.wantedChanged.emit()

    def _want_order(self, at: int) -> None:
        order = self._orders()[at]
        self._order = order, ORDERS[order][1]
        self._want()

    def _want_column(self, section: int) -> None:
        order, falling = Column(section), ORDERS[Column(section)][1]
        self._order = order, not self._order[1] if self._order[0] == order else falling
        self._want()

    def _list(self) -> None:
        self._soon.stop()
        order, falling = self._order
        statuses = CHOICES[self.choice.currentData()]
        self.model.set_wanted(Wanted(statuses=statuses, text=self.search.text(), order=order, falling=falling))
        self._show_order()
        self._take_up()

    def _take_up(self) -> None:
        """Choose in the new list what was chosen in the one before."""
        self.view.mark(self.model.row_of(self._key))
        self.view.set_empty(NONE_FIT if self.model.rows else NO_SCANS)
        self.anew.hide()

    def _choose(self, place: int) -> None:
        key = self.model.row(place).reading.key
        if key != self._key:
            self._key = key
            self.chosen.emit(key)

    def _open(self, place: int) -> None:
        self._choose(place)
        self.opened.emit(self.model.row(place).reading.key)

    def _offer_anew(self) -> None:
        self.anew.setVisible(self.model.stale())

    def _orders(self) -> list[Column | None]:
        return [order for order in ORDERS if not (self.model.blind and order in HIDDEN_FROM_BLIND)]

    def _offer_orders(self) -> None:
        self.order.clear()
        self.order.addItems([ORDERS[order][0] for order in self._orders()])

    def _show_order(self) -> None:
        order, falling = self._order
        for at, other in enumerate(self._orders()):
            natural, usual, reverse = ORDERS[other]
            self.order.setItemText(at, reverse if other == order and falling != usual else natural)
        self.order.setCurrentIndex(self._orders().index(order))

    def _count(self) -> None:
        """Say how many there are of each status, and how far the work is."""
        counts, blocked = self.model.counts(), QSignalBlocker(self.choice)
        for at, (name, statuses) in enumerate(CHOICES.items()):
            self.choice.setItemText(at, f"{name} ({sum(counts[status] for status in statuses):,})")
        del blocked
        self.progress.setText(say_progress(self.model.rows, blind=self.model.blind))
        people = {row.reading.annotator for row in self.model.rows} - {""}
        self.view.offer_who(len(people) > 1 and not self.model.blind)  # the dock is narrow, and hints say it anyway

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widgets in ((self.choice, self.order), (self.search, self.anew)):
            row = QHBoxLayout()
            row.setSpacing(4)
            for widget in widgets:
                row.addWidget(widget, 0 if widget is self.anew else 1)
            column.addLayout(row)
        self.view.setMinimumHeight((LEAST_ROWS + 2) * self.view.row_height())
        self.view.setMinimumWidth(200)
        column.addWidget(self.view, 1)
        column.addWidget(self.progress)


def _choice() -> QComboBox:
    box = QComboBox()
    box.setMinimumWidth(LEAST_CHOICE)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # two of them share a narrow line
    return box


def _timer(parent: QWidget) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(SOON_MS)
    return timer
