"""Form: a share between 1 and 99 percent, as a slider and as a number."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QHBoxLayout, QSlider, QSpinBox, QWidget

LEAST, MOST = 1, 99  # at 0 and 100 nothing would be left to decide


class PercentSlider(QWidget):
    """Chooses whole percents; a double click on the slider gives back what it began with."""

    valueChanged = Signal(int)

    def __init__(self, start: int = 50, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = _Slider(start)
        self.number = QSpinBox()
        for widget in (self.slider, self.number):
            widget.setRange(LEAST, MOST)
            widget.setValue(start)
        self.number.setSuffix(" %")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.number)
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self._on_number)

    def value(self) -> int:
        """Give the percents."""
        return int(self.number.value())

    def setValue(self, percents: int) -> None:
        """Show these percents."""
        self.number.setValue(percents)

    def setToolTip(self, text: str) -> None:
        """Say what it is for, wherever the mouse is."""
        super().setToolTip(text)
        for widget in (self.slider, self.number):
            widget.setToolTip(text)

    def _on_number(self, percents: int) -> None:
        self.slider.setValue(percents)
        self.valueChanged.emit(percents)


class _Slider(QSlider):
    def __init__(self, start: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._start = start

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.setValue(self._start)
