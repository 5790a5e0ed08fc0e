"""Form: where scans come from: folders, tables, and files that were dropped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

EMPTY = "Drop a folder, a BIDS data set, scans or a table here"
TABLES = "Tables (*.csv *.tsv)"
SOURCE = Qt.ItemDataRole.UserRole
ROWS = 3  # that are seen without scrolling
SPACE = 4


class SourceList(QWidget):
    """A list to add to and to take from; each source is in it once."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.list = _List()
        self.folder, self.table = QPushButton("Folder of scans or BIDS data set ..."), QPushButton("Table ...")
        self.remove = QPushButton("Remove")
        self.folder.setToolTip("Every scan in it, and in the folders below, is a case; a BIDS data set is known as one")
        self.table.setToolTip(
            "CSV or TSV with a head: subject, session, image or one column an image (T1, FLAIR ...), labels; paths "
            "as seen from the table"
        )
        self._lay_out()
        self.folder.clicked.connect(self._ask_folder)
        self.table.clicked.connect(self._ask_table)
        self.remove.clicked.connect(self._remove)
        self.list.itemSelectionChanged.connect(self._follow)
        self._follow()

    def value(self) -> tuple[Path, ...]:
        """Give the sources in the order in which they came."""
        return tuple(self.list.item(row).data(SOURCE) for row in range(self.list.count()))

    def setValue(self, sources: Iterable[Path]) -> None:
        """List these."""
        wanted = tuple(dict.fromkeys(Path(source) for source in sources))
        if wanted == self.value():
            return
        self.list.clear()
        for source in wanted:
            item = QListWidgetItem(source.name or str(source))
            item.setData(SOURCE, source)
            item.setToolTip(str(source))
            self.list.addItem(item)
        self._follow()
        self.valueChanged.emit()

    def add(self, sources: Iterable[Path]) -> None:
        """List these, too."""
        self.setValue((*self.value(), *sources))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self.add(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        event.acceptProposedAction()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for button in (self.folder, self.table, self.remove):
            button.setAutoDefault(False)  # Return is for the button that ends a dialog
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.list)
        column.addLayout(row)

    def _start(self) -> str:
        there = self.value()
        return str(there[-1].parent if there else Path.home())

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A folder of scans or a BIDS data set", self._start())
        self.add([Path(folder)] if folder else [])

    def _ask_table(self) -> None:
        table, _ = QFileDialog.getOpenFileName(self, "A table of scans", self._start(), TABLES)
        self.add([Path(table)] if table else [])

    def _remove(self) -> None:
        gone = {item.data(SOURCE) for item in self.list.selectedItems()}
        self.setValue(source for source in self.value() if source not in gone)

    def _follow(self) -> None:
        chosen = bool(self.list.selectedItems())
        self.remove.setEnabled(chosen)
        self.remove.setToolTip("Take what is chosen from the list" if chosen else "Choose something in the list first")


class _List(QListWidget):
    """Says what can be dropped, while it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setFixedHeight((ROWS + 1) * (self.fontMetrics().height() + 4))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, or the words."""
        super().paintEvent(event)
        if not self.count():
            painter = QPainter(self.viewport())
            painter.setOpacity(0.6)
            painter.drawText(
                self.viewport().rect(), int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), EMPTY
            )  # fmt: skip
            painter.end()
