"""Form: choose one class from a box, beside its colour."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.core.labels import LabelClass

CHIP = 12  # pixels


class ClassBox(QComboBox):
    """The classes of labels; what is chosen stays chosen while it is listed."""

    valueChanged = Signal()

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listed: tuple[LabelClass, ...] = ()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.setToolTip(tip)
        self.currentIndexChanged.connect(self._changed)

    def value(self) -> int | None:
        """Give the id of the chosen class; None where there is none."""
        at = self.currentIndex()
        return self._listed[at].id if 0 <= at < len(self._listed) else None

    def setValue(self, class_id: int | None) -> None:
        """Choose a class."""
        self.setCurrentIndex(next((k for k, item in enumerate(self._listed) if item.id == class_id), -1))

    def set_classes(self, classes: Iterable[LabelClass], *, otherwise: int | None = None) -> None:
        """List these; `otherwise` is chosen where what was chosen is not among them."""
        listed, before = tuple(classes), self.value()
        if listed == self._listed:
            return
        self.blockSignals(True)
        self.clear()
        self._listed = listed
        for item in listed:
            self.addItem(_chip(item.color), item.name)
        known = {item.id for item in listed}
        self.setValue(next((i for i in (before, otherwise) if i in known), listed[0].id if listed else None))
        self.blockSignals(False)
        if self.value() != before:
            self._changed()

    def _changed(self, *_: object) -> None:
        self.valueChanged.emit()


def _chip(color: str) -> QIcon:
    pixmap = QPixmap(CHIP, CHIP)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)
