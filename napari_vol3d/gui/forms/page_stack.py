"""Pages of which one is seen, and which take the room of that one only."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget


class PageStack(QWidget):
    """As a QStackedWidget, which is as wide and high as its largest page, so that all others scroll in a dock."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def addWidget(self, page: QWidget) -> None:
        """Add a page; the first is the one that is seen."""
        self._pages.append(page)
        self._column.addWidget(page)
        page.setVisible(len(self._pages) == 1)

    def currentIndex(self) -> int:
        """Give the place of the page that is seen."""
        return next(place for place, page in enumerate(self._pages) if not page.isHidden())

    def setCurrentIndex(self, place: int) -> None:
        """Show another page."""
        for one, page in enumerate(self._pages):
            if one != place:
                page.hide()
        self._pages[place].show()
