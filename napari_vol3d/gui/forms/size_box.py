"""Form: a length or a volume in the unit of the labels, with a default that fits their voxels."""

from __future__ import annotations

import math

from qtpy.QtWidgets import QDoubleSpinBox, QWidget

from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.naming import LETTERS

MOST_DIGITS = 6  # behind the point
LARGEST = 1e6
PIXEL = "px"  # the unit of labels that have none


class SizeBox(QDoubleSpinBox):
    """A number with a unit.

    Parameters
    ----------
    voxels : float
        The default: so many voxels, of a length the edges of one as large all round.
    power : int
        1 of a length, 3 of a volume.
    """

    def __init__(self, voxels: float, *, power: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._voxels, self._power, self._unit = voxels, power, ""
        self._default = 0.0
        self.setMaximum(LARGEST)
        self.fit((1.0, 1.0, 1.0), PIXEL)

    def fit(self, spacing: Spacing, unit: str) -> None:
        """Count in this unit, as finely as these voxels ask for; a number that a person has set stays."""
        finest, typical = min(spacing) ** self._power, math.prod(spacing) ** (self._power / 3)
        keep = unit == self._unit and self.value() != self._default
        digits = min(max(1 - math.floor(math.log10(finest)), 0), MOST_DIGITS)
        before, self._unit = self.value(), unit
        self.setDecimals(digits)
        self.setMinimum(10**-digits)
        self.setSingleStep(_up(finest if self._power == 1 else self._voxels * typical / 3))
        self.setSuffix(f" {self._words(unit)}")
        self.setValue(before if keep else _up(self._voxels * typical))
        if not keep:
            self._default = self.value()

    def _words(self, unit: str) -> str:
        if self._power == 1:
            return unit
        return "voxels" if unit == PIXEL else f"{unit}³"


def reach_in_words(length: float, spacing: Spacing, *, axis: int | None = None) -> str:
    """Say how many voxels a length spans along each axis; none across the slices that it stays in.

    Examples
    --------
    >>> reach_in_words(1.0, (3.0, 0.5, 0.5))
    'z 0, y 2, x 2 voxels'
    """
    steps = [0 if k == axis else math.floor(length / edge * (1 + 1e-6)) for k, edge in enumerate(spacing)]
    if not any(steps):
        return "less than a voxel: nothing changes"
    return ", ".join(f"{letter} {step}" for letter, step in zip(LETTERS, steps, strict=True)) + " voxels"


def _up(size: float) -> float:
    """Round up to two digits that count: a length that falls short of a voxel would do nothing."""
    digit = 10.0 ** (math.floor(math.log10(size)) - 1)
    return math.ceil(size / digit - 1e-9) * digit
