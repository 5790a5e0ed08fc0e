"""Deleting objects, and giving them to another class: computed beside the window, one step of the history."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_edits import give_objects
from napari_vol3d.core.object_table import Ints
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.object_search import FoundObjects


class ObjectChange(QObject):
    """One change at a time; what a locked class has stays.

    Signals: `ready` with the `FoundObjects`, the rows, the class that they get and the edit, which nobody has applied
    yet; `said` with a sentence where there is none.
    """

    ready = Signal(object, object, object, object)
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._of: tuple[FoundObjects, Ints, int] | None = None

    @property
    def busy(self) -> bool:
        """Whether a change is being computed."""
        return self._job is not None

    def let_go(self) -> None:
        """Give up what is not done yet."""
        self._of = None
        if self._job is not None:
            self._job.stop()

    def give(self, found: FoundObjects, rows: Ints, into: int) -> None:
        """Give objects to a class, 0 to delete them."""
        held = np.isin(found.table.class_id[rows], list(found.record.locked))
        if into in found.record.locked or held.all():
            class_id = into if into in found.record.locked else int(found.table.class_id[rows[0]])
            self.said.emit(f"{_capital(found.record.name_of(class_id))} is locked. Unlock it in the list of classes.")
        elif self.busy:
            self.said.emit("The last change is not done yet. Try again in a moment.")
        else:
            self._begin(found, rows[~held], into)

    def _begin(self, found: FoundObjects, rows: Ints, into: int) -> None:
        self._of = found, rows, into
        self._job = Job(_giving(found, rows, into), name="Changing objects", parent=self, quiet=True)
        self._job.succeeded.connect(self._on_success)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_ended)
        self._job.start()

    def _on_success(self, answer: tuple[Edit | None]) -> None:
        (edit,) = answer
        if self._of is None:
            return
        if edit is None:
            self.said.emit("They have this class already. Choose another one to paint with.")
        else:
            self.ready.emit(*self._of, edit)

    def _on_failure(self, problem: Vol3dError) -> None:
        if self._of is not None:
            self.said.emit(str(problem))

    def _on_ended(self) -> None:
        self._of = None
        if self._job is not None:
            self._job.deleteLater()
            self._job = None


def named(found: FoundObjects, rows: Ints, into: int) -> str:
    """Say what is done: "Delete 3 objects of posterior", "Give object of posterior to anterior"."""
    ids = np.unique(found.table.class_id[rows]).tolist()
    of = found.record.name_of(ids[0]) if len(ids) == 1 else f"{len(ids):,} classes"
    what = f"object of {of}" if len(rows) == 1 else f"{len(rows):,} objects of {of}"
    return f"Give {what} to {found.record.name_of(into)}" if into else f"Delete {what}"


def _giving(found: FoundObjects, rows: Ints, into: int) -> Generator[Progress, None, tuple[Edit | None]]:
    """Make a verb whose result is never None, for that says that a job was cancelled."""
    name, labels = named(found, rows, into), found.record.layer.data
    yield Progress(phase=name)
    return (give_objects(labels if labels.ndim == 3 else labels[found.frame], found.table, rows, into=into, name=name),)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
