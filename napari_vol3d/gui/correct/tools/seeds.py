"""Grow from painted seeds, along the edges of the scan or through intensities like theirs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import ClassVar

from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.grow import grow_random_walker, grow_watershed
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.correct.asked import chosen
from napari_vol3d.gui.correct.box_tool import hint
from napari_vol3d.gui.correct.mark import Mark, way
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Place, Plan, Task
from napari_vol3d.gui.correct.tools.marking import MarkingTool, color_of, colors_of, inside
from napari_vol3d.gui.correct.tools.regions import grow_regions
from napari_vol3d.gui.correct.tools.seed_strokes import BACKGROUND, Seeds, Stroke, without
from napari_vol3d.gui.forms.rows import show_row
from napari_vol3d.gui.forms.size_box import SizeBox

BACKGROUND_COLOR = "#ffffff"
RUB = 2  # voxels around the eraser
MARGIN = 10  # voxels, to begin with
NO_SCAN = "Growing needs a scan on the grid of the labels."


class Method(Enum):
    """How seeds grow; the value is what a person reads."""

    WALKER = "Random walker"
    WATERSHED = "Watershed"
    REGION = "Through like intensities"


TIPS = {
    Method.WALKER: "Along the edges of the scan; good at weak and noisy ones",
    Method.WATERSHED: "Along the edges of the scan; more exact where they are clear",
    Method.REGION: "The chosen class grows from its seeds through voxels as bright as these; needs no other seeds",
}


class GrowFromSeeds(MarkingTool):
    """Strokes paint seeds of the chosen class or of the background; with Ctrl they rub seeds out."""

    title: ClassVar[str] = "From seeds"
    key: ClassVar[str] = "G"
    tip: ClassVar[str] = "Paint a few seeds of each class and of the background; they grow to the edges in the scan"

    def __init__(self) -> None:
        super().__init__()
        self._strokes: tuple[Stroke, ...] = ()
        self._points: list[tuple[float, float, float]] = []  # of the stroke that is being painted
        self._before: tuple[Stroke, ...] = ()
        self._rubbing = False
        self.kind, self.method, self.hint = QComboBox(), QComboBox(), hint(self)
        self.margin, self.spread = SizeBox(MARGIN), QDoubleSpinBox()
        self.back, self.clear = QPushButton("Take last back"), QPushButton("Clear")
        self._fill()
        for words, editor in (
            ("Paint", self.kind), ("Grow by", self.method), ("Range", self.spread), ("Margin", self.margin),
        ):  # fmt: skip
            self.form.addRow(words, editor)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.back)
        row.addWidget(self.clear)
        self.form.addRow(buttons)
        self.form.addRow(self.hint)
        self.method.currentIndexChanged.connect(self._show)
        self.back.clicked.connect(self._take_back)
        self.clear.clicked.connect(self.forget)
        for signal in (self.method.currentIndexChanged, self.margin.valueChanged, self.spread.valueChanged):
            signal.connect(self.changed)
        self.marksChanged.connect(self._show)
        self._show()

    # ---- seeds ------------------------------------------------------------------------------------------------------

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What was painted in the time point that is shown."""
        frame = 0 if self.record is None else self.record.frame
        return tuple(stroke for stroke in self._strokes if stroke.frame == frame)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """A line for each stroke."""
        colors = {} if self.record is None else colors_of(self.record)
        colors[BACKGROUND] = BACKGROUND_COLOR
        return tuple(Mark(voxels=one.voxels, color=color_of(colors, one.class_id)) for one in self.strokes)

    def forget(self, *_: object) -> None:
        """Take all seeds back."""
        if self._strokes:
            self._set(())
            self.changed()

    def press(self, place: Place) -> None:
        """Begin a stroke."""
        self._before, self._rubbing, self._points = self._strokes, place.erasing, []
        if self.record is not None and self._class == 0:
            self.say("The background is chosen: paint it with the box above, or choose a class.")
        self.drag([place])

    def drag(self, places: Sequence[Place]) -> None:
        """Go on with it."""
        record = self.record
        if record is None or self._class == 0:
            return
        self._points += [_on_slice(place) for place in places]
        voxels = tuple(voxel for voxel in way(self._points) if inside(voxel, record.labels.shape))
        if self._rubbing and voxels:
            self._set(without(self._before, voxels, reach=RUB, frame=record.frame))
        elif voxels:
            self._set((*self._before, Stroke(class_id=self._class, voxels=voxels, frame=record.frame)))

    def release(self) -> None:
        """End it."""
        if self._points:
            self._points = []
            self.changed()

    def cancel(self) -> None:
        """End it, and take it back."""
        if self._points:
            self._points = []
            self._set(self._before)

    def name_chosen(self, name: str) -> None:
        """Say which class is painted."""
        self.kind.setItemText(0, f"seeds of {name}")

    def fit(self, record: Record) -> None:
        """Measure in the unit of the labels."""
        self.margin.fit(record.spacing, record.unit)

    # ---- growing ----------------------------------------------------------------------------------------------------

    def plan(self, task: Task) -> Plan:
        """Give what grows the seeds."""
        if task.held.get("image") is None:
            raise Vol3dError(NO_SCAN, hint="Open the scan of these labels.")
        z, y, x = (int(n) for n in task.labels.shape)
        seeds = Seeds(strokes=self.strokes, shape=(z, y, x))
        if not seeds.ids:
            raise Vol3dError("There are no seeds yet.", hint="Paint some in any view.")
        dz, dy, dx = (math.ceil(self.margin.value() / edge) for edge in task.spacing)
        box = seeds.box.grown((dz, dy, dx)).intersect(Box.of((z, y, x)))
        method: Method = self.method.currentData()
        return self._region(task, seeds, box) if method is Method.REGION else _edges(task, seeds, box, method)

    def _region(self, task: Task, seeds: Seeds, box: Box) -> Plan:
        class_id, spread = chosen(task), self.spread.value()
        own, labels, held = seeds.of(class_id), task.labels, task.held
        named = name_class(class_id, task.names)
        if not own:
            raise Vol3dError(f"There are no seeds of {named} yet.", hint="Paint some, or choose another class.")

        def grow() -> Edit | None:
            return grow_regions(labels, own, class_id=class_id, spread=spread, box=box, name=f"Grow {named}", **held)

        return grow

    # ---- within -----------------------------------------------------------------------------------------------------

    @property
    def _class(self) -> int:
        """What is painted: the chosen class, or the background; 0 where neither is."""
        if self.kind.currentIndex() == 1:
            return BACKGROUND
        return 0 if self.record is None else int(self.record.layer.selected_label)

    def _set(self, strokes: tuple[Stroke, ...]) -> None:
        self._strokes = strokes
        self.marksChanged.emit()

    def _take_back(self) -> None:
        if self._strokes:
            self._set(self._strokes[:-1])
            self.changed()

    def _show(self, *_: object) -> None:
        """Show what counts for the chosen method, and what was painted."""
        method: Method = self.method.currentData()
        self.method.setToolTip(TIPS[method])
        show_row(self.form, self.spread, method is Method.REGION)
        for button in (self.back, self.clear):
            button.setEnabled(bool(self._strokes))
            button.setToolTip("Seeds that were painted" if self._strokes else "There are no seeds yet")
        self.hint.setText(self._words() or "Paint in any view; with Ctrl you rub out. Seeds stay until you clear them.")

    def _words(self) -> str:
        """Say how many seeds there are of each class."""
        counts: dict[int, int] = {}
        for stroke in self.strokes:
            counts[stroke.class_id] = counts.get(stroke.class_id, 0) + len(set(stroke.voxels))
        listed = [f"{self._name(class_id)} {count}" for class_id, count in sorted(counts.items())]
        return f"Seeds: {', '.join(listed)} voxels" if listed else ""

    def _name(self, class_id: int) -> str:
        if class_id == BACKGROUND or self.record is None:
            return "background"
        return self.record.name_of(class_id)

    def _fill(self) -> None:
        self.kind.addItems(["seeds of the chosen class", "seeds of the background"])
        self.kind.setToolTip("What a stroke paints: the class chosen in the list above, or what is of no class")
        for method in Method:
            self.method.addItem(method.value, method)
        self.spread.setRange(0.1, 20)
        self.spread.setSingleStep(0.5)
        self.spread.setValue(2.5)
        self.spread.setPrefix("± ")
        self.spread.setSuffix(" sd of the seeds")
        self.spread.setToolTip("Voxels count whose intensity is so near the mean of those around the seeds")
        self.margin.setToolTip("How far around all seeds labels may change")


def _edges(task: Task, seeds: Seeds, box: Box, method: Method) -> Plan:
    grown = {class_id for class_id in seeds.ids.values() if class_id != BACKGROUND}
    named = ", ".join(name_class(class_id, task.names) for class_id in sorted(grown))
    name, labels, spacing, held = f"Grow {named}", task.labels, task.spacing, task.held
    grow = grow_random_walker if method is Method.WALKER else grow_watershed

    def run() -> Edit | None:
        return grow(labels, seeds, box=box, spacing=spacing, background=BACKGROUND, name=name, **held)

    return run


def _on_slice(place: Place) -> tuple[float, float, float]:
    voxel = [*place.voxel]
    voxel[place.axis] = float(place.index)
    z, y, x = voxel
    return (z, y, x)
