"""Asking for the colour of a class, in a window that holds up nothing else."""

from __future__ import annotations

from napari.layers import Labels
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QWidget


class ClassColor(QObject):
    """One question at a time; `chosen` carries the layer, the id and the colour as "#rrggbb"."""

    chosen = Signal(object, object, str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: QColorDialog | None = None
        self._about: tuple[Labels, int] | None = None

    def ask(self, layer: Labels, class_id: int, *, name: str, color: str) -> None:
        """Ask for a new colour; a person may paint on meanwhile."""
        self.let_go()
        self._about = layer, class_id
        self.dialog = QColorDialog(QColor(color), self._window)
        self.dialog.setWindowTitle(f"Colour of {name}")
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.setModal(False)
        self.dialog.colorSelected.connect(self._choose)
        self.dialog.finished.connect(self._forget)
        self.dialog.show()

    def let_go(self) -> None:
        """Take the question back."""
        if self.dialog is not None:
            self.dialog.reject()

    def _choose(self, color: QColor) -> None:
        if self._about is not None:
            self.chosen.emit(*self._about, color.name())

    def _forget(self, result: int) -> None:
        self.dialog, self._about = None, None
