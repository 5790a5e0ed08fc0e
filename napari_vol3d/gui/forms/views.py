"""Form: which views are open, and how they show the scan."""

from __future__ import annotations

from typing import cast

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.slab import Projection, Slab

ORDER = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL, Plane.VOLUME)
PROJECTIONS: dict[Projection, str] = {
    "none": "One slice", "max": "Maximum of", "mean": "Average of", "min": "Minimum of",
}  # fmt: skip
SIDES = ("Radiological: patient's left on the right", "Neurological: patient's left on the left")
LEAST_BUTTON, LEAST_CHOICE = 40, 120  # pixels
SPIN_WIDTH = 96  # pixels: napari's theme takes most of them for the buttons
THINNEST, THICKEST = 0.1, 999.0


class ViewsForm(QWidget):
    """Buttons for the views, and switches that concern all of them."""

    fourToggled = Signal(bool)
    largeRequested = Signal(object)  # a Plane, or None for all
    crosshairToggled = Signal(bool)
    wheelToggled = Signal(bool)
    neurologicalToggled = Signal(bool)
    slabChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.four = QPushButton("Four views")
        self.four.setCheckable(True)
        self.four.setMinimumHeight(32)
        self.four.setToolTip("Axial, sagittal, coronal and 3D at once, with one crosshair (Alt+0)")
        self.large = {plane: QPushButton() for plane in ORDER}
        self.crosshair = QCheckBox("Crosshair")
        self.crosshair.setToolTip("A click puts it, Shift and drag moves it; all views follow")
        self.wheel = QCheckBox("Wheel turns slices")
        self.wheel.setToolTip("In the four views: the wheel turns slices, Ctrl and wheel zooms. Off: as in napari")
        self.sides = QComboBox()
        self.sides.addItems(SIDES)
        self.sides.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.projection = QComboBox()
        self.projection.addItems(list(PROJECTIONS.values()))
        self.projection.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.projection.setMinimumWidth(LEAST_CHOICE)
        self.projection.setToolTip("Of a slab, the brightest, the mean or the darkest; labels stay those of its middle")
        self.thickness = QDoubleSpinBox()
        self.unit = QLabel()  # of the thickness; napari's theme would cut a suffix off
        self.thickness.setRange(THINNEST, THICKEST)
        self.thickness.setDecimals(1)
        self.thickness.setValue(Slab().thickness)
        self._enable_thickness()
        self._arrange()
        self._connect()

    def show_state(
        self, *, is_open: bool, alone: Plane | None, crosshair: bool, wheel: bool, neurological: bool
    ) -> None:  # fmt: skip
        """Show how things are; nothing is emitted."""
        blockers = [QSignalBlocker(widget) for widget in (self.four, self.crosshair, self.wheel, self.sides)]
        self.four.setChecked(is_open and alone is None)
        for plane, button in self.large.items():
            button.setChecked(is_open and alone is plane)
        self.crosshair.setChecked(crosshair)
        self.wheel.setChecked(wheel)
        self.sides.setCurrentIndex(int(neurological))
        del blockers

    def show_kind(self, *, anatomical: bool, unit: str) -> None:
        """Use the words of the field that the scan is from."""
        for place, (plane, button) in enumerate(self.large.items(), start=1):
            button.setText(plane.title(anatomical=anatomical))
            button.setToolTip(f"Only this view, large (Alt+{place})")
        self.sides.setEnabled(anatomical)
        self.sides.setToolTip(
            "On which side of the screen the patient's left is" if anatomical
            else "This image does not say where a patient's left is"
        )  # fmt: skip
        self.unit.setText(unit)

    @property
    def slab(self) -> Slab:
        """What slices shall show."""
        chosen = list(PROJECTIONS)[self.projection.currentIndex()]
        return Slab(projection=cast("Projection", chosen), thickness=self.thickness.value())

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.four)
        row = QHBoxLayout()
        for button in self.large.values():
            button.setCheckable(True)
            button.setMinimumWidth(LEAST_BUTTON)  # unseen, before napari's theme reaches it, a button wants twice that
            row.addWidget(button)
        column.addLayout(row)
        grid = QGridLayout()
        grid.addWidget(self.crosshair, 0, 0)
        grid.addWidget(self.wheel, 0, 1)
        grid.addWidget(self.sides, 1, 0, 1, 2)
        column.addLayout(grid)
        slab = QHBoxLayout()
        slab.addWidget(QLabel("Slab"))
        self.thickness.setFixedWidth(SPIN_WIDTH)
        for widget, stretch in ((self.projection, 1), (self.thickness, 0), (self.unit, 0)):
            slab.addWidget(widget, stretch)
        column.addLayout(slab)

    def _connect(self) -> None:
        self.four.clicked.connect(self.fourToggled)
        for button in self.large.values():
            button.clicked.connect(self._on_large)
        self.crosshair.toggled.connect(self.crosshairToggled)
        self.wheel.toggled.connect(self.wheelToggled)
        self.sides.currentIndexChanged.connect(self._on_sides)
        self.projection.currentIndexChanged.connect(self._on_slab)
        self.thickness.valueChanged.connect(self._on_slab)

    def _on_large(self, checked: bool) -> None:
        plane = next(plane for plane, button in self.large.items() if button is self.sender())
        self.largeRequested.emit(plane if checked else None)

    def _on_sides(self, index: int) -> None:
        self.neurologicalToggled.emit(index == 1)

    def _on_slab(self) -> None:
        self._enable_thickness()
        self.slabChanged.emit(self.slab)

    def _enable_thickness(self) -> None:
        thick = self.slab.projection != "none"
        self.thickness.setEnabled(thick)
        self.thickness.setToolTip("Of the slab, rounded to whole slices" if thick else "One slice is shown")
