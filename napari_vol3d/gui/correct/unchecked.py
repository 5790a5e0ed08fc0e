"""Which slices were filled by interpolation, and nobody has confirmed yet; kept in the layer, beside its history.

The history is the truth: a fill that is undone has no marks, done again it has them again. A slice is checked when a
person says so, or paints in it while it is seen; that painting undone, it is unchecked once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.planes import Axis, Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool

KEY = "napari-vol3d unchecked"  # our place in a layer's metadata
REMEMBERED = 4  # fills that were computed, as previews, and of which the last ones may still be applied


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fill:
    """An edit that interpolates, before it is applied; `slices` are those across `axis` that it fills."""

    edit: Edit
    axis: Axis
    slices: tuple[int, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Filled:
    """A fill that was applied, and what a person has looked at of it.

    Attributes
    ----------
    confirmed : set of int
        Slices that a person called right.
    painted : dict of str to set of int
        Slices that a later step has painted in, by its token.
    """

    axis: Axis
    frame: int
    slices: tuple[int, ...]
    confirmed: set[int] = field(default_factory=set)
    painted: dict[str, set[int]] = field(default_factory=dict)

    def open(self, done: Collection[str]) -> set[int]:
        """Give the slices that are still to be checked, after these steps."""
        by_hand = (slices for token, slices in self.painted.items() if token in done)
        return set(self.slices) - self.confirmed.union(*by_hand)


@dataclass(slots=True, kw_only=True, eq=False)
class Marks:
    """What a layer remembers: the steps that were looked at, and those among them that filled, by token."""

    seen: set[str]
    fills: dict[str, Filled] = field(default_factory=dict)


class Unchecked(QObject):
    """Follows the desk's record.

    Attributes
    ----------
    pending : deque of Fill
        Whatever computes a fill puts it here, from any thread; it is marked once it is a step of the history.
    """

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.pending: deque[Fill] = deque(maxlen=REMEMBERED)
        self._layer: Labels | None = None
        self._painting = False  # napari's brush has just been used, and the record is about to hear of it
        self._done: frozenset[str] = frozenset()  # tokens
        desk.recordChanged.connect(self._on_record)
        desk.changed.connect(self._on_changed)
        self._on_record()

    @classmethod
    def of(cls, desk: Desk) -> Unchecked:
        """Give the one of a desk."""
        found = desk.findChild(cls)
        return found if found is not None else cls(desk)

    def let_go(self) -> None:
        """Follow nothing any more."""
        self._desk.recordChanged.disconnect(self._on_record)
        self._desk.changed.disconnect(self._on_changed)
        self._attach(None)

    # ---- what is marked ---------------------------------------------------------------------------------------------

    def slices(self) -> dict[Axis, tuple[int, ...]]:
        """Give the slices to check of the time point that is shown, by the axis that they lie across."""
        found: dict[Axis, set[int]] = {}
        for filled in self._fills():
            found.setdefault(filled.axis, set()).update(filled.open(self._done))
        return {axis: tuple(sorted(slices)) for axis, slices in sorted(found.items()) if slices}

    def is_shown(self, view: View) -> bool:
        """Whether a view shows one of them."""
        place = self._place(view)
        return place is not None and place[1] in self.slices().get(place[0], ())

    def shown(self) -> dict[Axis, set[int]]:
        """Give those that are on the screen."""
        return {axis: slices for axis, slices in _both(self.slices(), self._seen()).items() if slices}

    def next(self) -> tuple[Axis, int] | None:
        """Give the next one behind the crosshair, or the first; that of the axis on which one is now comes first."""
        left, task = self.slices(), self._desk.task()
        if not left or task is None:
            return None
        axis = task.axis if task.axis in left else next(iter(left))
        here = task.index if axis == task.axis else task.point[axis]
        return axis, next((index for index in left[axis] if index > here), left[axis][0])

    # ---- what a person does -----------------------------------------------------------------------------------------

    def confirm_shown(self) -> None:
        """Take those on the screen for checked."""
        self._confirm(self.shown())

    def confirm_all(self) -> None:
        """Take all of this time point for checked."""
        self._confirm(self.slices())

    def go_to_next(self) -> None:
        """Bring the next one on the screen."""
        wanted, record = self.next(), self._desk.record
        if wanted is None or record is None:
            return
        axis, index = wanted
        point = list(self._desk.viewer.dims.point)
        voxel = list(record.layer.world_to_data(point[-record.layer.ndim :]))
        voxel[axis - 3] = index
        point[axis - 3] = float(record.layer.data_to_world(voxel)[axis - 3])
        self._desk.bench.go_to(point)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _confirm(self, slices: Mapping[Axis, Collection[int]]) -> None:
        for filled in self._fills():
            filled.confirmed.update(set(filled.slices).intersection(slices.get(filled.axis, ())))
        self.changed.emit()

    def _on_record(self) -> None:
        record = self._desk.record
        self._attach(None if record is None else record.layer)
        if record is not None and KEY not in record.layer.metadata:
            record.layer.metadata[KEY] = Marks(seen={step.token for step in record.history.steps})
        self._painting = False
        self._count(record)
        self.changed.emit()

    def _attach(self, layer: Labels | None) -> None:
        for which, join in ((self._layer, "disconnect"), (layer, "connect")):
            if which is not None:
                getattr(which.events.paint, join)(self._on_paint)
        self._layer = layer

    def _on_paint(self, event: object) -> None:
        # napari calls who was connected last first: the record makes a step of it behind this.
        self._painting = True

    def _on_changed(self) -> None:
        record = self._desk.record
        if record is not None:
            self._take_new(record)
            self._count(record)
            self.changed.emit()

    def _count(self, record: Record | None) -> None:
        steps = () if record is None else record.history.steps[: record.history.at]
        self._done = frozenset(step.token for step in steps)

    def _take_new(self, record: Record) -> None:
        """Look at the step that was just done, if it is a new one."""
        marks, token = _marks(record), record.history.cursor
        if marks is None or token is None or token in marks.seen:
            return
        marks.seen.add(token)
        edit = record.history.edit(token)
        fill = next((fill for fill in self.pending if _same(fill.edit, edit)), None)
        if fill is not None:
            self.pending.clear()
            marks.fills[token] = Filled(axis=fill.axis, frame=edit.frame, slices=fill.slices)
        elif self._by_hand():
            self._note_painting(marks.fills.values(), token, edit)
        self._painting = False

    def _note_painting(self, fills: Iterable[Filled], token: str, edit: Edit) -> None:
        seen = self._seen()
        for filled in fills:
            touched = seen.get(filled.axis, set()).intersection(filled.slices, _touched(edit, filled.axis))
            if touched and filled.frame == edit.frame:
                filled.painted[token] = touched

    def _by_hand(self) -> bool:
        """Whether the last step was painted: what a tool does to all slices at once checks none of them."""
        tool = self._desk.tool
        return self._painting or tool is None or isinstance(tool, MouseTool)

    def _seen(self) -> dict[Axis, set[int]]:
        """Give the slices on the screen."""
        found: dict[Axis, set[int]] = {}
        for view in self._desk.bench.views:
            place = self._place(view)
            if place is not None and view.native.isVisible():
                found.setdefault(place[0], set()).add(place[1])
        return found

    def _place(self, view: View) -> tuple[Axis, int] | None:
        record = self._desk.record
        if record is None or view.plane is Plane.VOLUME:
            return None
        axis: Axis = view.plane.value
        return axis, round(record.to_voxel(view.model.dims.point)[axis])

    def _fills(self) -> list[Filled]:
        """Give the fills that are done, of the time point that is shown."""
        record = self._desk.record
        marks = None if record is None else _marks(record)
        if record is None or marks is None or not marks.fills:
            return []
        frame = record.frame
        return [filled for token, filled in marks.fills.items() if token in self._done and filled.frame == frame]


def _marks(record: Record) -> Marks | None:
    found = record.layer.metadata.get(KEY)
    return found if isinstance(found, Marks) else None


def _same(computed: Edit, applied: Edit) -> bool:
    return computed.box == applied.box and np.array_equal(computed.after, applied.after)


def _touched(edit: Edit, axis: Axis) -> set[int]:
    others = tuple(k for k in range(3) if k != axis)
    return {int(i) + edit.box.start[axis] for i in np.flatnonzero(edit.changed.any(axis=others))}


def _both(first: Mapping[Axis, Collection[int]], second: Mapping[Axis, set[int]]) -> dict[Axis, set[int]]:
    return {axis: set(slices) & second.get(axis, set()) for axis, slices in first.items()}
