"""What becomes of the case that is open: accepted, flagged, rejected, noted, put back to an older version."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.ledger import Ledger
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.accepting import accept, undo_accept
from napari_vol3d.review.project.records import Status, Version
from napari_vol3d.review.project.store import Project

FLUSH_SECONDS = 30.0
TAKEN_UP = frozenset({"todo", "predicted", "accepted"})  # a correction puts these in review


class Judging(QObject):
    """Says it to the project at once, and shows it at once."""

    said = Signal(str)
    versionsChanged = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._record: Record | None = None
        self._accepted: list[str] = []  # readings, in the order in which they were
        session.changed.connect(self._follow)

    def accept(self) -> bool:
        """Accept the labels as they are; a version is made of them.

        Returns
        -------
        bool
            Whether they could be.
        """
        session, shown = self._session, self._session.shown
        record = self._correctable("accepted")
        if shown is None or record is None:
            return False
        record.settle()
        record.begin()
        session.keep_seconds()
        draft = self._draft(record)
        record.book.mark_accepted(at=draft.cursor)
        labels = shown.labels.data.copy()  # the person goes on, and may come back to it
        session.clerk.do(partial(_accept, session.project, session.ledger, draft, labels), self._on_accepted)
        self._accepted.append(session.current)
        self._show_status("accepted")
        return True

    def set_status(self, status: Status) -> None:
        """Flag it, reject it, take it up again."""
        session, reading = self._session, self._session.current
        if self._correctable(status) is not None:
            session.clerk.do(partial(session.project.set_status, reading, status, who=session.who))
            self._show_status(status)
            session.refresh_row(reading)

    def set_note(self, note: str) -> None:
        """Keep a note on it."""
        session, row = self._session, self._session.row
        if row is not None and note != row.reading.note:
            session.clerk.do(partial(session.project.set_note, session.current, note, who=session.who))
            session.set_row(replace(row, reading=replace(row.reading, note=note)))
            session.refresh_row(session.current)

    def undo_accept(self) -> None:
        """Take the accepting of what is open back, or of what was accepted last: the next one is open by then."""
        session, row = self._session, self._session.row
        accepted = row is not None and row.reading.status == "accepted"
        reading = session.current if accepted else self._accepted.pop() if self._accepted else ""
        if not reading:
            self.said.emit("Nothing was accepted here yet.")
            return
        name = session.rows[reading].case.name
        taking = partial(undo_accept, session.project, reading, who=session.who)
        session.clerk.do(taking, partial(self._on_undone, name))
        session.refresh_row(reading)

    def restore(self, labels: NDArray[Any], name: str) -> None:
        """Put older labels in the place of those that are open: a step of the history, which can be undone."""
        record = self._correctable("changed")
        if record is None:
            return
        record.settle()
        np.copyto(record.layer.data, labels, casting="same_kind")
        if record.capture(name=name):
            record.show()
        else:
            self.said.emit("The labels are the same already.")

    def take_prediction(self, labels: NDArray[Any], name: str) -> None:
        """Put what a model found into the labels that are open, as one step of the model; corrected voxels stay."""
        record = self._correctable("changed")
        if record is None or labels.shape != record.labels.shape:
            return
        record.settle()
        now = record.labels
        predicted = np.where(record.corrected, now, labels.astype(now.dtype, copy=False))
        edit = Edit.between(name, now, predicted)
        if edit is not None:
            record.do(edit, by_model=True)

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

    def _follow(self) -> None:
        """The first correction takes a case up."""
        if self._record is not None:
            self._record.changed.disconnect(self._on_change)
        shown = self._session.shown
        self._record = None if shown is None else shown.record
        if self._record is not None:
            self._record.changed.connect(self._on_change)

    def _on_change(self) -> None:
        row, record = self._session.row, self._record
        changed = record is not None and record.history.at > 0
        if changed and row is not None and row.reading.status in TAKEN_UP:
            self.set_status("in review")

    def _show_status(self, status: Status) -> None:
        session, row = self._session, self._session.row
        if row is not None:
            session.set_row(replace(row, reading=replace(row.reading, status=status, annotator=session.who)))

    def _on_accepted(self, version: Version) -> None:
        self._session.refresh_row(version.reading)
        self.versionsChanged.emit()

    def _on_undone(self, name: str, version: Version | None) -> None:
        stays = "" if version is None else f" Its version {version.number} stays."
        self.said.emit(f"{name} is not accepted any more.{stays}")
        self.versionsChanged.emit()


def _accept(project: Project, ledger: Ledger, draft: Version, labels: NDArray[Any]) -> Version:
    """Accept once every step is on the disk: the version points at the last."""
    ledger.writer.flush(FLUSH_SECONDS)
    return accept(project, draft, labels)
