"""Form: what the classes of a network are called, their ids and colours; as many as the network tells apart."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QPainter, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.models.card import HIGHEST_ID

COLOR, ID, NAME = range(3)
HEADS = ("", "id", "name")
HEX = Qt.ItemDataRole.UserRole
CHIP = 12  # pixels
EDGE = "#808080"
LEAST_ROWS, MOST_ROWS = 1, 8  # that are seen without scrolling
KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class ClassTable(QWidget):
    """A row for each class, in the order of the network's scores; double click or F2 edits, a colour opens a dialog."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = _Table()
        self.dialog: QColorDialog | None = None
        self._asked = -1  # the row whose colour is asked for
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.table.itemChanged.connect(self._changed)
        self.table.cellClicked.connect(self._ask)
        self.table.colorAsked.connect(self._ask)
        self.setValue(())

    def value(self) -> tuple[LabelClass, ...]:
        """Give the classes; an id that is no number is 0."""
        return tuple(self._class(row) for row in range(self.table.rowCount()))

    def setValue(self, classes: Iterable[LabelClass]) -> None:
        """List these."""
        listed = tuple(classes)
        before = self.table.blockSignals(True)
        self.table.setRowCount(len(listed))
        for row, item in enumerate(listed):
            self._fill(row, item)
        self.table.blockSignals(before)
        self.table.fit()

    def refusal(self) -> str:
        """Say why these can't be the classes; "" where they can."""
        classes = self.value()
        ids = [item.id for item in classes]
        if any(not 1 <= id_ <= HIGHEST_ID for id_ in ids):
            return "Class ids are whole numbers from 1; 0 is the background."
        if len(set(ids)) < len(ids):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            return f"Two classes have the id {twice}."
        return "" if all(item.name for item in classes) else "Each class needs a name."

    def finish(self) -> None:
        """Take over what stands in a cell that is open still: on a Mac a click on a button does not close it."""
        editor = self.table.viewport().findChild(QLineEdit)
        if editor is not None:
            self.table.commitData(editor)

    def let_go(self) -> None:
        """Take the question for a colour back."""
        if self.dialog is not None:
            self.dialog.reject()

    def _class(self, row: int) -> LabelClass:
        color, number, name = (self.table.item(row, column) for column in (COLOR, ID, NAME))
        text = number.text().strip()
        return LabelClass(
            id=int(text) if text.isascii() and text.isdigit() else 0, name=name.text().strip(), color=color.data(HEX)
        )

    def _fill(self, row: int, item: LabelClass) -> None:
        color = QTableWidgetItem()
        color.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        _paint(color, item.color)
        color.setToolTip("Click, or Enter: another colour")
        number, name = QTableWidgetItem(str(item.id)), QTableWidgetItem(item.name)
        number.setToolTip("What stands in the labels for it")
        name.setToolTip(f"{item.name}; double click or F2 to rename")
        for column, cell in ((COLOR, color), (ID, number), (NAME, name)):
            self.table.setItem(row, column, cell)

    def _ask(self, row: int, column: int) -> None:
        if column != COLOR:
            return
        self.let_go()
        item = self._class(row)
        self._asked = row
        self.dialog = QColorDialog(QColor(item.color), self)
        self.dialog.setWindowTitle(f"Colour of {item.name}")
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.setModal(False)
        self.dialog.colorSelected.connect(self._choose)
        self.dialog.finished.connect(self._forget)
        self.dialog.show()

    def _choose(self, color: QColor) -> None:
        item = self.table.item(self._asked, COLOR)
        if item is not None:
            _paint(item, color.name())

    def _forget(self, result: int) -> None:
        self.dialog = None

    def _changed(self, item: QTableWidgetItem) -> None:
        self.valueChanged.emit()


class _Table(QTableWidget):
    """Tab leaves it; a colour is asked for by key, too."""

    colorAsked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__(0, len(HEADS))
        self.setHorizontalHeaderLabels(HEADS)
        self.verticalHeader().hide()
        self.setItemDelegate(ChipDelegate(self))
        self.setIconSize(QSize(CHIP, CHIP))
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Classes")
        across = self.horizontalHeader()
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        across.setMinimumSectionSize(2 * CHIP)
        for column, mode in (
            (COLOR, QHeaderView.ResizeMode.Fixed), (ID, QHeaderView.ResizeMode.ResizeToContents),
            (NAME, QHeaderView.ResizeMode.Stretch),
        ):  # fmt: skip
            across.setSectionResizeMode(column, mode)
        across.resizeSection(COLOR, 2 * CHIP + 4)

    def fit(self) -> None:
        """Take the height of its rows, as far as they are seen without scrolling."""
        height = self.fontMetrics().height() + 8
        self.verticalHeader().setDefaultSectionSize(height)
        shown = min(max(self.rowCount(), LEAST_ROWS), MOST_ROWS)
        heads = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(shown * height + heads + 2 * self.frameWidth() + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for a colour by Enter or Space."""
        if event.key() in KEYS and self.currentColumn() == COLOR:
            self.colorAsked.emit(self.currentRow(), COLOR)
        else:
            super().keyPressEvent(event)


def _paint(cell: QTableWidgetItem, color: str) -> None:
    picture = QPixmap(CHIP, CHIP)
    picture.fill(QColor(EDGE))  # white on white is seen
    painter = QPainter(picture)
    painter.fillRect(1, 1, CHIP - 2, CHIP - 2, QColor(color))
    painter.end()
    cell.setData(Qt.ItemDataRole.DecorationRole, picture)
    cell.setData(HEX, color)
