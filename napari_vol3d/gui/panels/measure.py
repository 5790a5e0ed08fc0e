"""Measuring: the tools, and a list of what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_documents_path
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.gui.bench.board import Board
from napari_vol3d.gui.bench.measured import Measurement, Tool, as_csv, as_text
from napari_vol3d.gui.jobs import report
from napari_vol3d.io.safe_write import write_text

TOOLS: dict[Tool, tuple[str, str]] = {
    "ruler": ("Ruler", "Length: press at one end, drag to the other. Escape stops."),
    "angle": ("Angle", "Angle: click the end of a leg, the corner, and the end of the other leg. Escape stops."),
    "ellipse": ("Ellipse", "Mean, standard deviation and area: drag a box around the ellipse. Escape stops."),
}
NOTHING = "Nothing was measured yet"
ROWS = 5  # that are seen without scrolling


class MeasurePanel(QWidget):
    """Joins the buttons and the list with a board; `goRequested` asks to show a point of the world."""

    goRequested = Signal(object)

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self.tools = {tool: _button(title, tip, checkable=True) for tool, (title, tip) in TOOLS.items()}
        self.keep = QCheckBox("Keep the tool")
        self.keep.setToolTip("Measure one after the other; else the tool goes off after one")
        self.list = _list()
        self.delete = _button("Delete", "")
        self.clear = _button("Clear", "")
        self.copy = _button("Copy", "")
        self.save = _button("Save ...", "")
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.said.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(_row(self.tools.values()))
        layout.addWidget(self.keep)
        layout.addWidget(self.list)
        layout.addLayout(_row((self.delete, self.clear, self.copy, self.save)))
        layout.addWidget(self.said)
        layout.addStretch(1)
        self._connect()
        self._show_tool()
        self._show_list()

    def let_go(self) -> None:
        """Let go of the board."""
        self._board.toolChanged.disconnect(self._show_tool)
        self._board.changed.disconnect(self._show_list)

    def _connect(self) -> None:
        self._board.toolChanged.connect(self._show_tool)
        self._board.changed.connect(self._show_list)
        for button in self.tools.values():
            button.clicked.connect(self._choose_tool)
        self.keep.toggled.connect(self._set_keep)
        self.list.itemClicked.connect(self._go)
        self.delete.clicked.connect(self._delete)
        self.clear.clicked.connect(self._board.clear)
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(self._save)

    def _choose_tool(self) -> None:
        chosen = next((tool for tool, button in self.tools.items() if button is self.sender()), None)
        self._board.tool = None if chosen == self._board.tool else chosen

    def _show_tool(self) -> None:
        for tool, button in self.tools.items():
            button.setChecked(tool == self._board.tool)

    def _set_keep(self, keep: bool) -> None:
        self._board.keep = keep

    def _show_list(self) -> None:
        measurements = self._board.measurements
        if self.list.topLevelItemCount() != len(measurements):
            self.list.clear()
            self.list.addTopLevelItems([QTreeWidgetItem() for _ in measurements])
        for at, one in enumerate(measurements):
            _fill(self.list.topLevelItem(at), one)
            if one is self._board.chosen:
                self.list.setCurrentItem(self.list.topLevelItem(at))
        if self._board.chosen is None:
            self.list.setCurrentItem(None)
        self._offer()

    def _offer(self) -> None:
        some = bool(self._board.measurements)
        reason = f"{NOTHING}: choose a tool above"
        for button, tip in (
            (self.clear, "Forget all measurements"), (self.copy, "Copy all as text, a line for each"),
            (self.save, "Save all as a table (CSV), with places in mm"),
        ):  # fmt: skip
            button.setEnabled(some)
            button.setToolTip(tip if some else reason)
        self.delete.setEnabled(self._board.chosen is not None)
        chosen = "Forget the chosen measurement" if some else reason
        self.delete.setToolTip(chosen if self._board.chosen is not None or not some else "Choose one in the list first")
        self.list.setToolTip("Click one to go to its slice" if some else reason)

    def _go(self, item: QTreeWidgetItem) -> None:
        one = self._board.measurements[self.list.indexOfTopLevelItem(item)]
        self._board.choose(one)
        self.goRequested.emit(middle(one))

    def _delete(self) -> None:
        if self._board.chosen is not None:
            self._board.remove(self._board.chosen)

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(as_text(self._board.measurements))
            count = len(self._board.measurements)
            self._say(f"Copied {count} {'measurement' if count == 1 else 'measurements'}.")

    def _save(self) -> None:
        proposed = str(user_documents_path() / "measurements.csv")
        name, _ = QFileDialog.getSaveFileName(self, "Save measurements", proposed, "Table (*.csv)")
        if not name:
            return
        target = Path(name if name.lower().endswith(".csv") else f"{name}.csv")
        try:
            write_text(target, as_csv(self._board.measurements))
        except SaveProblem as problem:
            report(problem)
        else:
            self._say(f"Saved {target.name} in {target.parent}")

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.setVisible(bool(text))


def middle(one: Measurement) -> tuple[float, ...]:
    """Give the middle of a measurement, a point of the world on its slice."""
    return tuple(sum(values) / len(values) for values in zip(*one.points, strict=True))


def _fill(item: QTreeWidgetItem | None, one: Measurement) -> None:
    if item is not None:
        for column, text in enumerate((TOOLS[one.kind][0], one.text, one.view)):
            item.setText(column, text)
            item.setToolTip(column, f"{one.text} {one.image}".strip())


def _list() -> QTreeWidget:
    made = QTreeWidget()
    made.setHeaderLabels(["Kind", "Value", "View"])
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setTextElideMode(Qt.TextElideMode.ElideRight)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setMinimumWidth(200)
    made.setFixedHeight((ROWS + 1) * (made.fontMetrics().height() + 8))
    header = made.header()
    header.setStretchLastSection(False)
    for column in (0, 2):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    return made


def _button(title: str, tip: str, *, checkable: bool = False) -> QPushButton:
    button = QPushButton(title)
    button.setCheckable(checkable)
    button.setToolTip(tip)
    button.setMinimumWidth(40)
    return button


def _row(buttons: Iterable[QPushButton]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for button in buttons:
        row.addWidget(button, 1)
    return row
