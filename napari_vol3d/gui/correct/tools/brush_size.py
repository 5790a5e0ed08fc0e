"""Form: the diameter of a brush, in the unit of the labels; small sizes have as much room as large ones."""

from __future__ import annotations

import math

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

from napari_vol3d.core.volume import Spacing

LEAST, MOST = 0.5, 100.0  # in the unit, where voxels are about as large as it
MOST_EDGES, DEFAULT_EDGES = 100, 6  # of the finest axis
TICKS = 200  # of the slider
STEP = 1.1  # of a key


class BrushSize(QWidget):
    """A slider on a logarithmic scale and a box for the number."""

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fits: tuple[float, str] | None = None
        self._chosen = False
        self.slider, self.box = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self.slider.setRange(0, TICKS)
        self.box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.box.setKeyboardTracking(False)
        for editor in (self.slider, self.box):
            editor.setToolTip("Diameter of the brush; [ makes it smaller, ] larger")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.fit((1.0, 1.0, 1.0), "mm")
        self.slider.valueChanged.connect(self._slide)
        self.box.valueChanged.connect(self._on_box)

    def fit(self, spacing: Spacing, unit: str) -> None:
        """Fit the voxels of other labels: sizes that make sense, and a default where the unit or their order differ."""
        edge = min(spacing)
        if self._fits == (edge, unit):
            return
        same, self._fits = self._fits is not None and self._fits[1] == unit, (edge, unit)
        # A size that a person has chosen stays, where it is one for these voxels too.
        kept = self._chosen and same and edge <= self.value() <= MOST_EDGES * edge
        wanted = self.value() if kept else DEFAULT_EDGES * edge
        with QSignalBlocker(self.box):
            self.box.setDecimals(max(1, 2 - math.floor(math.log10(edge))))
            self.box.setRange(min(LEAST, edge), max(MOST, MOST_EDGES * edge))
            self.box.setSuffix(f" {unit}")
            self.box.setValue(wanted)
        self._follow()
        self.valueChanged.emit(self.value())

    def value(self) -> float:
        """Give the diameter."""
        return float(self.box.value())

    def setValue(self, diameter: float) -> None:
        """Show this diameter."""
        self.box.setValue(diameter)
        self._follow()

    def step(self, steps: int) -> None:
        """Make it larger, or with less than 0 smaller."""
        least = 10.0 ** -self.box.decimals()
        wanted = self.value() * STEP**steps
        self.setValue(wanted if abs(wanted - self.value()) >= least else self.value() + math.copysign(least, steps))

    def _slide(self, tick: int) -> None:
        self._chosen = True
        low, high = self.box.minimum(), self.box.maximum()
        with QSignalBlocker(self.box):
            self.box.setValue(low * (high / low) ** (tick / TICKS))
        self.valueChanged.emit(self.value())

    def _on_box(self, diameter: float) -> None:
        self._chosen = True
        self._follow()
        self.valueChanged.emit(diameter)

    def _follow(self) -> None:
        low, high = self.box.minimum(), self.box.maximum()
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(TICKS * math.log(self.value() / low) / math.log(high / low)))
