"""What the panel of objects shows: finding them, the table, saving it."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.gui.forms.object_list import LEAST_BUTTON, ObjectList

NO_LABELS = "No labels are chosen. Segment a scan, or open a label map."
SOME = 1000  # steps of the bar


class ObjectsUi(QWidget):
    """The controls, without knowing a viewer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.find, self.cancel, self.save = (QPushButton(title) for title in ("Find objects", "Cancel", "Save ..."))
        self.bar = QProgressBar()
        self.bar.setRange(0, SOME)
        self.bar.setTextVisible(False)
        self.list = ObjectList()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setSpacing(4)
        for control in (self.find, self.bar, self.cancel, self.save):
            control.setMinimumWidth(LEAST_BUTTON)
            top.addWidget(control, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.said)
        column.addWidget(self.list, 1)
        self.cancel.setToolTip("Stop looking; the table stays as it is")
        self.show_state(labels=False, objects=False, busy=False)
        self.say("")

    def show_state(self, *, labels: bool, objects: bool, busy: bool) -> None:
        """Offer what can be done now."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.find.setVisible(not busy)
        self.save.setVisible(not busy)
        self.find.setEnabled(labels)
        self.find.setToolTip("Look for the connected parts of all classes, and measure them" if labels else NO_LABELS)
        self.save.setEnabled(objects)
        self.save.setToolTip("Save the rows that are listed as a table (CSV)" if objects else "Find objects first")
        self.list.setEnabled(objects)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        self.bar.setValue(round(progress.fraction * SOME))
        left = progress.seconds_left
        self.bar.setToolTip(progress.phase if left is None else f"{progress.phase}, {say_seconds(left)} left")

    def say(self, text: str) -> None:
        """Say one sentence over the table; an empty one goes away."""
        self.said.setText(text)
        self.said.setVisible(bool(text))
