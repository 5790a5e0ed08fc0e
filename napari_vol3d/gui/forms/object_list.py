"""Form: a table of objects to sort, search and choose from, with what can be done to those that are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from qtpy.QtCore import QPoint, Qt, QTimer, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.object_order import Wanted
from napari_vol3d.core.object_table import Ints
from napari_vol3d.core.say import shortened
from napari_vol3d.gui.forms.class_box import ClassBox
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.forms.object_model import CUBES, NONE, Listed, ObjectModel, figure
from napari_vol3d.gui.forms.object_view import ObjectView
from napari_vol3d.gui.forms.search_box import SearchBox

ALL = LabelClass(id=0, name="All classes", color="transparent")
MOST_CLASSES = 300  # in the box; more are searched for
SOON_MS = 150  # after the last letter
LEAST_BUTTON = 40  # pixels
LONG_NAME = 14  # letters
ROWS = 10  # that are seen without scrolling, at least
CHOOSE = "Choose objects in the table first"


class ObjectList(QWidget):
    """A table of objects, or of classes; it shows and asks, and changes nothing itself.

    Signals carry rows of the table of objects that was given, also where the list shows classes: `jumpAsked` with
    one, `deleteAsked` and `moveAsked` with an array. `hideAsked`, `recolorAsked` and `renameAsked` carry the id of a
    class, the last one with the new name.
    """

    jumpAsked = Signal(object)
    deleteAsked = Signal(object)
    moveAsked = Signal(object)
    hideAsked = Signal(object)
    recolorAsked = Signal(object)
    renameAsked = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listed: Listed | None = None  # by object
        self._target, self._why_not = "", ""
        self.model = ObjectModel(self)
        self.view = ObjectView(self.model)
        self.search, self.classes, self.least = _search(), ClassBox("List only the objects of this class"), _least()
        self.by_class = QCheckBox("By class")
        self.by_class.setToolTip("A row for each class instead of one for each object")
        self.count = QLabel()
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.delete, self.move, self.hide_class, self.color = (
            _button(title) for title in ("Delete", "Give", "Hide", "Colour ...")
        )
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._lay_out()
        self._connect()
        self.view.show_order()
        self.set_listed(None)

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def set_listed(self, listed: Listed | None) -> None:
        """List these objects; what is searched for stays."""
        self._listed = listed
        self._offer_classes()
        unit = "" if listed is None else CUBES.get(listed.geometry.unit, f"{listed.geometry.unit}³")
        self.least.setSuffix(f" {unit}" if unit else "")
        self._list()

    def set_looks(self, look: Callable[[int], ClassRow], names: Mapping[int, str]) -> None:
        """Show other names and colours; `look` tells how a class is shown."""
        self.model.set_looks(look, names)
        self._offer_classes()
        self._offer()

    def set_target(self, name: str, *, why_not: str = "") -> None:
        """Say which class objects are given to; `why_not` says why none can be given or deleted now."""
        self._target, self._why_not = name, why_not
        self._offer()

    def chosen(self) -> Ints:
        """Give the rows that are chosen, of the table of objects."""
        rows = self.view.chosen()
        return self._objects_of(rows) if self.by_class.isChecked() else rows

    def rows(self) -> Ints:
        """Give the rows that are listed, from the top."""
        return self.model.rows

    def menu_for(self, row: int) -> QMenu:
        """Make the menu of a row of the list."""
        shown, menu = self.model.look(row), QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        entries = (
            ("Go to", "jump"), (self.delete.text(), "delete"), (f"Give to {self._target}", "move"),
            (f"{'Hide' if shown.shown else 'Show'} {shown.name}", "hide"),
            (f"Colour of {shown.name} ...", "recolor"), (f"Rename {shown.name}", "rename"),
        )  # fmt: skip
        for text, wish in entries:
            action = menu.addAction(text)
            action.setData((wish, row))
            button = {"delete": self.delete, "move": self.move}.get(wish)
            if button is not None:
                action.setEnabled(button.isEnabled())
                action.setToolTip(button.toolTip())
        menu.triggered.connect(self._ask)
        return menu

    # ---- within -----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        for signal, slot in (
            (self.search.textChanged, self._search_soon), (self._soon.timeout, self._search),
            (self.classes.valueChanged, self._search), (self.least.valueChanged, self._search_soon),
            (self.by_class.toggled, self._list), (self.view.stepped, self._jump),
            (self.view.deletePressed, self._delete), (self.view.chosenChanged, self._offer),
            (self.view.customContextMenuRequested, self._open_menu), (self.model.renamed, self.renameAsked),
            (self.delete.clicked, self._delete), (self.move.clicked, self._move),
            (self.hide_class.clicked, self._hide), (self.color.clicked, self._recolor),
        ):  # fmt: skip
            signal.connect(slot)

    def _list(self, *_: object) -> None:
        listed = self._listed
        if listed is not None and self.by_class.isChecked():
            listed = replace(listed, table=listed.table.by_class(), by_class=True)
        self.model.set_listed(listed)
        self._offer()

    def _offer_classes(self) -> None:
        table = None if self._listed is None else self._listed.table
        ids = [] if table is None else np.unique(table.class_id).tolist()
        few = len(ids) <= MOST_CLASSES
        shown = [self.model.look_of(i) for i in ids] if few else []
        self.classes.set_classes([ALL, *(LabelClass(id=c.id, name=c.name, color=c.color) for c in shown)], otherwise=0)
        self.classes.setEnabled(few)
        tip = "List only the objects of this class" if few else f"{len(ids):,} classes: search for one by its name"
        self.classes.setToolTip(tip)

    def _search_soon(self, *_: object) -> None:
        self._soon.start()

    def _search(self) -> None:
        self._soon.stop()
        wanted = Wanted(class_id=self.classes.value() or None, text=self.search.text(), least=self.least.value())
        self.model.set_wanted(wanted)

    def _offer(self, *_: object) -> None:
        """Say how many are listed and chosen, and offer what can be done to them."""
        rows, table = self.view.chosen(), self.model.table
        self.count.setText(self._counted(rows))
        several = table is not None and len(np.unique(table.class_id[rows])) > 1
        some = CHOOSE if not len(rows) else ""
        one = some or ("Choose objects of one class" if several else "")
        what = "it" if len(rows) == 1 else f"these {len(rows):,}"
        target = self._target or "the class that is painted with"
        self.move.setText(f"Give to {shortened(self._target, LONG_NAME)}" if self._target else "Give")
        for button, why, tip in (
            (self.delete, some or self._why_not, f"Delete {what}: one step, which can be undone"),
            (self.move, some or self._why_not or ("" if self._target else "Choose a class to paint with first"),
             f"Give {what} to {target}: one step, which can be undone"),
            (self.hide_class, one, "Show or hide the whole class"),
            (self.color, one, "Give the whole class another colour, here and in the files you save"),
        ):  # fmt: skip
            button.setEnabled(not why)
            button.setToolTip(why or tip)

    def _counted(self, rows: Ints) -> str:
        listed, table = len(self.model.rows), self.model.table
        if table is None or self._listed is None:
            return ""
        one, many = ("class", "classes") if self.by_class.isChecked() else ("object", "objects")
        kind = one if len(table) == 1 else many
        text = f"{listed:,} {kind}" if listed == len(table) else f"{listed:,} of {len(table):,} {kind}"
        volume = f"{figure(float(table.volume[rows].sum()))}{self.least.suffix()}"
        return f"{text}, {len(rows):,} chosen: {volume}" if len(rows) else text

    def _objects_of(self, rows: Ints) -> Ints:
        """Give the objects of some rows of the table of classes."""
        if self._listed is None or self.model.table is None:
            return NONE
        return np.flatnonzero(np.isin(self._listed.table.class_id, self.model.table.class_id[rows]))

    def _jump(self, row: int) -> None:
        at = self.model.rows[row : row + 1]
        objects = self._objects_of(at) if self.by_class.isChecked() else at
        self.jumpAsked.emit(int(objects[0]))  # of a class its largest

    def _delete(self) -> None:
        if self.delete.isEnabled():
            self.deleteAsked.emit(self.chosen())

    def _move(self) -> None:
        self.moveAsked.emit(self.chosen())

    def _hide(self) -> None:
        self.hideAsked.emit(self._class_chosen())

    def _recolor(self) -> None:
        self.recolorAsked.emit(self._class_chosen())

    def _class_chosen(self) -> int:
        table = self.model.table
        return 0 if table is None else int(table.class_id[self.view.chosen()[0]])

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if index.isValid():
            self.menu_for(index.row()).popup(self.view.viewport().mapToGlobal(place))

    def _ask(self, action: QAction) -> None:
        wish, row = action.data()
        if wish == "jump":
            self._jump(row)
        elif wish == "rename":
            self.view.edit(self.model.index(row, 0))
        elif wish in ("delete", "move"):
            {"delete": self._delete, "move": self._move}[wish]()
        else:
            {"hide": self.hideAsked, "recolor": self.recolorAsked}[wish].emit(self.model.look(row).id)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(_row((self.search, self.by_class)))
        column.addLayout(_row((self.classes, self.least)))
        height = self.view.verticalHeader().defaultSectionSize()
        self.view.setMinimumHeight((ROWS + 2) * height)
        self.view.setMinimumWidth(200)
        column.addWidget(self.view, 1)
        column.addWidget(self.count)
        column.addLayout(_row((self.delete, self.move)))
        column.addLayout(_row((self.hide_class, self.color)))


def _search() -> SearchBox:
    search = SearchBox()
    search.setPlaceholderText("Search name or number")
    search.setClearButtonEnabled(True)
    search.setToolTip("List only objects whose class or number is this")
    return search


def _least() -> QDoubleSpinBox:
    least = QDoubleSpinBox()
    least.setRange(0, 1e9)
    least.setDecimals(2)
    least.setPrefix("≥ ")
    least.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    least.setToolTip("List only objects of this volume or more")
    return least


def _button(title: str) -> QPushButton:
    button = QPushButton(title)
    button.setMinimumWidth(LEAST_BUTTON)  # napari's theme would have them wider than the dock
    return button


def _row(widgets: Iterable[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row
