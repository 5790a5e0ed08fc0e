"""Form: the classes of a label map, to choose, search, show and hide, rename and recolour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, QPoint, QSize, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTreeView, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.class_eye import ClassDelegate
from napari_vol3d.gui.forms.class_model import CLASS, EYE, ID, LOCK, NAME, SOUGHT, ClassModel, ClassRow
from napari_vol3d.gui.forms.search_box import SearchBox

EYE_WIDTH, CHIP = 28, 12
SEEN = (3, 10)  # rows
MENU = {  # what each entry of the menu asks for
    "Show only this": "isolate", "Show or hide": "toggle", "Change colour ...": "color", "Rename": "rename",
    "Go to its largest object": "jump",
}  # fmt: skip


class ClassList(QWidget):
    """A searchable list of classes; it shows and asks, and changes nothing itself.

    Signals carry the id: `valueChanged` when a person chose a class, `toggled` with whether it is to be shown,
    `renamed` with the new name, `colorAsked`, `isolateAsked`, `jumpAsked`, `lockAsked`.

    Parameters
    ----------
    locks : bool
        Whether there is a lock beside each name.
    rows : tuple of int
        Fewest and most that are seen without scrolling.
    """

    valueChanged = Signal(object)
    toggled = Signal(object, bool)
    renamed = Signal(object, str)
    colorAsked = Signal(object)
    isolateAsked = Signal(object)
    jumpAsked = Signal(object)
    lockAsked = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, locks: bool = False, rows: tuple[int, int] = SEEN) -> None:
        super().__init__(parent)
        self._value: int | None = None
        self._rows = rows
        self._quiet = False
        self.model = ClassModel(self)
        self.found = QSortFilterProxyModel(self)
        self.found.setSourceModel(self.model)
        self.found.setFilterRole(SOUGHT)
        self.found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.found.setFilterKeyColumn(NAME)
        self.search = SearchBox()
        self.search.setPlaceholderText("Search name or id")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("List only the classes whose name or id contains this")
        self.view = _ClassView(self.found)
        self.view.setColumnHidden(LOCK, not locks)
        self._fit(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.search)
        layout.addWidget(self.view)
        self.search.textChanged.connect(self._search)
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.view.eyePressed.connect(self._toggle)
        self.view.lockPressed.connect(self.lockAsked)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.model.renamed.connect(self.renamed)

    def value(self) -> int | None:
        """Give the id of the chosen class, also where the search leaves it out; None where none is chosen."""
        return self._value

    def setValue(self, class_id: int | None) -> None:
        """Choose a class and scroll to it; nobody is told."""
        if class_id != self._value:
            self._value = class_id
            self._mark(scroll=True)

    def set_rows(self, rows: Sequence[ClassRow]) -> None:
        """List these classes; what is chosen stays chosen, and the list stays where it is scrolled to."""
        self._quiet = True
        anew = self.model.set_rows(rows)
        self._quiet = False
        if anew:
            self._fit(len(rows))
            self._mark(scroll=True)

    def _fit(self, count: int) -> None:
        """Take the height that the rows need, within limits."""
        height = max(self.view.sizeHintForRow(0), self.view.fontMetrics().height())
        fewest, most = self._rows
        seen = min(max(count, fewest), most)
        self.view.setFixedHeight(seen * height + 2 * self.view.frameWidth() + 2)

    def row(self, class_id: int | None) -> ClassRow | None:
        """Give what is listed of a class."""
        return next((row for row in self.model.rows if row.id == class_id), None)

    def menu_for(self, class_id: int) -> QMenu:
        """Make the menu of a class."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, wish in MENU.items():
            menu.addAction(text).setData((wish, class_id))
        menu.triggered.connect(self._ask)
        return menu

    def _ask(self, action: Any) -> None:
        wish, class_id = action.data()
        if wish == "toggle":
            self._toggle(class_id)
        elif wish == "rename":
            self.view.edit(self.found.mapFromSource(self.model.place(class_id)))
        else:
            {"isolate": self.isolateAsked, "color": self.colorAsked, "jump": self.jumpAsked}[wish].emit(class_id)

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if index.isValid():
            self.menu_for(index.data(CLASS).id).popup(self.view.viewport().mapToGlobal(place))

    def _toggle(self, class_id: int) -> None:
        row = self.row(class_id)
        if row is not None:
            self.toggled.emit(class_id, not row.shown)

    def _search(self, text: str) -> None:
        # Qt moves the current row when the search takes it away; that is nobody's choice.
        self._quiet = True
        self.found.setFilterFixedString(text.strip())
        self._quiet = False
        self._mark(scroll=True)

    def _choose(self, current: QModelIndex, previous: QModelIndex) -> None:
        if self._quiet or not current.isValid():
            return
        class_id = current.data(CLASS).id
        if class_id != self._value:
            self._value = class_id
            self.valueChanged.emit(class_id)

    def _mark(self, *, scroll: bool) -> None:
        """Show which class is chosen, where it is listed."""
        self._quiet = True
        place = QModelIndex() if self._value is None else self.found.mapFromSource(self.model.place(self._value))
        self.view.setCurrentIndex(place)
        if not place.isValid():
            self.view.clearSelection()
        elif scroll:
            self.view.scrollTo(place, QAbstractItemView.ScrollHint.EnsureVisible)
        self._quiet = False


class _ClassView(QTreeView):
    """The list itself: pressing an eye, a lock, or the right button, chooses no class."""

    eyePressed = Signal(object)
    lockPressed = Signal(object)

    def __init__(self, model: QSortFilterProxyModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(ClassDelegate(self))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setHeaderHidden(True)
        self.setAllColumnsShowFocus(True)
        self.setIconSize(QSize(CHIP, CHIP))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(EYE_WIDTH)
        for column, mode in (
            (EYE, QHeaderView.ResizeMode.Fixed), (NAME, QHeaderView.ResizeMode.Stretch),
            (LOCK, QHeaderView.ResizeMode.Fixed), (ID, QHeaderView.ResizeMode.ResizeToContents),
        ):  # fmt: skip
            header.setSectionResizeMode(column, mode)
        header.setResizeContentsPrecision(0)  # the rows in sight: Qt would measure 1000 at each choice
        for column in (EYE, LOCK):
            header.resizeSection(column, EYE_WIDTH)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take presses on an eye or a lock, and leave the right button to the menu."""
        if not self._took(event):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second of two quick presses on an eye as a press."""
        if not self._took(event):
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Space show or hide the chosen class."""
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self.eyePressed.emit(self.currentIndex().data(CLASS).id)
        else:
            super().keyPressEvent(event)

    def _took(self, event: QMouseEvent) -> bool:
        index = self.indexAt(event.pos())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and index.column() in (EYE, LOCK):
            pressed = self.eyePressed if index.column() == EYE else self.lockPressed
            pressed.emit(index.data(CLASS).id)
            return True
        return event.button() == Qt.MouseButton.RightButton
