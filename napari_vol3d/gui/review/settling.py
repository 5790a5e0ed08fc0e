"""The regions of one case being decided: one is shown at a time, each decision is a step of the labels' history."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import Limits, propose
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.review.decisions import Decisions
from napari_vol3d.gui.review.difference_layer import DifferenceLayer
from napari_vol3d.gui.review.showing import Shown
from napari_vol3d.review.project.differences import Choice, Differences

SAME = "The two readings are the same, voxel for voxel."
NO_MODEL = "There is no prediction of this case."
NOTHING_AGREED = "The labels say already what both readings say."
AGREED = "What both readings say is taken already. Ctrl+Z takes it back."
LOCKED = "Its classes are locked: unlock them in the Correct tab."
ALL_DECIDED = "All regions are decided. Accept the case when it looks right."


class Settling(QObject):
    """Decides, goes on to the next region, and goes back to one whose decision is undone.

    Parameters
    ----------
    desk : Desk
    shown : Shown
    record : Record
        Of its labels, which the decisions change.
    found : Differences
    frame : int
        The time point that the readings were compared at; 0 where there is no time.

    Attributes
    ----------
    at : int
        The region that is shown, from 0.
    decisions : Decisions
    """

    changed = Signal()  # another region, or another decision
    said = Signal(str)

    def __init__(
        self, desk: Desk, shown: Shown, record: Record, found: Differences, *, frame: int, parent: QObject | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._bench, self.record, self.found, self._frame = desk.bench, record, found, frame
        self.at, self.decisions = 0, Decisions(len(found.regions))
        self._doing = False
        self._agreed: str | None = None  # the step that took what both say
        self.layer = DifferenceLayer(desk.viewer, shown, found, frame=frame)
        record.changed.connect(self._follow_history)

    def begin(self) -> None:
        """Take what both say, unless somebody has worked on the labels, and show the largest region."""
        if not self.record.history.steps:
            self.take_agreed()
        self._go(0 if self.found.regions else -1)

    def let_go(self) -> None:
        """Stop; what was decided stays."""
        self.record.changed.disconnect(self._follow_history)
        self.layer.take_away()

    # ---- deciding ---------------------------------------------------------------------------------------------------

    def take(self, choice: Choice) -> None:
        """Take in the region that is shown what somebody says there, and show the next that is not decided."""
        if not self.found.regions:
            return
        if choice == "third" and not self.found.third:
            self.said.emit(NO_MODEL)
            return
        try:
            token = self._settle(choice)
        except Vol3dError as problem:
            self.said.emit(str(problem))
            return
        self.decisions.take(self.at, token)
        self._go_on()

    def leave(self) -> None:
        """Leave the region that is shown for work by hand, and show the next."""
        if self.found.regions:
            self.decisions.leave(self.at)
            self._go_on()

    def step(self, by: int) -> None:
        """Show the region that is so many further on."""
        self._go(min(max(self.at + by, 0), len(self.found.regions) - 1))

    def take_agreed(self) -> None:
        """Take what both readings say where they agree, and the labels said something else when this began."""
        said = self.found.agreed
        if said is None:
            return
        self.record.settle()
        before = self.record.of_frame(self.record.layer.data, self._frame)[said.box.slices]
        edit = Edit.between(said.name, before, np.where(said.changed, said.after, before), start=said.box.start)
        try:
            self._agreed = None if edit is None else self._do(edit)
        except Vol3dError as problem:
            self.said.emit(str(problem))
        self.changed.emit()

    # ---- in words ---------------------------------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """What the readings say in the region that is shown."""
        count = len(self.found.regions)
        if not count:
            return SAME
        if len(self.decisions.decided) == count:
            return ALL_DECIDED
        region = self.found.regions[self.at]
        size = f"{region.voxels:,} voxels" if region.mm3 is None else f"{region.mm3:,.4g} mm³"
        first, second = (self._names(ids) for ids in (region.ids_first, region.ids_second))
        one, other = self.found.opinions[:2]
        return f"{size}. {one.who}: {first}; {other.who}: {second}."

    @property
    def progress(self) -> str:
        """How far it is."""
        count, done, left = len(self.found.regions), len(self.decisions.decided), len(self.decisions.by_hand)
        if not count:
            return ""
        return f"Region {self.at + 1} of {count}, {done} decided" + (f", {left} left for work by hand" if left else "")

    @property
    def why_not_agreed(self) -> str:
        """Why what both say can't be taken; "" where it can."""
        if self.found.agreed is None:
            return NOTHING_AGREED
        return AGREED if self._agreed in _done(self.record) else ""

    def _names(self, ids: tuple[int, ...]) -> str:
        return ", ".join(self.record.name_of(i) if i else "background" for i in ids)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _settle(self, choice: Choice) -> str | None:
        self.record.settle()
        labels = self.record.of_frame(self.record.layer.data, self._frame)
        edit = self.found.settle(self.found.regions[self.at], choice, labels)
        return None if edit is None else self._do(edit)

    def _do(self, edit: Edit) -> str | None:
        """Make a step of it, and give its token."""
        limits = Limits(locked=self.record.locked)
        allowed = propose(edit.name, edit.before, edit.after, box=edit.box, limits=limits)
        if allowed is None:
            raise Vol3dError(LOCKED)
        self._doing = True
        try:
            self.record.do(allowed, frame=self._frame)
        finally:
            self._doing = False
        return self.record.history.cursor

    def _follow_history(self) -> None:
        """Know what was taken back or done again; who takes a decision back is shown its region."""
        if self._doing:
            return
        back = self.decisions.follow(_done(self.record))
        self.layer.hide(self.decisions.settled)
        self._go(back)

    def _go_on(self) -> None:
        self.layer.hide(self.decisions.settled)
        self._go(self.decisions.after(self.at))

    def _go(self, region: int) -> None:
        """Bring a region into all views; -1: stay."""
        if region >= 0:
            self.at = region
            layer = self.record.layer
            world = layer.data_to_world((*(self._frame,) * (layer.ndim - 3), *self.found.regions[region].inner))
            here = tuple(self._bench.point)  # along axes that the labels lack one stays where one is
            self._bench.go_to((*here[: len(here) - len(world)], *map(float, world)))
        self.changed.emit()


def _done(record: Record) -> frozenset[str]:
    """Give the steps of a history that are done."""
    line = record.history.line
    return frozenset(event.token for event in line.entries[: line.at])
