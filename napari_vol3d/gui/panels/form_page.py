"""Parts of a page on which a long form scrolls, and what matters stays in sight below it."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

MARGINS = (2, 2, 2, 2)
LEAST_FORM = 160  # pixels of the form that are seen in a low window
BUTTON_HEIGHT = 34


class Scrolled(QScrollArea):
    """Takes the room that is left: the dock's page, which scrolls too, goes by what its parts would like to have."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumHeight(LEAST_FORM)

    def sizeHint(self) -> QSize:
        """Give the least height; Qt calls this."""
        return QSize(super().sizeHint().width(), LEAST_FORM)


def new_page() -> tuple[QWidget, QVBoxLayout]:
    """Make a page, and give the column that it is filled through."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(*MARGINS)
    return page, column


def button_row(wide: QPushButton, other: QPushButton) -> QHBoxLayout:
    """Put what a person goes on with beside the way back."""
    row = QHBoxLayout()
    for button, share in ((wide, 2), (other, 1)):
        button.setMinimumHeight(BUTTON_HEIGHT)
        row.addWidget(button, share)
    return row
