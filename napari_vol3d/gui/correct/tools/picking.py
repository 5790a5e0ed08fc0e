"""A tool that is told objects by clicks: dots with numbers on the canvas, in the colour of the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_vol3d.core.box import Triple
from napari_vol3d.gui.correct.mark import Mark
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Place
from napari_vol3d.gui.correct.tools.marking import MarkingTool, color_of, colors_of, inside, nearest, voxel_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A clicked voxel, of the class that it had then."""

    voxel: Triple
    class_id: int
    frame: int = 0


class PickingTool(MarkingTool):
    """A click takes what is under the mouse, another one on it takes it out again."""

    def __init__(self) -> None:
        super().__init__()
        self._picks: tuple[Pick, ...] = ()
        self._done = 0  # steps of the history when the first was picked

    @property
    def picks(self) -> tuple[Pick, ...]:
        """What was clicked in the time point that is shown, the first one first."""
        frame = 0 if self.record is None else self.record.frame
        return tuple(pick for pick in self._picks if pick.frame == frame)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """A dot for each."""
        if self.record is None:
            return ()
        colors = colors_of(self.record)
        return tuple(
            Mark(voxels=(pick.voxel,), color=color_of(colors, pick.class_id), text=str(number))
            for number, pick in enumerate(self.picks, start=1)
        )

    def forget(self) -> None:
        """Take all of them out."""
        if self._picks:
            self._set(())

    def followed_history(self) -> None:
        """Forget what was picked once something was done with it; undo forgets nothing."""
        if self.record is not None and self.record.history.at > self._done:
            self.forget()

    def press(self, place: Place) -> None:
        """Take what is here, or take it out."""
        record = self.record
        if record is None:
            return
        voxel = voxel_of(place)
        known = self.meant(place, voxel, record)
        if known is not None:
            self._set(tuple(pick for pick in self._picks if pick is not known))
            return
        class_id = int(record.labels[voxel]) if inside(voxel, record.labels.shape) else 0
        if class_id == 0:
            self.say("There is no object here: click into one.")
            return
        self.take(Pick(voxel=voxel, class_id=class_id, frame=record.frame))

    def take(self, pick: Pick) -> None:
        """Add one."""
        self._done = 0 if self.record is None else self.record.history.at
        self._set((*self._picks, pick))

    def meant(self, place: Place, voxel: Triple, record: Record) -> Pick | None:
        """Give the one that a click takes out: whose dot is under the mouse."""
        picks = self.picks
        near = nearest([pick.voxel for pick in picks], place, record) if picks else None
        return None if near is None else picks[near]

    def drag(self, places: Sequence[Place]) -> None:
        """Only clicks count."""

    def release(self) -> None:
        """Only clicks count."""

    def cancel(self) -> None:
        """There is nothing half done."""

    def radius(self) -> float | None:
        """Show a cross."""
        return None

    def _set(self, picks: tuple[Pick, ...]) -> None:
        self._picks = picks
        self.marksChanged.emit()
        self.changed()
