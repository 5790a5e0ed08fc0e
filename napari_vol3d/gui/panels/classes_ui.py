"""What the panel of classes shows: which labels, the list, how they are drawn."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from superqt import QLabeledSlider

from napari_vol3d.gui.forms.class_list import ClassList

DRAWN = ("filled", "outline, 1 voxel", "outline, 2 voxels")  # by `contour` of a Labels layer
NO_LABELS = "No labels are open. Segment a scan, or open a label map."
NO_CLASS = "Choose a class in the list first"
LEAST_BUTTON = 60  # pixels


class ClassesUi(QWidget):
    """The controls, without knowing a viewer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.which = QLabel(NO_LABELS)
        self.which.setWordWrap(True)
        self.which.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # names may be long
        self.list = ClassList()
        self.isolate = QPushButton("Isolate")
        self.isolate.setCheckable(True)
        self.show_all = QPushButton("Show all")
        self.show_all.setToolTip("Show every class, fully opaque")
        self.color = QPushButton("Colour ...")
        self.jump = QPushButton("Go to")
        self.opacity = _percent()
        self.all_opacity = _percent()
        self.all_opacity.setToolTip("How opaque these labels are over the scan")
        self.drawn = QComboBox()
        self.drawn.addItems(DRAWN)
        self.drawn.setToolTip("Fill the classes, or draw their outlines on the slice; 3D views are always filled")
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.said.hide()
        self._lay_out()
        self.enable(labels=False, chosen=None)

    def enable(self, *, labels: bool, chosen: str | None) -> None:
        """Offer what works with these labels and the class of this name; tooltips say what does not, and why."""
        for control in (self.list, self.show_all, self.all_opacity, self.drawn):
            control.setEnabled(labels)
        hints = {
            self.isolate: f"Show only {chosen}; once more: all of them again",
            self.color: f"Give {chosen} another colour, here and in the files you save",
            self.jump: f"Go to the middle of the largest object of {chosen}",
            self.opacity: f"How opaque {chosen} is among these labels",
        }
        for control, hint in hints.items():
            control.setEnabled(chosen is not None)
            control.setToolTip(hint if chosen is not None else NO_CLASS if labels else NO_LABELS)

    def say(self, text: str) -> None:
        """Say one sentence below the buttons; an empty one goes away."""
        self.said.setText(text)
        self.said.setVisible(bool(text))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.isolate, self.show_all, self.color, self.jump):
            button.setMinimumWidth(LEAST_BUTTON)  # napari's theme would have them wider than the dock
            buttons.addWidget(button)
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.addRow("Class opacity, %", self.opacity)
        rows.addRow("All labels, %", self.all_opacity)
        rows.addRow("Drawn", self.drawn)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.which)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        column.addWidget(self.said)
        column.addLayout(rows)


def _percent() -> QLabeledSlider:
    slider = QLabeledSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setValue(100)
    return slider
