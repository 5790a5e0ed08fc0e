"""Form: in all three directions, or within the slices of a view."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.gui.forms.rows import narrow

IN_3D, IN_SLICES = "3D", "Slices, each by itself"


class Directions(QComboBox):
    """Chooses whether a tool looks across slices; the value is whether it does not."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems([IN_3D, IN_SLICES])
        narrow(self)
        self.setToolTip("In all directions, or within each slice of the view that the mouse was in last")
        self.currentIndexChanged.connect(self._changed)

    def value(self) -> bool:
        """Whether each slice is taken by itself."""
        return bool(self.currentIndex())

    def setValue(self, in_slices: bool) -> None:
        """Show this choice."""
        self.setCurrentIndex(int(in_slices))

    def axis(self, axis: int) -> int | None:
        """Give the axis across the slices that are taken by themselves; None in 3D."""
        return axis if self.value() else None

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()
