"""Scissors: a line drawn with the mouse cuts, straight through the slices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFormLayout, QSpinBox, QWidget

from napari_vol3d.core.edits import Edit
from napari_vol3d.correct.lasso import give_inside, give_outside
from napari_vol3d.correct.naming import LETTERS, name_class
from napari_vol3d.correct.scissors import cut
from napari_vol3d.gui.correct.drawn_line import DrawnLine
from napari_vol3d.gui.correct.tool import MouseTool, Place, Task
from napari_vol3d.gui.correct.tools.free_ids import free_ids

INSIDE, OUTSIDE, NEW, IN_TWO = range(4)
WAYS = {
    INSIDE: ("Erase inside the line", "Draw around what shall go"),
    OUTSIDE: ("Erase outside the line", "Draw around what shall stay"),
    NEW: ("Inside becomes a new class", "Draw around what shall be a class of its own"),
    IN_TWO: ("Cut in two along the line", "Draw across an object: the smaller part becomes a new class"),
}
CHOSEN, ALL = range(2)
COLOR = "#ffd54f"
SHORT = 14  # letters: the longest choice would need most of a narrow dock
STEADY = 2.0  # pixels: a hand that is closer to the last point has not moved


class Scissors(MouseTool):
    """Draws a line while the button is held, and cuts at its release."""

    title: ClassVar[str] = "Scissors"
    key: ClassVar[str] = "Z"
    tip: ClassVar[str] = "Draw a line: erase inside or outside of it, or cut an object in two, through the slices"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.way, self.of, self.depth = QComboBox(), QComboBox(), QSpinBox()
        for words, tip in WAYS.values():
            self.way.addItem(words)
            self.way.setItemData(self.way.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.of.addItems(["the chosen class", "all classes"])
        self.way.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.way.setMinimumContentsLength(SHORT)
        self.depth.setRange(0, 9999)
        self.depth.setSpecialValueText("all slices")
        self.depth.setSuffix(" slices")
        self.depth.setToolTip("How many slices are cut: the one that is shown is the middle one; 0 cuts all")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        for words, editor in (("Do", self.way), ("Cut", self.of), ("Through", self.depth)):
            form.addRow(words, editor)
        self.way.currentIndexChanged.connect(self._choose_way)
        for signal in (self.of.currentIndexChanged, self.depth.valueChanged):
            signal.connect(self._changed)
        self._line: DrawnLine | None = None
        self._places: list[Place] = []
        self._choose_way()

    def ended(self) -> None:
        """Take the line off the canvas."""
        self._drop()
        super().ended()

    def let_go(self) -> None:
        """Take the line off the canvas."""
        self._drop()

    def press(self, place: Place) -> None:
        """Begin the line."""
        self._drop()
        self._line = DrawnLine(place.view, color=COLOR, closed=self.way.currentIndex() != IN_TWO)
        self._places = [place]

    def drag(self, places: Sequence[Place]) -> None:
        """Draw on, on the slice that the line began on."""
        if self._line is None:
            return
        first = self._places[0]
        for place in places:
            if (place.axis, place.index) == (first.axis, first.index) and _moved(place, self._places[-1]):
                self._places.append(place)
        self._line.draw([place.pixel for place in self._places])

    def release(self) -> None:
        """Cut."""
        places = self._places
        self._drop()
        desk = self.desk
        record = None if desk is None else desk.record
        task = None if desk is None or not places else desk.task(places[0].view)
        if desk is None or record is None or task is None:
            return
        if len(places) < (2 if self.way.currentIndex() == IN_TWO else 3):
            desk.say("Hold the button and draw a line to cut along.")
            return
        edit = self.edit(task, places)
        if edit is None:
            desk.say("Nothing to cut here: no voxel of it lies there that may change.")
        else:
            record.do(edit)

    def cancel(self) -> None:
        """Cut nothing."""
        self._drop()

    def edit(self, task: Task, places: Sequence[Place]) -> Edit | None:
        """Give what a line cuts.

        Raises
        ------
        Vol3dError
            If it cuts nothing of the class, or there is no id left for a new class.
        """
        way, axis, index = self.way.currentIndex(), places[0].axis, places[0].index
        line, slices = [place.voxel for place in places], self._slices(index)
        ids = free_ids(task.labels, task.names)
        if way == IN_TWO:
            name = f"Cut {name_class(task.class_id, task.names)} in two{self._where(axis, index)}"
            return cut(
                task.labels, line, class_id=task.class_id, ids=ids, axis=axis, slices=slices, name=name, **task.held
            )
        give = give_outside if way == OUTSIDE else give_inside
        class_id = next(ids, 0) if way == NEW else 0
        return give(
            task.labels, line, class_id=class_id, of=self._of(task), axis=axis, slices=slices,
            name=self._name(task, class_id, axis, index), **task.held,
        )  # fmt: skip

    def _of(self, task: Task) -> Collection[int] | None:
        return None if self.of.currentIndex() == ALL else (task.class_id,)

    def _slices(self, index: int) -> tuple[int, int] | None:
        count = self.depth.value()
        first = index - (count - 1) // 2
        return (first, first + count) if count else None

    def _name(self, task: Task, class_id: int, axis: int, index: int) -> str:
        of = "all classes" if self.of.currentIndex() == ALL else name_class(task.class_id, task.names)
        if class_id:
            return f"Cut class {class_id} out of {of}{self._where(axis, index)}"
        side = "outside" if self.way.currentIndex() == OUTSIDE else "inside"
        return f"Erase {of} {side} a line{self._where(axis, index)}"

    def _where(self, axis: int, index: int) -> str:
        slices = self._slices(index)
        if slices is None:
            return ""
        first, last = max(slices[0], 0), slices[1] - 1
        return f", {LETTERS[axis]} {first}" if first == last else f", {LETTERS[axis]} {first}-{last}"

    def _choose_way(self) -> None:
        way = self.way.currentIndex()
        self.way.setToolTip(WAYS[way][1])
        self.of.setEnabled(way != IN_TWO)
        self.of.setToolTip("Only the chosen class can be cut in two" if way == IN_TWO else "Which classes are cut")
        self._changed()

    def _drop(self) -> None:
        line, self._line, self._places = self._line, None, []
        if line is not None:
            line.let_go()

    def _changed(self, *_: object) -> None:
        self.optionsChanged.emit()


def _moved(place: Place, last: Place) -> bool:
    return max(abs(a - b) for a, b in zip(place.pixel, last.pixel, strict=True)) >= STEADY
