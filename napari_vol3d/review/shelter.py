"""A file in the person's own folder that takes what a journal can't, until it can."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review import fallback
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Lock, acquire
from napari_vol3d.review.records import Event, Layer

Batch = Sequence[tuple[Layer, Event]]


def write_batch(journal: Journal, batch: Batch) -> None:
    """Add events of several layers in their order; what is there already is left out."""
    journal.prove()
    for _, run in groupby(batch, key=lambda pair: pair[0].key):
        pairs = list(run)
        journal.add(pairs[-1][0], [event for _, event in pairs])  # what the layer says of itself last


class Shelter:
    """Where events of one journal wait, in order; no other program merges it while this one lives.

    Attributes
    ----------
    count : int
        Events that it holds.
    """

    def __init__(self, main: Journal) -> None:
        self._main = main
        self._file = Journal(fallback.new_fallback(main.path))
        self._lock: Lock | None = None
        self.count = 0

    def put(self, batch: Batch) -> None:
        """Add events, durable on return.

        Raises
        ------
        JournalProblem, JournalDamaged
            If it can't be written either; the same batch may be put again.
        """
        self._file.prove()
        if self._lock is None:  # first: a file without a lock may be merged, and removed, by another program
            taken = acquire(self._file)
            self._lock = taken if isinstance(taken, Lock) else None
        write_batch(self._file, batch)
        self.count += len(batch)

    def merge(self) -> int:
        """Add all to the journal, and give their number; may run beside `put`."""
        self._main.prove()
        return fallback.merge(self._file, self._main) if self.count else 0

    def remove(self) -> None:
        """Remove the file, after all that it holds was merged."""
        with suppress(OSError):  # then it is merged once more, which changes nothing
            fallback.remove(self._file.path)

    def leave(self) -> None:
        """Let the next program, or this one, merge it."""
        with suppress(Vol3dError):
            if self._lock is not None:
                self._lock.release()
