"""A sentence that can't be overlooked, on a ground of its own."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPalette
from qtpy.QtWidgets import QLabel, QWidget

ROUND, MARGIN = 4.0, 7
Colors = tuple[str, str]  # of the ground: beneath light text, beneath dark text
RED: Colors = ("#8c1d18", "#ffc4bd")
AMBER: Colors = ("#6b4a00", "#ffe08a")


class Banner(QLabel):
    """Text that is wrapped, on a coloured ground that goes with the theme; not seen while it says nothing.

    Painted here, for napari's theme gives every label the ground of the window.
    """

    def __init__(self, colors: Colors, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors = colors
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMargin(MARGIN)
        self.hide()

    def say(self, text: str) -> None:
        """Show this until something else is said; "" hides it."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))

    def ground(self) -> QColor:
        """Give the colour beneath the text, of the present theme."""
        light = self.palette().color(QPalette.ColorRole.WindowText).lightnessF() > 0.5
        return QColor(self._colors[0 if light else 1])

    def paintEvent(self, event: QEvent) -> None:
        """Paint ground and text; Qt calls this."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ground())
        painter.drawRoundedRect(QRectF(self.rect()), ROUND, ROUND)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        inside = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter.drawText(inside, int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.end()
