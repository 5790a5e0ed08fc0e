"""Smooth the borders of classes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import ClassVar

from qtpy.QtWidgets import QComboBox

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.correct.smooth import TRUNCATE, gaussian, median
from napari_vol3d.gui.correct.asked import box_of, called, classes
from napari_vol3d.gui.correct.box_tool import BoxTool, hint
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.forms.rows import narrow, show_row
from napari_vol3d.gui.forms.size_box import SizeBox, reach_in_words
from napari_vol3d.gui.forms.where import WhereForm
from napari_vol3d.gui.forms.which_classes import Which, WhichClasses


class Method(Enum):
    """A way to smooth; the value is what a person reads."""

    MEDIAN = "Median: no specks"
    GAUSSIAN = "Gaussian: keeps volumes"


TIPS = {
    Method.MEDIAN: "Each voxel goes to what fills most of a ball around it: removes specks, spikes and small holes",
    Method.GAUSSIAN: "Classes are blurred and cut anew where each keeps its volume",
}


class Smooth(BoxTool):
    """Median or Gaussian, of one class or of all at once: neighbours stay neighbours."""

    title: ClassVar[str] = "Smooth"
    key: ClassVar[str] = "S"
    tip: ClassVar[str] = "Smooth the borders of the chosen class, or of all classes together"

    def __init__(self) -> None:
        super().__init__()
        self.method = narrow(QComboBox())
        for method in Method:
            self.method.addItem(method.value, method)
        self.radius, self.sigma = SizeBox(1.5), SizeBox(1)
        self.radius.setToolTip("Of the ball: what is thinner disappears")
        self.sigma.setToolTip("Of the Gaussian, which reaches three times as far")
        self.which, self.where, self.reach = WhichClasses(), WhereForm(neighbours=2), hint(self)
        rows = {
            "Method": self.method, "Radius": self.radius, "Sigma": self.sigma, "Reaches": self.reach,
            "Classes": self.which, "Where": self.where,
        }  # fmt: skip
        for title, field in rows.items():
            self.form.addRow(title, field)
        self.method.currentIndexChanged.connect(self._show)
        for size in (self.radius, self.sigma):
            size.valueChanged.connect(self._show)
        for form in (self.which, self.where):
            form.valueChanged.connect(self.changed)
        self._show()

    def fit(self, record: Record) -> None:
        """Count in the unit of these labels."""
        self.radius.fit(record.spacing, record.unit)
        self.sigma.fit(record.spacing, record.unit)
        self._show()

    def plan(self, task: Task) -> Callable[[], Edit | None]:
        """Give what smooths as the form says now."""
        which = self.which.value()
        name = f"Smooth {called(task, which)}"
        smooth = _smooth_median if self.method.currentData() is Method.MEDIAN else _smooth_gaussian
        return partial(smooth, task, which, self._size(), box_of(task, self.where.value()), name)

    def _size(self) -> float:
        return float((self.radius if self.method.currentData() is Method.MEDIAN else self.sigma).value())

    def _show(self, *_: object) -> None:
        method = self.method.currentData()
        self.method.setToolTip(TIPS[method])
        show_row(self.form, self.radius, method is Method.MEDIAN)
        show_row(self.form, self.sigma, method is Method.GAUSSIAN)
        if self.record is not None:
            length = self._size() * (1 if method is Method.MEDIAN else TRUNCATE)
            self.reach.setText(reach_in_words(length, self.record.spacing))
        show_row(self.form, self.reach, self.record is not None)
        self.changed()


def _smooth_median(task: Task, which: Which, radius: float, box: Box | None, name: str) -> Edit | None:
    return median(
        task.labels, classes=classes(task, which), radius=radius, spacing=task.spacing, box=box, name=name, **task.held
    )


def _smooth_gaussian(task: Task, which: Which, sigma: float, box: Box | None, name: str) -> Edit | None:
    return gaussian(
        task.labels, classes=classes(task, which), sigma=sigma, spacing=task.spacing, box=box, name=name, **task.held
    )
