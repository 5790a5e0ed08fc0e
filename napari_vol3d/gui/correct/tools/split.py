"""Split touching objects: where they are narrow, around clicks, or into a number of parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from enum import Enum
from typing import ClassVar

from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSpinBox, QWidget

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.naming import name_class
from napari_vol3d.correct.split import split_at_seeds, split_class, split_object
from napari_vol3d.gui.correct.asked import chosen
from napari_vol3d.gui.correct.box_tool import hint
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Place, Plan, Task
from napari_vol3d.gui.correct.tools.free_ids import free_ids
from napari_vol3d.gui.correct.tools.necks import neck_for
from napari_vol3d.gui.correct.tools.picking import Pick, PickingTool
from napari_vol3d.gui.forms.rows import show_row
from napari_vol3d.gui.forms.size_box import SizeBox

ASK = "Click on the object to split."


class Way(Enum):
    """How parts are told; the value is what a person reads."""

    CLICKS = "The object I click"
    COUNT = "The object, into n parts"
    CLASS = "All of the chosen class"


HINTS = {
    Way.CLICKS: "One click cuts an object at its necks. Click into each part, and each click gets one.",
    Way.COUNT: "Click on an object: it is cut at its deepest necks.",
    Way.CLASS: "Every object of the class is cut at its necks; no click is needed.",
}


class SplitObject(PickingTool):
    """The largest part keeps its class, the others get new ones or the chosen class."""

    title: ClassVar[str] = "Split"
    key: ClassVar[str] = "R"
    tip: ClassVar[str] = "Split objects that touch: at their necks, or around your clicks"

    def __init__(self) -> None:
        super().__init__()
        self.way, self.count, self.parts, self.hint = QComboBox(), QSpinBox(), QComboBox(), hint(self)
        self.necks, self.by_depth, self.neck = QWidget(), QCheckBox("deeper than"), SizeBox(1)
        self._fill()
        for words, editor in (
            ("Split", self.way), ("Number", self.count), ("Necks", self.necks), ("Parts", self.parts),
        ):  # fmt: skip
            self.form.addRow(words, editor)
        self.form.addRow(self.hint)
        self.way.currentIndexChanged.connect(self._choose_way)
        self.by_depth.toggled.connect(self.neck.setEnabled)
        for signal in (
            self.count.valueChanged, self.by_depth.toggled, self.neck.valueChanged, self.parts.currentIndexChanged,
        ):  # fmt: skip
            signal.connect(self.changed)
        self._show()

    def fit(self, record: Record) -> None:
        """Measure necks in the unit of the labels."""
        self.neck.fit(record.spacing, record.unit)

    def press(self, place: Place) -> None:
        """Take a click in, where clicks count."""
        if self._way is Way.CLASS:
            self.say(HINTS[Way.CLASS])
        else:
            super().press(place)

    def take(self, pick: Pick) -> None:
        """Add a click; where the object is all that counts, the last one."""
        if self._way is Way.COUNT:
            self._picks = ()
        super().take(pick)

    def plan(self, task: Task) -> Plan:
        """Give what splits the object that was clicked, or all of the class."""
        labels, spacing, held, way, count = task.labels, task.spacing, task.held, self._way, self.count.value()
        neck = self.neck.value() if self.by_depth.isChecked() else None
        voxels = tuple(pick.voxel for pick in self.picks)
        class_id = chosen(task) if way is Way.CLASS else self._clicked(task)
        ids = self._ids(task, class_id)
        name = f"Split {name_class(class_id, task.names)}"

        def split() -> Edit | None:
            if way is Way.CLASS:
                return split_class(labels, class_id, ids=ids(), spacing=spacing, neck=neck, name=name, **held)
            if way is Way.CLICKS and len(voxels) > 1:
                return split_at_seeds(labels, voxels, ids=ids(), spacing=spacing, name=name, **held)
            depth = neck_for(labels, voxels[0], count, spacing=spacing) if way is Way.COUNT else neck
            return split_object(labels, voxels[0], ids=ids(), spacing=spacing, neck=depth, name=name, **held)

        return split

    @property
    def _way(self) -> Way:
        way: Way = self.way.currentData()
        return way

    def _ids(self, task: Task, class_id: int) -> Callable[[], Iterator[int]]:
        """Give what the parts get but the largest; free ids are looked for in the other thread."""
        if self.parts.currentIndex() == 0:
            return lambda: free_ids(task.labels, task.names)
        into = chosen(task)
        if into == class_id:
            raise Vol3dError("The parts would all keep their class.", hint="Choose another one, or new classes.")
        return lambda: itertools.repeat(into)

    def _clicked(self, task: Task) -> int:
        """Give the class of the object that was clicked."""
        class_id = int(task.labels[self.picks[0].voxel]) if self.picks else 0
        if class_id == 0:
            raise Vol3dError("No object was clicked yet." if not self.picks else "The object is gone.", hint=ASK)
        return class_id

    def _choose_way(self) -> None:
        if self._way is Way.CLASS:
            self.forget()
        elif self._way is Way.COUNT and len(self._picks) > 1:
            self._set(self._picks[-1:])
        self._show()
        self.changed()

    def _show(self) -> None:
        """Show what counts for the chosen way."""
        self.hint.setText(HINTS[self._way])
        show_row(self.form, self.count, self._way is Way.COUNT)
        show_row(self.form, self.necks, self._way is not Way.COUNT)

    def _fill(self) -> None:
        for way in Way:
            self.way.addItem(way.value, way)
        self.way.setToolTip("What is split")
        self.count.setRange(2, 99)
        self.count.setSuffix(" parts")
        self.count.setToolTip("How many parts there shall be")
        self.parts.addItems(["get new classes", "get the chosen class"])
        self.parts.setToolTip("What all parts but the largest become; that one keeps its class")
        self.by_depth.setToolTip("Else a neck counts from a twentieth of the greatest distance to the border on")
        self.neck.setToolTip("How much nearer the border is in a neck than beside it, on both sides; less splits more")
        self.neck.setEnabled(False)
        row = QHBoxLayout(self.necks)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.by_depth)
        row.addWidget(self.neck, 1)
