"""Give objects or whole classes another class: rename, merge, swap, delete."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import QComboBox, QPushButton
from scipy import ndimage

from napari_vol3d.core.box import Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import Objects
from napari_vol3d.correct.naming import SEVERAL, name_class
from napari_vol3d.correct.relabel import object_at, relabel, relabel_objects, swap
from napari_vol3d.gui.correct.asked import chosen
from napari_vol3d.gui.correct.box_tool import hint
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Place, Plan, Task
from napari_vol3d.gui.correct.tools.joined import joined
from napari_vol3d.gui.correct.tools.picking import Pick, PickingTool
from napari_vol3d.gui.forms.class_box import ClassBox
from napari_vol3d.gui.forms.rows import show_row

ASK = "Click on the objects; a second click takes one out again."


class Deed(Enum):
    """What is done; the value is what a person reads."""

    GIVE = "Give objects the chosen class"
    MERGE = "Merge objects into the first"
    DELETE = "Delete objects"
    CLASS = "Make a class another one"
    SWAP = "Swap two classes"


TIPS = {
    Deed.GIVE: "The objects that you click get the class that is chosen in the list above.",
    Deed.MERGE: "The objects that you click get the class of the one that was clicked first.",
    Deed.DELETE: "The objects that you click become background.",
    Deed.CLASS: "All voxels of a class get another one.",
    Deed.SWAP: "All voxels of two classes change places.",
}
WHOLE = (Deed.CLASS, Deed.SWAP)


class Relabel(PickingTool):
    """Objects are chosen by clicks, classes in boxes."""

    title: ClassVar[str] = "Relabel"
    key: ClassVar[str] = "B"
    tip: ClassVar[str] = "Give objects or classes another class, merge, swap or delete them"

    def __init__(self) -> None:
        super().__init__()
        self.deed = QComboBox()
        for deed in Deed:
            self.deed.addItem(deed.value, deed)
        self.first, self.second = ClassBox("The class that changes"), ClassBox("The class that it becomes")
        self.clear, self.hint = QPushButton("Take all out"), hint(self)
        for words, editor in (("Do", self.deed), ("Class", self.first), ("Becomes", self.second)):
            self.form.addRow(words, editor)
        self.form.addRow(self.clear)
        self.form.addRow(self.hint)
        self.deed.currentIndexChanged.connect(self._choose_deed)
        self.clear.clicked.connect(self._take_out)
        self.marksChanged.connect(self._show)
        for box in (self.first, self.second):
            box.valueChanged.connect(self.changed)
        self._show()

    def fit(self, record: Record) -> None:
        """List the classes of what is corrected."""
        classes = record.classes()
        self.first.set_classes(classes)
        self.second.set_classes(classes, otherwise=classes[1].id if len(classes) > 1 else None)

    def followed_history(self) -> None:
        """List classes that have come."""
        super().followed_history()
        if self.record is not None:
            self.fit(self.record)

    def press(self, place: Place) -> None:
        """Take what is here, or take it out; whole classes are not clicked."""
        if self._deed in WHOLE:
            self.say("Choose the classes in the boxes: whole classes are not clicked.")
        else:
            super().press(place)

    def meant(self, place: Place, voxel: Triple, record: Record) -> Pick | None:
        """Give the pick whose dot is under the mouse, or whose object is, as far as this slice shows it."""
        near = super().meant(place, voxel, record)
        if near is not None:
            return near
        here = [pick for pick in self.picks if pick.voxel[place.axis] == place.index]
        if not here or any(not 0 <= v < n for v, n in zip(voxel, record.labels.shape, strict=True)):
            return None
        plane = np.take(record.labels, place.index, axis=place.axis)
        numbers, _ = ndimage.label(plane == record.labels[voxel], np.ones((3, 3)))
        own = numbers[_within(voxel, place.axis)]
        return next((pick for pick in here if own and numbers[_within(pick.voxel, place.axis)] == own), None)

    def plan(self, task: Task) -> Plan:
        """Give what changes the ids."""
        if self._deed in WHOLE:
            return self._plan_classes(task)
        voxels = tuple(pick.voxel for pick in self.picks)
        if not voxels:
            raise Vol3dError("No object was clicked yet.", hint=ASK)
        labels, names, held, deed = task.labels, task.names, task.held, self._deed
        into = chosen(task) if deed is Deed.GIVE else int(labels[voxels[0]]) if deed is Deed.MERGE else 0
        if deed is Deed.MERGE and len(voxels) < 2:
            raise Vol3dError("Merging takes two objects or more.", hint="Click on the others, too.")

        def give() -> Edit | None:
            found = objects_at(labels, voxels)
            here = {name_class(int(labels[voxel]), names) for voxel in voxels}
            name = _name(deed, len(found), here, name_class(into, names))
            return joined(name, labels, [relabel_objects(labels, one, [1], into=into, **held) for one in found])

        return give

    def _plan_classes(self, task: Task) -> Plan:
        first, second = self.first.value(), self.second.value()
        if first is None or second is None or first == second:
            raise Vol3dError("That takes two different classes.", hint="Choose them in the boxes.")
        labels, held, swapped = task.labels, task.held, self._deed is Deed.SWAP
        names = [name_class(class_id, task.names) for class_id in (first, second)]

        def change() -> Edit | None:
            if swapped:
                return swap(labels, first, second, name=f"Swap {' and '.join(names)}", **held)
            return relabel(labels, {first: second}, name=f"Relabel {' as '.join(names)}", **held)

        return change

    @property
    def _deed(self) -> Deed:
        deed: Deed = self.deed.currentData()
        return deed

    def _choose_deed(self) -> None:
        if self._deed in WHOLE:
            self.forget()
        self._show()
        self.changed()

    def _take_out(self) -> None:
        self.forget()

    def _show(self) -> None:
        """Show what counts for the chosen deed."""
        whole = self._deed in WHOLE
        self.deed.setToolTip(TIPS[self._deed])
        self.hint.setText(TIPS[self._deed] if whole else f"{TIPS[self._deed]} A second click takes one out again.")
        show_row(self.form, self.first, whole)
        show_row(self.form, self.second, whole)
        self.form.labelForField(self.second).setText("With" if self._deed is Deed.SWAP else "Becomes")
        self.clear.setVisible(not whole)
        self.clear.setEnabled(bool(self._picks))
        self.clear.setToolTip(ASK if not self._picks else "Begin anew; a second click on an object takes out that one")


def objects_at(labels: NDArray[Any], voxels: Sequence[Triple]) -> list[Objects]:
    """Find the objects under voxels, each once."""
    found: list[Objects] = []
    for voxel in voxels:
        if not any(one.at(voxel) for one in found):
            found.append(object_at(labels, voxel))
    return found


def _name(deed: Deed, count: int, here: Collection[str], into: str) -> str:
    """Say what is done: "Delete 3 objects of posterior"."""
    objects = f"{count} objects" if count > 1 else "object"
    if deed is Deed.DELETE:
        return f"Delete {objects} of {SEVERAL if len(here) > 1 else next(iter(here))}"
    return f"Merge {objects} into {into}" if deed is Deed.MERGE else f"Relabel {objects} as {into}"


def _within(voxel: Triple, axis: int) -> tuple[int, ...]:
    """Give where a voxel is in the slice across an axis."""
    return tuple(v for k, v in enumerate(voxel) if k != axis)
