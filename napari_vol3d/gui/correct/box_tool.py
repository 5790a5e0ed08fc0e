"""A tool whose options are a small form, and which works where the person says, not where the mouse is."""

from __future__ import annotations

from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.forms.rows import small_form
from napari_vol3d.gui.forms.which_classes import WhichClasses


class BoxTool(Tool):
    """While it is in hand its form follows the labels: their unit, their voxels, the class that is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.form = small_form(self)
        self.record: Record | None = None
        self._layer: Labels | None = None

    def begun(self, desk: Desk) -> None:
        """Follow the labels of this desk."""
        super().begun(desk)
        desk.recordChanged.connect(self._on_record)
        self._on_record()

    def ended(self) -> None:
        """Follow nothing."""
        if self.desk is not None:
            self.desk.recordChanged.disconnect(self._on_record)
        self._let_layer_go()
        super().ended()

    def fit(self, record: Record) -> None:
        """Bring the form to the voxels of other labels; by default there is nothing to do."""

    def name_chosen(self, name: str) -> None:
        """Say which class is chosen, where the form names it."""
        for form in self.findChildren(WhichClasses):
            form.name_chosen(name)

    def _on_record(self) -> None:
        self._let_layer_go()
        self.record = None if self.desk is None else self.desk.record
        if self.record is None:
            return
        self._layer = self.record.layer
        self._layer.events.selected_label.connect(self._on_class)
        self.fit(self.record)
        self._on_class()

    def _on_class(self, event: object = None) -> None:
        if self.record is not None:
            self.name_chosen(self.record.name_of(int(self.record.layer.selected_label)))
            self.changed()

    def changed(self, *_: object) -> None:
        """Tell that what the tool would do is another."""
        self.optionsChanged.emit()

    def _let_layer_go(self) -> None:
        if self._layer is not None:
            self._layer.events.selected_label.disconnect(self._on_class)
        self._layer = None


def hint(parent: QWidget) -> QLabel:
    """Make a line that says what the options come to; it wraps, for the dock is narrow."""
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setEnabled(False)  # paler: nothing to press
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
