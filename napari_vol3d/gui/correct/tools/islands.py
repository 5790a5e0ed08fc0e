"""Islands, holes and gaps of classes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import ClassVar

from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.correct.holes import close_gaps, fill_holes, fill_holes_in_slices
from napari_vol3d.correct.islands import keep_largest, remove_small, split_islands
from napari_vol3d.correct.naming import name_class
from napari_vol3d.correct.refill import Refill, to_background, to_neighbour
from napari_vol3d.gui.correct.asked import box_of, called, chosen, classes
from napari_vol3d.gui.correct.box_tool import BoxTool
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.correct.tools.free_ids import free_ids
from napari_vol3d.gui.forms.directions import Directions
from napari_vol3d.gui.forms.rows import narrow, show_row
from napari_vol3d.gui.forms.size_box import SizeBox
from napari_vol3d.gui.forms.where import WhereForm
from napari_vol3d.gui.forms.which_classes import Which, WhichClasses

Plan = Callable[[], "Edit | None"]


class Action(Enum):
    """What is done; the value is what a person reads."""

    KEEP = "Keep the largest island"
    REMOVE = "Remove small islands"
    SPLIT = "Split islands into classes"
    FILL = "Fill holes"
    CLOSE = "Close gaps"


TIPS = {
    Action.KEEP: "Of each class only the largest part that hangs together stays",
    Action.REMOVE: "Parts that hang together and are smaller than this go",
    Action.SPLIT: "The largest part keeps the class, each other becomes a new one",
    Action.FILL: "Background that the class encloses becomes the class",
    Action.CLOSE: "Cracks and dents of the class that no ball fits into are filled",
}
REFILLS: dict[str, Refill] = {"Background": to_background, "What they touch most": to_neighbour}


class Islands(BoxTool):
    """Keeps, removes or splits the parts of classes, and fills their holes and gaps."""

    title: ClassVar[str] = "Islands, holes"
    key: ClassVar[str] = "F"
    tip: ClassVar[str] = "Keep the largest part of a class, remove or split small ones, fill holes and gaps"

    def __init__(self) -> None:
        super().__init__()
        self.action, self.refill = narrow(QComboBox()), narrow(QComboBox())
        for action in Action:
            self.action.addItem(action.value, action)
        self.refill.addItems(list(REFILLS))
        self.refill.setToolTip("What the voxels of removed islands become")
        self.least, self.radius = SizeBox(100, power=3), SizeBox(1.5)
        self.least.setToolTip("Islands with less volume than this are removed")
        self.radius.setToolTip("Of the ball: gaps up to about twice as wide are closed")
        self.which, self.directions, self.where = WhichClasses(), Directions(), WhereForm()
        rows: dict[str, QWidget] = {
            "Do": self.action, "Below": self.least, "Radius": self.radius, "Classes": self.which,
            "In": self.directions, "Become": self.refill, "Where": self.where,
        }  # fmt: skip
        for title, field in rows.items():
            self.form.addRow(title, field)
        self.action.currentIndexChanged.connect(self._show)
        for signal in (
            self.refill.currentIndexChanged, self.least.valueChanged, self.radius.valueChanged,
            self.which.valueChanged, self.directions.valueChanged, self.where.valueChanged,
        ):  # fmt: skip
            signal.connect(self.changed)
        self._show()

    def fit(self, record: Record) -> None:
        """Count in the unit of these labels."""
        self.least.fit(record.spacing, record.unit)
        self.radius.fit(record.spacing, record.unit)

    def plan(self, task: Task) -> Plan:
        """Give what does the action as the form says now."""
        make = {
            Action.KEEP: self._keep, Action.REMOVE: self._remove, Action.SPLIT: self._split,
            Action.FILL: self._fill, Action.CLOSE: self._close,
        }[self.action.currentData()]  # fmt: skip
        return make(task, box_of(task, self.where.value()))

    def _keep(self, task: Task, box: Box | None) -> Plan:
        which = self.which.value()
        return partial(_keep, task, which, self._refill(), box, f"Keep largest of {called(task, which)}")

    def _remove(self, task: Task, box: Box | None) -> Plan:
        which, least = self.which.value(), float(self.least.value())
        name = f"Remove islands below {least:g}{self.least.suffix()} of {called(task, which)}"
        return partial(_remove, task, which, least, self._refill(), box, name)

    def _split(self, task: Task, box: Box | None) -> Plan:
        class_id = chosen(task)
        return partial(_split, task, class_id, f"Split islands of {name_class(class_id, task.names)}")

    def _fill(self, task: Task, box: Box | None) -> Plan:
        class_id, name = chosen(task), f"Fill holes of {name_class(task.class_id, task.names)}"
        if self.directions.value():
            return partial(
                fill_holes_in_slices, task.labels, class_id, axis=task.axis, box=box, name=name, **task.held
            )
        return partial(fill_holes, task.labels, class_id, box=box, name=name, **task.held)

    def _close(self, task: Task, box: Box | None) -> Plan:
        class_id, axis = chosen(task), self.directions.axis(task.axis)
        name = f"Close gaps of {name_class(class_id, task.names)}"
        return partial(
            close_gaps, task.labels, class_id, radius=float(self.radius.value()), spacing=task.spacing, axis=axis,
            box=box, name=name, **task.held,
        )  # fmt: skip

    def _refill(self) -> Refill:
        return REFILLS[self.refill.currentText()]

    def _show(self, *_: object) -> None:
        action = self.action.currentData()
        self.action.setToolTip(TIPS[action])
        islands = action in (Action.KEEP, Action.REMOVE)
        show_row(self.form, self.least, action is Action.REMOVE)
        show_row(self.form, self.radius, action is Action.CLOSE)
        show_row(self.form, self.which, islands)
        show_row(self.form, self.refill, islands)
        show_row(self.form, self.directions, action in (Action.FILL, Action.CLOSE))
        show_row(self.form, self.where, action is not Action.SPLIT)
        self.changed()


def _keep(task: Task, which: Which, refill: Refill, box: Box | None, name: str) -> Edit | None:
    ids = classes(task, which)
    return keep_largest(task.labels, ids, spacing=task.spacing, refill=refill, box=box, name=name, **task.held)


def _remove(task: Task, which: Which, least: float, refill: Refill, box: Box | None, name: str) -> Edit | None:
    return remove_small(
        task.labels, classes(task, which), least=least, spacing=task.spacing, refill=refill, box=box, name=name,
        **task.held,
    )  # fmt: skip


def _split(task: Task, class_id: int, name: str) -> Edit | None:
    return split_islands(task.labels, class_id, ids=free_ids(task.labels, task.names), name=name, **task.held)
