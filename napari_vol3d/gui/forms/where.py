"""Form: where a tool may change labels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

from napari_vol3d.gui.forms.rows import narrow

MOST = 999  # slices


class Area(Enum):
    """A part of the volume; the value is what a person reads."""

    VOLUME = "Whole volume"
    VIEW = "What is in view"
    SLICE = "This slice"


TIPS = {
    Area.VOLUME: "All voxels of the time point shown",
    Area.VIEW: "What the view shows that the mouse was in last, through its whole depth",
    Area.SLICE: "The slice of the view that the mouse was in last",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A part of the volume; of a slice with as many `neighbours` on both sides."""

    area: Area = Area.VOLUME
    neighbours: int = 0


class WhereForm(QWidget):
    """Chooses a part of the volume.

    Parameters
    ----------
    neighbours : int
        Slices on both sides that "This slice" begins with.
    """

    valueChanged = Signal()

    def __init__(self, *, neighbours: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = narrow(QComboBox(), 5)  # the number beside it needs the room
        for area in Area:
            self.area.addItem(area.value, area)
        self.neighbours = QSpinBox()
        self.neighbours.setRange(0, MOST)
        self.neighbours.setPrefix("± ")
        self.neighbours.setSpecialValueText("alone")
        self.neighbours.setToolTip("Slices on both sides of it that may change too")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.neighbours)
        self.setValue(Where(neighbours=neighbours))
        self.area.currentIndexChanged.connect(self._changed)
        self.neighbours.valueChanged.connect(self._changed)

    def value(self) -> Where:
        """Give the choice."""
        area = self.area.currentData()
        return Where(area=area, neighbours=self.neighbours.value() if area is Area.SLICE else 0)

    def setValue(self, where: Where) -> None:
        """Show this choice."""
        self.neighbours.setValue(where.neighbours)
        self.area.setCurrentIndex(list(Area).index(where.area))
        self._show()

    def _show(self) -> None:
        area = self.area.currentData()
        self.neighbours.setVisible(area is Area.SLICE)
        self.area.setToolTip(TIPS[area])

    def _changed(self, *_: object) -> None:
        self._show()
        self.valueChanged.emit()
