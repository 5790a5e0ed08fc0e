"""Form: the chosen class, or all."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.core.say import shortened
from napari_vol3d.gui.forms.rows import narrow

LONG_NAME = 22  # letters


class Which(Enum):
    """Classes that a tool works on."""

    CHOSEN = "the chosen class"
    ALL = "all classes"


class WhichClasses(QComboBox):
    """Chooses between the class that is painted with and all that are not locked."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for which in Which:
            self.addItem(which.value.capitalize(), which)
        narrow(self)
        self.setToolTip("The class that is chosen in the list above, or all that are not locked")
        self.currentIndexChanged.connect(self._changed)

    def value(self) -> Which:
        """Give the choice."""
        which: Which = self.currentData()
        return which

    def setValue(self, which: Which) -> None:
        """Show this choice."""
        self.setCurrentIndex(list(Which).index(which))

    def name_chosen(self, name: str) -> None:
        """Say which class the chosen one is."""
        self.setItemText(0, f"Only {shortened(name, LONG_NAME)}")

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()
