"""Form: which voxels a network wants to see."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.gui.forms.page_stack import PageStack
from napari_vol3d.gui.forms.rows import narrow
from napari_vol3d.gui.forms.triple import Triple
from napari_vol3d.models.card import Conform, Edge, Lengths

ANY, SPACING, CONFORM, RESIZE = range(4)
WAYS = ("Any voxel size", "Voxels of one size", "Cube (FreeSurfer conform)", "Whole scan, stretched")
TIP = (
    "A scan is resampled to the voxels that the network was trained at; its labels come back on the scan's own grid"
)
UNITS = ("mm", "um", "pixel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Voxels as a card says them: at most one of the three, and the unit of lengths."""

    spacing: Lengths | None = None
    conform: Conform | None = None
    resize_to: tuple[Edge, Edge, Edge] | None = None
    unit: str = "mm"


class GridForm(QWidget):
    """A choice, and below it what that choice needs."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.way = narrow(QComboBox())
        self.way.addItems(WAYS)
        self.way.setToolTip(TIP)
        self.lengths, self.edges = Triple("Voxel size", decimals=4), Triple("Voxels", decimals=0)
        self.unit = QComboBox()
        self.unit.addItems(UNITS)
        self.unit.setToolTip("Unit of the voxel size")
        self.edge, self.size = QSpinBox(), QDoubleSpinBox()
        self.edge.setRange(1, 4096)
        self.edge.setSuffix(" voxels an edge")
        self.edge.setToolTip("Voxels along each edge of the cube")
        self.size.setDecimals(3)
        self.size.setRange(0.001, 1000)
        self.size.setSuffix(" mm a voxel")
        self.size.setToolTip("Edge of its voxels in mm")
        for box in (self.edge, self.size):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)  # the dock is narrow
        self._pages = PageStack()
        self._lay_out()
        self.setValue(Grid())
        for signal in (
            self.way.currentIndexChanged, self.lengths.edited, self.unit.currentIndexChanged,
            self.edge.valueChanged, self.size.valueChanged, self.edges.edited,
        ):  # fmt: skip
            signal.connect(self._changed)

    def value(self) -> Grid:
        """Give the voxels."""
        way, unit = self.way.currentIndex(), self.unit.currentText()
        if way == SPACING:
            return Grid(spacing=self.lengths.value(), unit=unit)
        if way == CONFORM:
            return Grid(conform=Conform(edge=self.edge.value(), spacing=self.size.value()))
        return Grid(resize_to=self.edges.whole() if way == RESIZE else None)

    def setValue(self, grid: Grid) -> None:
        """Show these voxels; what another choice would need begins with what is usual."""
        conform = grid.conform or Conform()
        self.lengths.setValue(grid.spacing or (1.0, 1.0, 1.0))
        if self.unit.findText(grid.unit) < 0:
            self.unit.addItem(grid.unit)
        self.unit.setCurrentText(grid.unit)
        self.edge.setValue(conform.edge)
        self.size.setValue(conform.spacing)
        self.edges.setValue(grid.resize_to or (128, 128, 128))
        given = (True, grid.spacing, grid.conform, grid.resize_to)
        self.way.setCurrentIndex(max(k for k, value in enumerate(given) if value))
        self._show_page()

    def refusal(self) -> str:
        """Say what can't be read; "" where all can."""
        way = self.way.currentIndex()
        if way == SPACING and self.lengths.value() is None:
            return "Voxels: three lengths are wanted, such as 1 x 1 x 2.5."
        if way == RESIZE and self.edges.whole() is None:
            return "Voxels: three whole numbers are wanted, such as 128 x 128 x 128."
        return ""

    def _changed(self, *_: object) -> None:
        self._show_page()
        self.valueChanged.emit()

    def _show_page(self) -> None:
        self._pages.setCurrentIndex(self.way.currentIndex())
        self._pages.setVisible(self.way.currentIndex() != ANY)

    def _lay_out(self) -> None:
        for page in (
            QWidget(), _page(self.lengths, self.unit, into=QHBoxLayout()),
            _page(self.edge, self.size, into=QVBoxLayout()), _page(self.edges, into=QVBoxLayout()),
        ):  # fmt: skip
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.way)
        column.addWidget(self._pages)


def _page(*widgets: QWidget, into: QBoxLayout) -> QWidget:
    page = QWidget()
    page.setLayout(into)
    into.setContentsMargins(0, 0, 0, 0)
    into.setSpacing(3)
    for widget in widgets:
        into.addWidget(widget, 1)
    return page
