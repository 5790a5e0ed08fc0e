"""What becomes of the case that is open: accepted, flagged, rejected, noted, put back to an older version.

What was judged last can be taken back, also from the next case, which is open by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.layers import classes_of
from napari_vol3d.gui.review.loading import FROM
from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.accepting import accept, undo_accept
from napari_vol3d.review.project.foreseen import keep_prediction, newest_prediction
from napari_vol3d.review.project.records import Foreseen, Row, Status, Version
from napari_vol3d.review.project.store import Project

FLUSH_SECONDS = 30.0
JUDGED = frozenset({"accepted", "flagged", "rejected"})
EMPTY = "Nothing is labelled here. Accept it once more if that is right."


class Judging(QObject):
    """Says it to the project at once, and shows it at once."""

    said = Signal(str)
    versionsChanged = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._record: Record | None = None
        self._judged: list[tuple[str, Status]] = []  # readings and what they were before, in order
        self._versions: dict[str, str] = {}  # that were accepted here, by reading
        self._sure = ""  # the reading whose empty labels were asked about
        session.changed.connect(self._follow)

    def accept(self) -> bool:
        """Accept the labels as they are; a version is made of them. Empty ones are asked about once.

        Returns
        -------
        bool
            Whether they could be.
        """
        session, shown = self._session, self._session.shown
        record = self._correctable("accepted")
        if shown is None or record is None or not session.watch.seen:
            return False
        if not shown.labels.data.any() and self._sure != session.current:
            self._sure = session.current
            self.said.emit(EMPTY)
            return False
        record.capture()  # also what a script wrote and told nobody
        record.begin()
        session.watch.keep_seconds()
        draft = self._draft(record)
        record.book.mark_accepted(at=draft.cursor)
        labels = shown.labels.data.copy()  # the person goes on, and may come back to it
        classes = classes_of(shown.labels)
        refused = partial(self._on_refused, session.current)
        session.clerk.do(partial(_accept, session, draft, labels, classes), self._on_accepted, refused)
        self._judge("accepted")
        return True

    def set_status(self, status: Status) -> bool:
        """Flag it, or reject it: also one whose scan can't be read.

        Returns
        -------
        bool
            Whether it could be.
        """
        session, reading = self._session, self._session.current
        if not session.failed and (self._correctable(status) is None or not session.watch.seen):
            return False
        session.clerk.do(partial(session.project.set_status, reading, status, who=session.who))
        self._judge(status)
        session.refresh_row(reading)
        return True

    def set_note(self, note: str) -> None:
        """Keep a note on it."""
        session, row = self._session, self._session.row
        if row is not None and note != row.reading.note:
            session.clerk.do(partial(session.project.set_note, session.current, note, who=session.who))
            session.refresh_row(session.current)

    def take_back(self) -> None:
        """Take back what was judged: what is open, else what was judged last here, which is opened again."""
        session = self._session
        row = session.row if session.shown is not None or session.failed else None
        if session.held is not None:
            self.said.emit(f"{session.held.words} It is theirs to judge.")
        elif row is not None and row.reading.status in JUDGED:
            self._take_back_this(row)
        elif self._judged:
            reading, before = self._judged.pop()
            self._take_back(reading, session.rows[reading].reading.status, before)
        else:
            self.said.emit("Nothing was judged here yet.")

    def restore(self, labels: NDArray[Any], name: str) -> None:
        """Put older labels in the place of those that are open: a step of the history, which can be undone."""
        record = self._correctable("changed")
        if record is None:
            return
        data = record.layer.data
        if labels.shape != data.shape or not fits(labels, data.dtype):
            self.said.emit("These labels have ids or a grid that the open ones can't hold: export them instead.")
            return
        record.settle()
        np.copyto(data, labels, casting="same_kind")
        if record.capture(name=name):
            record.show()
        else:
            self.said.emit("The labels are the same already.")

    def take_prediction(self, labels: NDArray[Any], name: str, made: Foreseen | None = None) -> None:
        """Put what a model found into the labels that are open, as one step of the model; corrected voxels stay.

        Parameters
        ----------
        made : Foreseen, optional
            What it was found with: versions say so from now on.
        """
        record = self._correctable("changed")
        if record is None or labels.shape != record.labels.shape:
            return
        now = record.labels
        if not fits(labels, now.dtype):
            self.said.emit(f"{name} has ids that the open labels can't hold.")
            return
        record.settle()
        predicted = np.where(record.corrected, now, labels.astype(now.dtype, copy=False))
        edit = Edit.between(name, now, predicted)
        if edit is not None:
            record.do(edit, by_model=True)
        if made is not None:
            keeping = partial(_keep_run, self._session.project, made, labels.copy())
            self._session.clerk.do(keeping, partial(self._on_kept, record))

    def _correctable(self, what: str) -> Record | None:
        shown = self._session.shown
        if shown is None:
            self.said.emit("Open a case first: double click it in the list.")
            return None
        if shown.record is None:
            self.said.emit(f"It can't be {what}: somebody else has it open.")
        return shown.record

    def _draft(self, record: Record) -> Version:
        session, shown = self._session, self._session.shown
        draft = Version(reading=session.current, number=0, who=session.who, cursor=record.history.cursor)
        start = shown.loaded.start if shown is not None else None
        if start is None:
            return draft
        return replace(
            draft, prediction=start.key, model=start.model, model_sha256=start.model_sha256, settings=start.settings
        )

    def _take_back_this(self, row: Row) -> None:
        reading = row.reading.key
        before = next((was for key, was in reversed(self._judged) if key == reading), None)
        self._judged = [one for one in self._judged if one[0] != reading]
        self._take_back(reading, row.reading.status, before)

    def _take_back(self, reading: str, now: Status, before: Status | None) -> None:
        session, name = self._session, self._session.rows[reading].case.name
        if now == "accepted":
            ours = None if reading == session.current else self._versions.get(reading)
            taking = partial(undo_accept, session.project, reading, who=session.who, only=ours)
            session.clerk.do(taking, partial(self._on_undone, name))
        else:
            status: Status = before if before is not None and before not in JUDGED else "in review"
            session.clerk.do(partial(session.project.set_status, reading, status, who=session.who))
            self.said.emit(f"{name} is not {now} any more.")
        session.refresh_row(reading)
        session.open(reading)

    def _follow(self) -> None:
        """The first correction takes a case up."""
        if self._record is not None and isalive(self._record):  # a layer that was deleted took it along
            self._record.changed.disconnect(self._on_change)
        shown = self._session.shown
        self._record = None if shown is None else shown.record
        if self._record is not None:
            self._record.changed.connect(self._on_change)

    def _on_change(self) -> None:
        """Have what is corrected in review: also what was accepted, flagged or rejected is another state now."""
        session, row, record = self._session, self._session.row, self._record
        changed = record is not None and record.history.at > 0
        if changed and row is not None and row.reading.status != "in review":
            session.clerk.do(partial(session.project.set_status, session.current, "in review", who=session.who))
            self._show_status("in review")
            session.refresh_row(session.current)

    def _judge(self, status: Status) -> None:
        row = self._session.row
        if row is not None:
            self._judged.append((row.reading.key, row.reading.status))
        self._show_status(status)

    def _show_status(self, status: Status) -> None:
        session, row = self._session, self._session.row
        if row is not None:
            session.set_row(replace(row, reading=replace(row.reading, status=status, annotator=session.who)))

    def _on_kept(self, record: Record, kept: Foreseen) -> None:
        shown = self._session.shown
        record.book.know(**{FROM: kept.key})
        record.book.move(record.history.cursor)  # nothing moves: it is written with the next thing that is done
        if shown is not None and shown.record is record:
            shown.loaded = replace(shown.loaded, start=kept)

    def _on_refused(self, reading: str, problem: Vol3dError) -> None:
        """It was not accepted: that must not look otherwise, and the next one may be open by now."""
        session = self._session
        self._judged = [one for one in self._judged if one[0] != reading]
        session.refresh_row(reading)
        self.said.emit(f"{session.rows[reading].case.name} was NOT accepted: {problem}")

    def _on_accepted(self, version: Version) -> None:
        self._versions[version.reading] = version.key
        self._session.refresh_row(version.reading)
        self.versionsChanged.emit()

    def _on_undone(self, name: str, version: Version | None) -> None:
        if version is None:
            self.said.emit(f"{name} is as somebody else has left it meanwhile.")
        else:
            self.said.emit(f"{name} is not accepted any more. Its version {version.number} stays.")
        self.versionsChanged.emit()


def fits(labels: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether a type holds all ids of some labels."""
    return labels.size == 0 or int(labels.max()) <= np.iinfo(dtype).max


def _keep_run(project: Project, made: Foreseen, labels: NDArray[Any]) -> Foreseen:
    """Keep what a run of the person's has found, with the score and places of what was seen ahead."""
    ahead = newest_prediction(project, made.case)
    seen = made if ahead is None else replace(made, score=ahead.score, places=ahead.places)
    return keep_prediction(project, seen, labels)


def _accept(
    session: Session, draft: Version, labels: NDArray[Any], classes: Sequence[LabelClass]
) -> Version:  # fmt: skip
    """Accept once every step is on the disk: the version points at the last."""
    session.ledger.writer.flush(FLUSH_SECONDS)
    session.project.add_classes(classes)
    return accept(session.project, draft, labels)
