"""Four panes in the middle of the window, or one of them large."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QSplitter, QToolButton, QVBoxLayout, QWidget

from napari_vol3d.gui.bench.icons import FOUR, ONE, WINDOW, Rect, chip, icon
from napari_vol3d.gui.bench.planes import Plane

INK = QColor(140, 146, 156)  # is seen on napari's dark theme and on its light one

LEAST = 120  # pixels: napari's sliders would want twice as many, and push the dock out of the window


class Pane(QFrame):
    """A view with its name above it, and a button that makes it large."""

    largeRequested = Signal()
    windowRequested = Signal()

    def __init__(self, plane: Plane, key: str) -> None:
        super().__init__()
        self.plane, self._key = plane, key
        self._title = QLabel()
        self.large = _button(ONE)
        self.large.clicked.connect(self._ask_large)
        self.window_button = _button(WINDOW)
        self.window_button.setToolTip("Open this view in a window of its own, for a second screen")
        self.window_button.clicked.connect(self._ask_window)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 2, 0)
        row.addWidget(_chip(plane))
        row.addWidget(self._title, 1)
        row.addWidget(self.window_button)
        row.addWidget(self.large)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)
        self._column.addLayout(row)
        self.setMinimumSize(LEAST, LEAST)

    def hold(self, canvas: QWidget) -> None:
        """Take a canvas in.

        Only when the pane is in the window already: a canvas that leaves its window, for a moment even, loses what
        OpenGL holds for it, and Qt never paints it again.
        """
        self._column.addWidget(canvas, 1)
        canvas.show()  # Qt hides what moves to another parent

    def name(self, title: str, *, alone: bool) -> None:
        """Say what the pane shows; `alone`: it is the large one."""
        self._title.setText(title)
        self.large.setIcon(icon(FOUR if alone else ONE, INK))
        self.large.setToolTip("All four views (Alt+0)" if alone else f"Only this view ({self._key})")

    def _ask_large(self) -> None:
        self.largeRequested.emit()

    def _ask_window(self) -> None:
        self.windowRequested.emit()


class Panes(QWidget):
    """The panes, two by two; what a person drags apart stays so."""

    dragged = Signal()

    def __init__(self, parent: QWidget, foot: QWidget) -> None:
        super().__init__(parent)
        self._rows = [QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Horizontal)]
        self._columns = QSplitter(Qt.Orientation.Vertical)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._columns, 1)
        column.addWidget(foot)
        for row in self._rows:
            row.setChildrenCollapsible(False)
            self._columns.addWidget(row)
        self._columns.setChildrenCollapsible(False)
        for splitter in (*self._rows, self._columns):
            splitter.splitterMoved.connect(self._on_dragged)

    def _on_dragged(self) -> None:
        self.dragged.emit()

    def place(self, panes: Iterable[Pane]) -> None:
        """Fill the four places, line by line."""
        for place, pane in enumerate(panes):
            self._rows[place // 2].addWidget(pane)

    def even(self) -> None:
        """Give all the same room."""
        for splitter in (*self._rows, self._columns):
            splitter.setSizes([10_000, 10_000])

    def show_only(self, plane: Plane | None) -> None:
        """Show one pane, or all."""
        for row in self._rows:
            panes = [row.widget(place) for place in range(row.count())]
            for pane in panes:
                pane.setVisible(plane is None or pane.plane is plane)
            row.setVisible(plane is None or any(pane.plane is plane for pane in panes))

    def sizes(self) -> str:
        """Say how the room is shared, to be remembered."""
        return " ".join(",".join(map(str, s.sizes())) for s in (*self._rows, self._columns))

    def setSizes(self, said: str) -> bool:
        """Share the room as was said; give whether that makes sense, else it stays as it is."""
        lists = [part.split(",") for part in said.split()]
        sensible = len(lists) == 3 and all(number.isdigit() and int(number) > 0 for part in lists for number in part)
        if sensible:
            for splitter, part in zip((*self._rows, self._columns), lists, strict=True):
                splitter.setSizes(list(map(int, part)))
        return sensible


def _button(drawing: tuple[Rect, ...]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(drawing, INK))
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the canvases
    return button


def _chip(plane: Plane) -> QLabel:
    label = QLabel()
    label.setPixmap(chip(QColor.fromRgbF(*plane.color)))
    return label
