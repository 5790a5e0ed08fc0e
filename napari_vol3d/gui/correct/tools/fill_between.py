"""Fill between slices: what was drawn in some is continued through those between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QComboBox

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.interpolate import interpolate
from napari_vol3d.correct.naming import LETTERS
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.correct.asked import called, classes
from napari_vol3d.gui.correct.box_tool import BoxTool
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Plan, Task
from napari_vol3d.gui.correct.unchecked import Fill, Unchecked
from napari_vol3d.gui.forms.across import Across
from napari_vol3d.gui.forms.marked_slices import MarkedSlices
from napari_vol3d.gui.forms.rows import narrow, show_row
from napari_vol3d.gui.forms.slice_words import slices_in_words
from napari_vol3d.gui.forms.unchecked_list import UncheckedList
from napari_vol3d.gui.forms.which_classes import Which, WhichClasses
from napari_vol3d.gui.space import reference_of

ALL_DRAWN, MARKED = "All slices that have it", "Slices that I mark"
LONG = 24  # letters
TIPS = {
    ALL_DRAWN: "Only gaps are filled: draw every few slices, then fill",
    MARKED: "Between the slices that you mark the class is drawn anew, whatever is there now",
}


class FillBetween(BoxTool):
    """Interpolates shapes; what it fills is marked until a person has checked it."""

    title: ClassVar[str] = "Fill between"
    key: ClassVar[str] = "A"
    tip: ClassVar[str] = "Continue what is drawn in some slices through the slices between them"

    def __init__(self) -> None:
        super().__init__()
        self._unchecked: Unchecked | None = None
        self.which, self.across, self.by = WhichClasses(), Across(), narrow(QComboBox())
        self.by.addItems([ALL_DRAWN, MARKED])
        self.marked, self.list = MarkedSlices(), UncheckedList()
        for title, field in (
            ("Classes", self.which), ("Slices", self.across), ("Go by", self.by), ("", self.marked),
        ):  # fmt: skip
            self.form.addRow(title, field)
        self.form.addRow(self.list)
        for signal in (self.across.valueChanged, self.by.currentIndexChanged):
            signal.connect(self._show)
        for form in (self.which, self.marked):
            form.valueChanged.connect(self.changed)
        self._show()

    def begun(self, desk: Desk) -> None:
        """Follow the labels, the slices shown, and what is not checked."""
        super().begun(desk)
        self._unchecked = Unchecked.of(desk)
        self._unchecked.changed.connect(self._list)
        self.list.nextAsked.connect(self._unchecked.go_to_next)
        self.list.rightAsked.connect(self._unchecked.confirm_shown)
        self.list.allAsked.connect(self._unchecked.confirm_all)
        for event in self._events(desk):
            event.connect(self._on_slice)
        self._on_slice()

    def ended(self) -> None:
        """Follow nothing."""
        if self._unchecked is not None and self.desk is not None:
            self._unchecked.changed.disconnect(self._list)
            self.list.nextAsked.disconnect(self._unchecked.go_to_next)
            self.list.rightAsked.disconnect(self._unchecked.confirm_shown)
            self.list.allAsked.disconnect(self._unchecked.confirm_all)
            for event in self._events(self.desk):
                event.disconnect(self._on_slice)
        self._unchecked = None
        super().ended()

    def fit(self, record: Record) -> None:
        """Forget slices of other labels."""
        self.marked.forget()

    def plan(self, task: Task) -> Plan:
        """Give what fills as the form says now."""
        if self._unchecked is None:
            raise Vol3dError("The tool is not in hand.", hint="Choose it first.")
        which, axis = self.which.value(), self.across.axis(task.axis)
        self._show_slice(task)
        slices = self.marked.value() if self.by.currentText() == MARKED else None
        if slices is not None and len(slices) < 2:
            raise Vol3dError("Two slices are needed to fill between.", hint="Mark the first and the last of them.")
        return _Filling(
            task=task, which=which, axis=axis, slices=slices, name=f"Fill {called(task, which)}",
            found=self._unchecked.pending,
        )  # fmt: skip

    def enterEvent(self, event: QEvent) -> None:
        """Say which view the mouse has come from: it decides which slices are meant."""
        self._on_slice()
        super().enterEvent(event)

    def _events(self, desk: Desk) -> tuple[Any, ...]:
        dims = desk.viewer.dims.events
        return dims.point, dims.order, dims.ndisplay

    def _on_slice(self, event: object = None) -> None:
        task = None if self.desk is None else self.desk.task()
        if task is not None and self.desk is not None:
            self.across.name(task.axis, anatomical=reference_of(self.desk.viewer) is not None)
            self._show_slice(task)
        self._list()

    def _show_slice(self, task: Task) -> None:
        axis = self.across.axis(task.axis)
        self.marked.show_slice(axis, task.index if axis == task.axis else task.point[axis])

    def _list(self) -> None:
        if self._unchecked is not None:
            self.list.setValue(self._unchecked.slices(), here=bool(self._unchecked.shown()))

    def _show(self, *_: object) -> None:
        self.by.setToolTip(TIPS[self.by.currentText()])
        show_row(self.form, self.marked, self.by.currentText() == MARKED)
        self._on_slice()
        self.changed()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Filling:
    """Computes a fill, and leaves word of its slices where they are marked from."""

    task: Task
    which: Which
    axis: Axis
    slices: Sequence[int] | None
    name: str
    found: Any  # deque of Fill; its append is safe in any thread

    def __call__(self) -> Edit | None:
        task = self.task
        filled = interpolate(
            task.labels, axis=self.axis, classes=classes(task, self.which), spacing=task.spacing, slices=self.slices,
            **task.held,
        )  # fmt: skip
        if filled.edit is None:
            return None
        where = slices_in_words(self.axis, filled.slices)
        if len(where) > LONG:  # the history has one line for it
            where = f"{len(filled.slices)} slices, {LETTERS[self.axis]} {min(filled.slices)}-{max(filled.slices)}"
        edit = replace(filled.edit, name=f"{self.name}, {where}")
        self.found.append(Fill(edit=edit, axis=self.axis, slices=filled.slices))
        return edit
