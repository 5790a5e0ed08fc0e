"""What the comparison of readings shows: who with whom, the classes, the cases with the worst first."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.gui.forms.figure_model import Column, FigureModel
from napari_vol3d.gui.forms.row_table import RowTable
from napari_vol3d.gui.forms.rows import narrow

WIDTHS: Mapping[int, str] = {Column.DICE: "0.00", Column.HD95: "HD95", Column.VOLUME: "+000 %", Column.F1: "0.00"}
CHIP = 10  # pixels
CLASS_ROWS, CASE_ROWS = 4, 6  # that are seen without scrolling
LEAST_BUTTON = 40  # pixels
SOME = 1000  # steps of the bar
COMPARE = "Compare what readers have accepted, with each other, with themselves, and with the model"
NOTHING_YET = "Compare readings first"
EXPORT = "Save all figures as a table (CSV): cases by their codes, readers as numbers, no names"
PAIR = "Who is compared with whom"


class AgreementUi(QWidget):
    """The controls, without knowing a project."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare, self.cancel, self.export = (_button(t) for t in ("Compare readings", "Cancel", "Export ..."))
        self.bar = QProgressBar()
        self.bar.setRange(0, SOME)
        self.bar.setTextVisible(False)
        self.pair = narrow(QComboBox())
        self.pair.setToolTip(PAIR)
        self.classes, self.cases = FigureModel("class", self), FigureModel("case, worst first", self)
        self.class_view = _table(self.classes, CLASS_ROWS, "Agreement by class")
        self.case_view = _table(self.cases, CASE_ROWS, "Agreement by case, the worst first")
        self.case_view.set_empty("Nothing was compared yet")
        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.cancel.setToolTip("Stop; the table stays as it is")
        self._lay_out()
        self.show_state(why_not="", busy=False, found=False)
        self.say("")

    def show_state(self, *, why_not: str, busy: bool, found: bool) -> None:
        """Offer what can be done now."""
        self.compare.setVisible(not busy)
        self.export.setVisible(not busy)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.compare.setEnabled(not why_not)
        self.compare.setToolTip(why_not or COMPARE)
        self.export.setEnabled(found)
        self.export.setToolTip(EXPORT if found else NOTHING_YET)
        for part in (self.pair, self.class_view, self.case_view):
            part.setVisible(found)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        self.bar.setValue(round(progress.fraction * SOME))
        left = progress.seconds_left
        self.bar.setToolTip(progress.phase if left is None else f"{progress.phase}, {say_seconds(left)} left")

    def say(self, text: str) -> None:
        """Say one sentence under the buttons; an empty one goes away."""
        self.said.setText(text)
        self.said.setVisible(bool(text))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        for control in (self.compare, self.bar, self.cancel, self.export):
            top.addWidget(control, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        for part in (self.said, self.pair, self.class_view, self.case_view):
            column.addWidget(part)


def _table(model: FigureModel, rows: int, name: str) -> RowTable:
    table = RowTable(model, WIDTHS, stretched=Column.NAME)
    table.setItemDelegate(ChipDelegate(table))
    table.setIconSize(QSize(CHIP, CHIP))
    table.setAccessibleName(name)
    table.show_rows(rows)
    return table


def _button(title: str) -> QPushButton:
    button = QPushButton(title)
    button.setMinimumWidth(LEAST_BUTTON)  # napari's theme would have them wider than the dock
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return button
