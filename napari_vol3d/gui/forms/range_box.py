"""Form: the lowest and the highest grey value of something, or neither."""

from __future__ import annotations

import math

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QWidget

NEEDED = 56  # pixels


class RangeBox(QWidget):
    """Two lines that may both be empty.

    Parameters
    ----------
    tip : str
        What the two are for.
    """

    valueChanged = Signal()

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lowest, self.highest = QLineEdit(), QLineEdit()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for line, word in ((self.lowest, "lowest"), (self.highest, "highest")):
            line.setPlaceholderText(word)
            line.setToolTip(f"{word.capitalize()} grey value: {tip}")
            line.setMinimumWidth(NEEDED)
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # the dock is narrow
            line.textEdited.connect(self._tell)
        row.addWidget(self.lowest, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self.highest, 1)

    def value(self) -> tuple[float, float] | None:
        """Give the two; None where both are empty, and where `refusal` says why they are no range."""
        low, high = _number(self.lowest), _number(self.highest)
        return (low, high) if low is not None and high is not None and low < high else None

    def setValue(self, given: tuple[float, float] | None) -> None:
        """Show these, to the last digit."""
        for line, number in zip((self.lowest, self.highest), given or ("", ""), strict=True):
            line.setText(str(number).removesuffix(".0"))
            line.setCursorPosition(0)

    def refusal(self) -> str:
        """Say why this is no range; "" where it is one, or empty."""
        if self.value() is not None or not any(map(_said, (self.lowest, self.highest))):
            return ""
        if not all(map(_said, (self.lowest, self.highest))):
            return "say the lowest and the highest, or neither."
        if None in map(_number, (self.lowest, self.highest)):
            return "numbers are written as -1024 or 0.5."
        return "the lowest must lie below the highest."

    def _tell(self, *_: object) -> None:
        self.valueChanged.emit()


def _said(line: QLineEdit) -> str:
    return line.text().strip()


def _number(line: QLineEdit) -> float | None:
    try:
        number = float(_said(line))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
