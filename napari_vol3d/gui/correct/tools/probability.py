"""Thresholds over stored probabilities: a slider a class, seen at once in the slice, and then in the volume."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.say import shortened
from napari_vol3d.correct.limits import Held
from napari_vol3d.correct.thresholds import Rest, exclusive, independent, rethreshold
from napari_vol3d.gui.bench.icons import chip
from napari_vol3d.gui.correct.again import maker_of
from napari_vol3d.gui.correct.asked import box_of
from napari_vol3d.gui.correct.box_tool import hint
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.tool import Plan, Task, Tool
from napari_vol3d.gui.forms.percent_slider import PercentSlider
from napari_vol3d.gui.forms.rows import small_form
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.layers import finest, origin_of, same_grid

HALF = 50  # percent
MOST_SEEN = 8  # rows; more are scrolled
MOST_LETTERS = 14
NAME = "Thresholds"
AGAIN = "Tick Advanced > Probabilities in Segment, and run it again."
HOW_TO_GET = f"There are no probabilities of this scan. {AGAIN}"
TIP = "Voxels below become background or the next class. Higher: less of it. Double click: 50 %, as the model decides."
LAYER = re.compile(r"p\((.*)\)( \[\d+\])?$")  # as `layers.probability_layers` calls them, and napari their twins
SHARE = re.compile(r"(.+) (\d+) %")


class Probabilities(Tool):
    """Derives labels anew from the probabilities that a run has kept.

    The thresholds that labels were made with stand in the names of the history's steps, so that undo, redo and a new
    start of the program bring the sliders to where they were.

    Attributes
    ----------
    only_slice : bool
        Whether the plan is for the slice alone, as the preview wants it.
    sliders : dict of int to PercentSlider
        By class.
    """

    title = "Probabilities"
    key = "O"
    tip = "Move the border of a class by the probability that the model gave it; what you corrected stays"
    by_model = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.only_slice = False
        self.sliders: dict[int, PercentSlider] = {}
        self._images: dict[int, Image] = {}
        self._classes: dict[int, LabelClass] = {}
        self._since: dict[int, int] = {}  # percents that the labels were made with
        self._quiet = False
        self.words = hint(self)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words)
        layout.addWidget(self.area)
        self._fill()

    def begun(self, desk: Desk) -> None:
        """Look for probabilities of the labels, now and when layers come or go."""
        super().begun(desk)
        for signal, slot in self._signals(desk):
            signal.connect(slot)
        self._look()

    def ended(self) -> None:
        """Follow nothing."""
        if self.desk is not None:
            for signal, slot in self._signals(self.desk):
                signal.disconnect(slot)
        super().ended()

    def value(self) -> dict[int, int]:
        """Give the percents by class."""
        return {class_id: slider.value() for class_id, slider in self.sliders.items()}

    def plan(self, task: Task) -> Plan:
        """Give what derives the labels, of the slice where `only_slice` is on.

        Raises
        ------
        Vol3dError
            If the probabilities are not there, or not all of them.
        """
        if not self._images:
            raise Vol3dError(self.words.text())
        ids, probabilities = list(self._images), [finest(image) for image in self._images.values()]
        now, since, rest = _shares(self.value()), _shares(self._since), self._rest()
        box = box_of(task, Where(area=Area.SLICE)) if self.only_slice else None
        held: Held = {**task.held, "guarded": task.corrected}
        labels, name = task.labels, self._name()
        return lambda: rethreshold(
            labels, probabilities, classes=ids, thresholds=now, since=since, rest=rest, box=box, name=name, **held
        )  # fmt: skip

    # ---- within -----------------------------------------------------------------------------------------------------

    def _signals(self, desk: Desk) -> tuple[tuple[Any, Any], ...]:
        layers = desk.viewer.layers.events
        return (
            (desk.recordChanged, self._look), (desk.changed, self._on_history), (layers.inserted, self._on_layers),
            (layers.removed, self._on_layers),
        )  # fmt: skip

    def _on_layers(self, event: Any) -> None:
        if is_probability(event.value):
            self._look()

    def _look(self) -> None:
        """Find the probabilities of the labels, and make a slider for each."""
        record = self.desk.record if self.desk is not None else None
        images: dict[int, Image] = {}
        if self.desk is not None and record is not None:
            made = _made(record.layer)
            images = probabilities_of(record.layer, self.desk.viewer.layers, made or record.classes())
            lacking = [item.name for item in made if images and item.id not in images]
            self.words.setText(f"The probabilities of {lacking[0]} are missing. {AGAIN}" if lacking else HOW_TO_GET)
            images = {} if lacking else images
        self._images = images
        self._classes = {} if record is None else {item.id: item for item in record.classes() if item.id in images}
        self._since = self._read_history()
        self._fill()
        self._changed()

    def _fill(self) -> None:
        """Put a row for each class into the form."""
        rows, self.sliders = QWidget(), {}
        layout = small_form(rows)
        for class_id, item in self._classes.items():
            slider = PercentSlider(HALF)
            slider.setValue(self._since.get(class_id, HALF))
            slider.setToolTip(f"{item.name}: {TIP}")
            slider.valueChanged.connect(self._changed)
            self.sliders[class_id] = slider
            layout.addRow(_title(item), slider)
        self.area.setWidget(rows)
        share = min(MOST_SEEN / max(len(self.sliders), 1), 1)
        self.area.setFixedHeight(round(rows.sizeHint().height() * share))
        self.area.setVisible(bool(self.sliders))
        self.words.setVisible(not self.sliders)

    def _on_history(self) -> None:
        """Bring the sliders to thresholds that were applied, taken back or done again."""
        since = self._read_history()
        if since != self._since:
            self._since, self._quiet = since, True
            for class_id, slider in self.sliders.items():
                slider.setValue(since.get(class_id, HALF))
            self._quiet = False
            self.optionsChanged.emit()

    def _changed(self, *_: object) -> None:
        if not self._quiet:
            self.optionsChanged.emit()

    def _name(self) -> str:
        moved = [f"{self._classes[i].name} {value} %" for i, value in self.value().items() if value != HALF]
        return f"{NAME} {', '.join(moved) or f'{HALF} %'}"

    def _read_history(self) -> dict[int, int]:
        """Give the percents that were applied last; those of a class that has another name since are forgotten."""
        record = self.desk.record if self.desk is not None else None
        done = () if record is None else record.history.steps[: record.history.at]
        name = next((step.name for step in reversed(done) if step.by_model and step.name.startswith(NAME)), "")
        ids = {item.name: class_id for class_id, item in self._classes.items()}
        shares = [SHARE.fullmatch(part) for part in name.removeprefix(NAME).strip().split(", ")]
        return {ids[found[1]]: int(found[2]) for found in shares if found is not None and found[1] in ids}

    def _rest(self) -> Rest:
        record = self.desk.record if self.desk is not None else None
        model = None if record is None else maker_of(record.layer)
        return independent if model is not None and model.card.output.activation == "sigmoid" else exclusive


def is_probability(layer: Layer) -> bool:
    """Whether a layer shows the probability of a class."""
    origin = origin_of(layer)
    return isinstance(layer, Image) and origin is not None and origin.probability


def probabilities_of(labels: Labels, layers: Iterable[Layer], classes: Sequence[LabelClass]) -> dict[int, Image]:
    """Find the layers with probabilities of labels, by class in the order of `classes`.

    They are those of one run, the newest of those that know the most classes.
    """
    runs: dict[int, dict[str, Image]] = {}
    for layer in layers:
        name = LAYER.search(layer.name)
        if is_probability(layer) and name is not None and layer.ndim == labels.ndim and same_grid(layer, labels):
            runs.setdefault(id(origin_of(layer)), {})[name[1]] = layer  # the layers of a run share their origin
    found = [{item.id: run[item.name] for item in classes if item.name in run} for run in runs.values()]
    return max(reversed(found), key=len, default={})


def _made(layer: Labels) -> tuple[LabelClass, ...]:
    """Give the classes of the model that made labels, as it names them."""
    origin = origin_of(layer)
    return origin.classes if origin is not None and origin.model else ()


def _shares(percents: Mapping[int, int]) -> dict[int, float]:
    return {class_id: value / 100 for class_id, value in percents.items()}


def _title(item: LabelClass) -> QWidget:
    """Name a class beside its colour."""
    title, sign, name = QWidget(), QLabel(), QLabel(shortened(item.name, MOST_LETTERS))
    sign.setPixmap(chip(QColor(item.color)))
    name.setToolTip(item.name)
    row = QHBoxLayout(title)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(sign)
    row.addWidget(name, 1)
    return title
