"""Copy labels from another layer, or from the state before the first correction."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.relabel import add_classes, copy_box, copy_classes
from napari_vol3d.gui.correct.asked import box_of, called, chosen
from napari_vol3d.gui.correct.box_tool import BoxTool
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Plan, Task
from napari_vol3d.gui.correct.tools.sources import FirstState, voxels_of, why_not
from napari_vol3d.gui.forms.where import WhereForm
from napari_vol3d.gui.forms.which_classes import Which, WhichClasses
from napari_vol3d.gui.layers import PREVIEW, origin_of

if TYPE_CHECKING:
    from napari_vol3d.gui.correct.desk import Desk

FIRST = "first"  # stands for the state before any correction
UNCHANGED = "Nothing was corrected yet."


class How(Enum):
    """What becomes of the voxels; the value is what a person reads."""

    SAME = "exactly as there"
    ADD = "only add what is there"


TIPS = {
    How.SAME: "The classes become what they are there; what they have here and not there becomes background",
    How.ADD: "The classes get what they have there, and lose nothing",
}


class CopyFrom(BoxTool):
    """Labels on the same grid are copied voxel by voxel, in a part of the volume."""

    title: ClassVar[str] = "Copy"
    key: ClassVar[str] = "C"
    tip: ClassVar[str] = "Copy classes from other labels of the same scan, or from what the model predicted"

    def __init__(self) -> None:
        super().__init__()
        self.source, self.which, self.how, self.where = QComboBox(), WhichClasses(), QComboBox(), WhereForm()
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumContentsLength(12)
        for how in How:
            self.how.addItem(how.value, how)
        for words, editor in (("From", self.source), ("Copy", self.which), ("How", self.how), ("Where", self.where)):
            self.form.addRow(words, editor)
        for signal in (
            self.source.currentIndexChanged, self.which.valueChanged, self.how.currentIndexChanged,
            self.where.valueChanged,
        ):  # fmt: skip
            signal.connect(self._on_option)
        self._on_option()

    def begun(self, desk: Desk) -> None:
        """Follow the layers."""
        super().begun(desk)
        for signal in self._signals(desk):
            signal.connect(self._list)
        desk.changed.connect(self._list)

    def ended(self) -> None:
        """Let go of them."""
        if self.desk is not None:
            for signal in self._signals(self.desk):
                signal.disconnect(self._list)
            self.desk.changed.disconnect(self._list)
        super().ended()
        self.source.blockSignals(True)
        self.source.clear()  # it would hold layers that are taken away
        self.source.blockSignals(False)

    def fit(self, record: Record) -> None:
        """List what can be copied onto these labels."""
        self._list()

    def plan(self, task: Task) -> Plan:
        """Give what copies."""
        source, which, how, where = self._voxels(), self.which.value(), self.how.currentData(), self.where.value()
        labels, held = task.labels, task.held
        name = f"{'Copy' if how is How.SAME else 'Add'} {called(task, which)}"
        ids = (chosen(task),) if which is Which.CHOSEN else None
        z, y, x = (int(n) for n in labels.shape)
        box = box_of(task, where) or Box.of((z, y, x))

        def copy() -> Edit | None:
            if how is How.ADD:
                return add_classes(labels, source, ids or _present(labels, source, box), box=box, name=name, **held)
            if ids is None:
                return copy_box(labels, source, box=box, name=name, **held)
            return copy_classes(labels, source, ids, box=box, name=name, **held)

        return copy

    def _voxels(self) -> Any:
        """Give what is copied from.

        Raises
        ------
        Vol3dError
            If nothing is there to copy from, or the first state can't be read.
        """
        chosen_one = self.source.currentData()
        if self.record is None or chosen_one is None:
            raise Vol3dError("There are no labels to copy from.", hint="Open others of the same scan.")
        return FirstState.of(self.record) if chosen_one == FIRST else voxels_of(chosen_one, self.record)

    def _on_option(self, *_: object) -> None:
        self.how.setToolTip(TIPS[self.how.currentData()])
        tip = self.source.currentData(Qt.ItemDataRole.ToolTipRole)
        self.source.setToolTip(tip or "There are no other labels of this scan: open some, or correct these")
        self.changed()

    def _list(self, event: object = None) -> None:
        """List layers and the first state, those that do not fit greyed out; what is chosen stays chosen."""
        if self.desk is None or self.record is None:
            return
        before = self.source.currentData()
        self.source.blockSignals(True)
        self.source.clear()
        for layer in reversed(self.desk.viewer.layers):
            if isinstance(layer, Labels) and layer is not self.record.layer and PREVIEW not in layer.metadata:
                self._add(layer.name, layer, why_not(layer, self.record))
        model = getattr(origin_of(self.record.layer), "model", "")
        words = f"As predicted: {model}" if model else "As it was at first"
        self._add(words, FIRST, "" if self.record.history.at else UNCHANGED)
        fitting = [row for row in range(self.source.count()) if self._fits(row)]
        same = [row for row in fitting if self.source.itemData(row) == before]
        self.source.setCurrentIndex((same or fitting or [-1])[0])
        self.source.blockSignals(False)
        if self.source.currentData() != before:  # else a preview, which is a layer too, would ask for itself
            self._on_option()

    def _add(self, words: str, source: Labels | str, why: str) -> None:
        self.source.addItem(words, source)
        item = self.source.model().item(self.source.count() - 1)
        item.setEnabled(not why)
        item.setToolTip(f"Can't be copied. {why}" if why else f"{words}: same grid, voxel by voxel")

    def _fits(self, row: int) -> bool:
        return bool(self.source.model().item(row).isEnabled())

    @staticmethod
    def _signals(desk: Desk) -> tuple[Any, ...]:
        events = desk.viewer.layers.events
        return events.inserted, events.removed, events.renamed, events.reordered


def _present(labels: Any, source: Any, box: Box) -> list[int]:
    """Give the ids that occur here or there."""
    found = [np.unique(np.asarray(array[box.slices])) for array in (labels, source)]
    return sorted({int(i) for ids in found for i in ids} - {0})
