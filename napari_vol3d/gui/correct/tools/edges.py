"""Move the edge of a class outwards or inwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from qtpy.QtWidgets import QCheckBox, QComboBox

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.edges import grow, shrink
from napari_vol3d.correct.limits import FREE, Held
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.correct.asked import box_of, chosen
from napari_vol3d.gui.correct.box_tool import BoxTool, hint
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.forms.directions import Directions
from napari_vol3d.gui.forms.rows import narrow, show_row
from napari_vol3d.gui.forms.size_box import SizeBox, reach_in_words
from napari_vol3d.gui.forms.where import WhereForm

OUTWARDS, INWARDS = "Grow", "Shrink"


class MoveEdge(BoxTool):
    """Grow or shrink the chosen class by a distance."""

    title: ClassVar[str] = "Grow, shrink"
    key: ClassVar[str] = "D"
    tip: ClassVar[str] = "Move the edge of the chosen class outwards or inwards by a distance"

    def __init__(self) -> None:
        super().__init__()
        self.way = narrow(QComboBox())
        self.way.addItems([OUTWARDS, INWARDS])
        self.way.setToolTip("Grow takes what is near the class; Shrink gives its rim to the background")
        self.by, self.reach = SizeBox(1), hint(self)
        self.by.setToolTip("From centre to centre of voxels: less than a voxel moves nothing")
        self.directions, self.where = Directions(), WhereForm()
        self.over = QCheckBox("Over other classes too")
        self.over.setToolTip("Otherwise only background is taken. Locked classes stay in any case.")
        rows = {
            "Edge": self.way, "By": self.by, "Voxels": self.reach, "In": self.directions, "Where": self.where,
            "": self.over,
        }  # fmt: skip
        for title, field in rows.items():
            self.form.addRow(title, field)
        for signal in (
            self.way.currentIndexChanged, self.by.valueChanged, self.directions.valueChanged,
            self.where.valueChanged, self.over.toggled,
        ):  # fmt: skip
            signal.connect(self._show)
        self._show()

    def fit(self, record: Record) -> None:
        """Count in the unit of these labels."""
        self.by.fit(record.spacing, record.unit)
        self._show()

    def plan(self, task: Task) -> Callable[[], Edit | None]:
        """Give what moves the edge as the form says now."""
        outwards, by = self.way.currentText() == OUTWARDS, float(self.by.value())
        class_id, way = chosen(task), self.way.currentText()
        return partial(
            grow if outwards else shrink, task.labels, class_id, by=by, spacing=task.spacing,
            axis=self.directions.axis(task.axis), box=box_of(task, self.where.value()),
            name=f"{way} {name_class(class_id, task.names)} by {by:g} {task.unit}",
            **(self._held(task) if outwards else task.held),
        )  # fmt: skip

    def _held(self, task: Task) -> Held:
        """Give what stays: other classes too, where the box is not ticked."""
        if self.over.isChecked():
            return task.held
        limits = task.held.get("limits", FREE)
        if limits.inside is not None and 0 not in limits.inside:
            raise Vol3dError(
                "Limits leave no background to grow into.", hint="Tick Over other classes too, or change the limits."
            )
        return {**task.held, "limits": replace(limits, inside=frozenset({0}))}

    def _show(self, *_: object) -> None:
        show_row(self.form, self.over, self.way.currentText() == OUTWARDS)
        task = None if self.desk is None else self.desk.task()
        if task is not None:
            axis = self.directions.axis(task.axis)
            self.reach.setText(reach_in_words(self.by.value(), task.spacing, axis=axis))
        self.changed()
