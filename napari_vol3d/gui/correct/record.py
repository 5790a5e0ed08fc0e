"""One labels layer under correction: whatever changes it becomes a step of one history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.shadow import Shadow, together
from napari_vol3d.core.touched import Touched
from napari_vol3d.correct.limits import Limits, limited
from napari_vol3d.correct.naming import name_change
from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.brisk import redraw_box
from napari_vol3d.gui.correct.subject import Subject
from napari_vol3d.gui.label_looks import names_in
from napari_vol3d.review.history import MODEL, History
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import new_token

PREDICTION = "Prediction"


class Record(Subject):
    """Joins a layer with its shadow, its history and its journal.

    Undo and redo of the layer, by whichever key, menu or twin, are those of this history.

    Parameters
    ----------
    viewer : Viewer
    layer : Labels
        Its voxels are a NumPy array, (Z, Y, X) or (T, Z, Y, X).
    book : Book
        Where its edits are kept.
    line, touched
        What an earlier session did; the layer holds the labels as they were left then.
    shadow : Shadow, optional
        Of these labels, where it was made ahead: of large ones it takes half a second.
    """

    changed = Signal()  # the history grew or moved
    def __init__(
        self, viewer: napari.Viewer, layer: Labels, book: Book, *, line: Line | None = None,
        touched: Touched | None = None, shadow: Shadow | None = None, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(viewer, layer, parent)
        self.book = book
        self.shadow = Shadow(layer.data) if shadow is None else shadow
        self.touched = Touched(layer.data.shape) if touched is None else touched
        self.history = History(book.key, line=line, read=book.read)
        self._begun = line is not None
        self._drawn: tuple[int, Box] | None = None  # frame and box of a stroke that has not ended
        self._noted: list[tuple[int, Box, str]] = []  # frame, box and verb of what others have said they change
        self._model: list[Edit] = []  # what a running prediction wrote since the last step
        self.busy = False  # while what is redrawn was changed here
        book.acknowledged.connect(self._acknowledge)
        layer.undo, layer.redo = self.undo, self.redo  # of this object: keys, menus and twins all call these

    def let_go(self) -> None:
        """Take in what is left, and give the layer its own undo back."""
        self.capture()
        self._drawn = None  # who drew it may yet give it up
        self.book.acknowledged.disconnect(self._acknowledge)
        for name in ("undo", "redo"):
            self.layer.__dict__.pop(name, None)

    @property
    def corrected(self) -> NDArray[np.bool_]:
        """Voxels (Z, Y, X) of the time point on the screen that a person has touched."""
        return self.of_frame(self.touched.mask, self.frame)

    @property
    def drawing(self) -> bool:
        """Whether a stroke of ours has not ended."""
        return self._drawn is not None

    # ---- changing ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Keep the labels that the history begins with, unless they are kept already."""
        if not self._begun:
            self._begun = True
            self.book.begin(self.shadow.lend())

    def do(self, edit: Edit, *, by_model: bool = False, frame: int | None = None) -> None:
        """Apply a finished change and take it into the history.

        Parameters
        ----------
        frame : int, optional
            The time point that it was computed for; by default the one on the screen.

        Raises
        ------
        Vol3dError
            If the labels have changed since it was computed, or can't hold its ids; then nothing has happened.
        """
        self.settle()
        here = replace(edit, frame=self.frame if frame is None else frame)
        if not here.fits(self.layer.data):
            raise Vol3dError("The labels have changed meanwhile.", hint="Try again.")
        self._capture(here.frame, here.box, None, "Change")
        here.apply(self.layer.data)
        self._take(here, who=MODEL if by_model else None)
        self.show()

    def draw(self, edit: Edit) -> None:
        """Apply and show a part of a stroke; `finish` makes a step of all parts."""
        here = replace(edit, frame=self.frame)
        if self._drawn is not None and self._drawn[0] != here.frame:  # the time went on
            self.finish("Paint")
        here.apply(self.layer.data)
        self._drawn = here.frame, edit.box if self._drawn is None else self._drawn[1].joined(edit.box)
        redraw_box(self.layer, edit.box, here.frame)

    def finish(self, name: str) -> None:
        """End the stroke."""
        drawn, self._drawn = self._drawn, None
        if drawn is not None:
            self._take_known()
            self._capture(*drawn, name, "Change")

    def abandon(self) -> None:
        """Put back what was drawn since the last stroke ended."""
        drawn, self._drawn = self._drawn, None
        if drawn is not None:
            self._take_tiles()  # what a prediction has brought meanwhile is not of the stroke
            frame, box = drawn
            self.of_frame(self.layer.data, frame)[box.slices] = self.shadow.read(box, frame)
            self.show()

    def undo(self) -> None:
        """Take the last step back."""
        self.settle()
        if self.history.at:
            self.jump(self.history.back)

    def redo(self) -> None:
        """Do the next step again."""
        self.settle()
        if self.history.next is not None:
            self.jump(self.history.next)

    def jump(self, token: str | None) -> None:
        """Go to the state after a step, or (None) to that before the first.

        Raises
        ------
        Vol3dError
            If a step can't be read from the journal; the history then stands where the labels do.
        """
        self.settle()
        before = self.history.cursor
        try:
            for step, edit, back in self.history.way_to(token):
                if not edit.fits(self.layer.data):  # somebody wrote into the array and said nothing
                    self.capture(edit.box)
                    return
                edit.apply(self.layer.data)
                self.shadow.apply(edit)
                if back:
                    self.touched.take_back(step, edit.inverse())
                elif not self.history.by_model(step):
                    self.touched.add(step, edit)
        finally:
            if self.history.cursor != before:
                self.book.move(self.history.cursor)
            self.show()
            self.changed.emit()

    def absorb(self, edit: Edit) -> None:
        """Know that a running prediction wrote this: it is no correction."""
        if self._begun:
            self._model.append(edit)  # one step for all of them, before the next correction or at the end
        else:
            self.shadow.apply(edit)

    def note(self, box: Box, verb: str, frames: Iterable[int] = (0,)) -> None:
        """Know that somebody is changing a box, of some time points: napari tells of it before it writes the voxels."""
        self._noted += [(frame, box, verb) for frame in frames]

    def settle(self) -> None:
        """Take in all that is known to have changed, and end a stroke that nobody ended."""
        self._take_known()
        self.finish("Paint")

    def capture(self, box: Box | None = None, *, name: str | None = None, verb: str = "Change") -> bool:
        """Take in what differs from the shadow, in a box of the frame shown or (None) everywhere.

        Returns
        -------
        bool
            Whether there was something.
        """
        if self.layer.data.shape != self.shadow.shape:  # other voxels: another history
            return False
        self._take_known()
        frames = [self.frame] if box is not None else range(1 if self.layer.ndim == 3 else len(self.layer.data))
        found = [self._capture(frame, box, name, verb) for frame in frames]
        return any(found)

    def show(self) -> None:
        """Draw the layer anew."""
        self.busy = True
        try:
            self.layer.refresh(extent=False, thumbnail=False, highlight=False)
        finally:
            self.busy = False

    # ---- within -----------------------------------------------------------------------------------------------------

    def _take_known(self) -> None:
        """Take in what a prediction wrote and what others have said they change."""
        self._take_tiles()
        noted, self._noted = self._noted, []
        for frame, box, verb in noted:
            self._hold_locked(frame, box)
            self._capture(frame, box, None, verb)

    def _capture(self, frame: int, box: Box | None, name: str | None, verb: str) -> bool:
        labels = self.of_frame(self.layer.data, frame)
        found = box if box is not None else self._difference(labels, frame)
        if found is None:
            return False
        before, now = self.shadow.read(found, frame), labels[found.slices]
        edit = Edit.between(name or verb, before, now, start=found.start, frame=frame)
        if edit is None:
            return False
        if name is None:
            edit = replace(edit, name=name_change(verb, edit, names_in(self.layer)))
        self._take(edit)
        return True

    def _hold_locked(self, frame: int, box: Box) -> None:
        """Give locked classes back what napari's own tools took from them or gave to them."""
        if self.locked:
            part = self.of_frame(self.layer.data, frame)[box.slices]
            kept = limited(self.shadow.read(box, frame), part, Limits(locked=self.locked))
            if not np.array_equal(kept, part):
                part[...] = kept
                self.show()

    def _difference(self, labels: NDArray[Any], frame: int) -> Box | None:
        whole: Box | None = None
        for found in self.shadow.differences(labels, frame):
            if found is not None:
                whole = found if whole is None else whole.joined(found)
        return whole

    def _take(self, edit: Edit, *, who: str | None = None) -> None:
        """Take a change that the labels hold already into journal, history and shadow."""
        self.begin()
        token = new_token()
        self.book.append(edit, token=token, who=who)
        self.history.add(edit, token, who=who or "")
        self.shadow.apply(edit)
        if who != MODEL:
            self.touched.add(token, edit)
        # napari's own history would write what it remembers over what others have changed since.
        self.layer._undo_history.clear()
        self.layer._redo_history.clear()
        self.changed.emit()

    def _take_tiles(self) -> None:
        """Make one step of what a prediction has written since the last one."""
        tiles, self._model = self._model, []
        for frame in sorted({tile.frame for tile in tiles}):
            made = together(PREDICTION, [tile for tile in tiles if tile.frame == frame], self.shadow)
            if made is not None:
                self._take(made, who=MODEL)

    def _acknowledge(self, tokens: tuple[str, ...]) -> None:
        self.history.acknowledge(tokens)
        self.shadow.take_back()  # the labels that the history begins with were written before any edit
