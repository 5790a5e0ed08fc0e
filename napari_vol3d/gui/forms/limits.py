"""Form: what all tools leave alone: classes that may be written over, and a range of intensities."""

from __future__ import annotations

import math
from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget
from superqt import QLabeledDoubleRangeSlider

ANY, BACKGROUND = "any class", "background only"
RANGE_TIP = "Tools change only voxels whose value in the scan lies between the two handles"
NO_SCAN = "There is no scan on the grid of these labels"
ONE_VALUE = "The scan has no range of values: all its voxels are the same, or some are not finite"
DIGITS = 2  # of a range that are shown, at least
Range = tuple[float, float]


class LimitsForm(QWidget):
    """Only inside these classes, and only where the scan lies in a range."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.inside = QComboBox()
        self.inside.setToolTip("Tools change only voxels that are of this class now")
        self.inside.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.inside.setMinimumContentsLength(12)
        self.ranged = QCheckBox("only this intensity")
        self.range = QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal)
        self.range.setDecimals(0)
        self._whole: Range = (0.0, 0.0)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Only inside", self.inside)
        rows.addRow(self.ranged)
        rows.addRow(self.range)
        self.set_classes({})
        self.set_range(None)
        self.inside.activated.connect(self._changed)
        self.ranged.toggled.connect(self._follow)
        self.range.valueChanged.connect(self._changed)

    def value(self) -> tuple[frozenset[int] | None, Range | None]:
        """Give the classes that may be written over, None for any, and the range, None for all values."""
        inside: frozenset[int] | None = self.inside.currentData()
        low, high = self.range.value()
        return inside, (float(low), float(high)) if self.ranged.isChecked() else None

    def set_classes(self, names: Mapping[int, str]) -> None:
        """Offer these; what was chosen stays, if it is still among them, whatever its name is now."""
        before: frozenset[int] | None = self.inside.currentData()
        offers = [(ANY, None), (BACKGROUND, frozenset({0})), *((name, frozenset({i})) for i, name in names.items())]
        self.inside.blockSignals(True)
        self.inside.clear()
        for name, class_ids in offers:
            self.inside.addItem(name, class_ids)
        self.inside.setCurrentIndex(next((place for place, (_, ids) in enumerate(offers) if ids == before), 0))
        self.inside.blockSignals(False)
        if self.inside.currentData() != before:
            self.valueChanged.emit()

    def set_range(self, whole: Range | None) -> None:
        """Know the values that the scan has; without a scan, or with one value only, there is no range to choose."""
        why_not = NO_SCAN if whole is None else "" if _spans(*whole) else ONE_VALUE
        self.ranged.setEnabled(not why_not)
        self.ranged.setToolTip(why_not or RANGE_TIP)
        if why_not:
            self.ranged.setChecked(False)
        elif whole is not None and whole != self._whole:
            self._offer(whole)
        self._show()

    def _offer(self, whole: Range) -> None:
        """Let a person choose among these values; at first all of them are."""
        self._whole = whole
        self.range.blockSignals(True)
        self.range.setDecimals(max(DIGITS - math.ceil(math.log10(whole[1] - whole[0])), 0))
        both = (*whole, self.range.minimum(), self.range.maximum())
        self.range.setRange(min(both), max(both))  # type: ignore[arg-type]  # its stub is of integers
        self.range.setValue(whole)  # before: superqt can't place handles that lie far outside a range
        self.range.setRange(*whole)  # type: ignore[arg-type]
        self.range.blockSignals(False)
        self._changed()

    def _follow(self, *_: object) -> None:
        self._show()
        self.valueChanged.emit()

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()

    def _show(self) -> None:
        self.range.setVisible(self.ranged.isChecked())


def _spans(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high) and low < high
