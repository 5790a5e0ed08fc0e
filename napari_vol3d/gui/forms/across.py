"""Form: across which axis slices are counted."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.correct.naming import LETTERS
from napari_vol3d.gui.bench.planes import Plane, plane_across
from napari_vol3d.gui.forms.rows import narrow

OF_VIEW = -1


class Across(QComboBox):
    """Chooses an axis, or that of the view which the mouse was in last; the value is None for the latter."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for axis in (OF_VIEW, 0, 1, 2):
            self.addItem("", axis)
        self._said: tuple[int, bool] | None = None
        narrow(self)
        self.setToolTip("Slices of this view; without a choice, of the view that the mouse was in last")
        self.name(0, anatomical=True)
        self.currentIndexChanged.connect(self._changed)

    def value(self) -> int | None:
        """Give the axis; None for that of the view."""
        axis = int(self.currentData())
        return None if axis == OF_VIEW else axis

    def setValue(self, axis: int | None) -> None:
        """Show this choice."""
        self.setCurrentIndex(self.findData(OF_VIEW if axis is None else axis))

    def axis(self, of_view: int) -> int:
        """Give the axis, where that of the view is known."""
        chosen = self.value()
        return of_view if chosen is None else chosen

    def name(self, of_view: int, *, anatomical: bool) -> None:
        """Call the planes as the field does, and say which one the view shows now."""
        if self._said == (of_view, anatomical):
            return
        self._said = of_view, anatomical
        for place in range(self.count()):
            axis = int(self.itemData(place))
            words = _words(plane_across(of_view if axis == OF_VIEW else axis), anatomical)
            self.setItemText(place, f"As seen last: {words}" if axis == OF_VIEW else words)

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def _words(plane: Plane, anatomical: bool) -> str:
    return f"{plane.title(anatomical=anatomical)} ({LETTERS[plane.value]})"
