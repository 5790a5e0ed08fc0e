"""Form: three numbers along the axes of a network, in one line: "1 x 1 x 2.5"; one number stands for three."""

from __future__ import annotations

import math
import re

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QWidget

BETWEEN = re.compile(r"[\s,;x×]+")


class Triple(QLineEdit):
    """A line with three lengths; `edited` tells that a person has typed.

    Parameters
    ----------
    tip : str
    decimals : int
        That are shown: 0 for voxels.
    """

    edited = Signal()

    def __init__(self, tip: str, *, decimals: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._decimals = decimals
        self.setToolTip(f"{tip} along the network's first, second and third axis; one number stands for all three")
        self.textEdited.connect(self._tell)

    def value(self) -> tuple[float, float, float] | None:
        """Give the numbers, all above 0; None where the line is nothing of the kind."""
        try:
            numbers = [float(part) for part in BETWEEN.split(self.text().strip().lower()) if part]
        except ValueError:
            return None
        if len(numbers) == 1:
            numbers *= 3
        wrong = len(numbers) != 3 or any(not (math.isfinite(number) and number > 0) for number in numbers)
        return None if wrong else (numbers[0], numbers[1], numbers[2])

    def whole(self) -> tuple[int, int, int] | None:
        """Give them as whole numbers; None where they are not."""
        given = self.value()
        if given is None or any(number != round(number) for number in given):
            return None
        return round(given[0]), round(given[1]), round(given[2])

    def setValue(self, numbers: tuple[float, float, float]) -> None:
        """Show these."""
        self.setText(" x ".join(f"{round(number, self._decimals):g}" for number in numbers))
        self.setCursorPosition(0)

    def _tell(self, *_: object) -> None:
        self.edited.emit()
