"""Edits become durable within a second of the stroke's end, in order, without anybody waiting.

    writer = Writer(journal, tell=show)          # `show` gets every report, in the writer's thread
    writer.watch(layer, journal.line(layer).cursor)
    token = writer.append(layer, edit)
    ...
    writer.close()

In a window, `tell` sends a signal: it is called in another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review.journal import Journal, MarkName
from napari_vol3d.review.keeper import Asked, Keeper
from napari_vol3d.review.lock import Lock
from napari_vol3d.review.records import Event, Layer, base_event, edit_event, new_token, utc_now
from napari_vol3d.review.reports import Report

PATIENCE = 0.7  # seconds that a journal is waited for; the person's own folder has the rest of the second


class Writer:
    """Takes what people do at once, and writes it in a thread.

    Parameters
    ----------
    journal : Journal
        Where it belongs; one that could not be opened is tried again.
    tell : callable
        Gets every `Report`, in the writer's thread; must not wait.
    who : str
        Kept with every event.
    lock : Lock, optional
        Whose heartbeat is to be kept up; it is released at the end.
    patience : float, optional
        Seconds until edits go to the person's own folder; `PATIENCE` where not given.
    """

    def __init__(
        self, journal: Journal, *, tell: Callable[[Report], None], who: str = "", lock: Lock | None = None,
        patience: float | None = None,
    ) -> None:  # fmt: skip
        self._who, self._sequence = who, 0
        self._cursors: dict[str, str | None] = {}
        self._calls = threading.Lock()
        self._keeper = Keeper(journal, tell=tell, patience=PATIENCE if patience is None else patience, lock=lock)

    def watch(self, layer: Layer, cursor: str | None) -> None:
        """Say where a layer's history stands (`Line.cursor`), before its first edit here."""
        with self._calls:
            self._cursors[layer.key] = cursor

    def begin(self, layer: Layer, base: NDArray[Any]) -> None:
        """Begin a new history with these labels, shape `layer.shape`; the journal keeps a copy of its own.

        The caller must not change the array until this is acknowledged.
        """
        with self._calls:
            self._cursors[layer.key] = None
            self._ask(layer, partial(base_event, layer.key, base, token=new_token(), who=self._who))

    def append(self, layer: Layer, edit: Edit, *, token: str | None = None, who: str | None = None) -> str:
        """Add an edit, and give the token by which the history knows it; `who` made it, if not the person."""
        with self._calls:
            token, parent = token or new_token(), self._cursors[layer.key]
            whose = self._who if who is None else who
            self._ask(layer, partial(edit_event, layer.key, edit, parent=parent, token=token, who=whose))
            self._cursors[layer.key] = token
        return token

    def keep_up(self, lock: Lock) -> None:
        """Keep a lock's heartbeat up from now on, and release it at the end."""
        self._keeper.keep_up(lock)

    def move(self, layer: Layer, token: str | None) -> None:
        """Say that the labels are now as after this edit (undo, redo, a jump), or (None) as before the first."""
        with self._calls:
            self._cursors[layer.key] = token
            event = Event(layer=layer.key, kind="move", cursor=token, who=self._who)
            self._ask(layer, lambda: event)

    def mark(self, layer: Layer, name: MarkName, *, file: str = "", sha256: str = "") -> None:
        """Say that the labels as they are were saved to a file, accepted, or are not wanted."""
        with self._calls:
            here = self._cursors[layer.key]
        self.mark_at(layer, here, name, file=file, sha256=sha256)

    def mark_at(self, layer: Layer, token: str | None, name: MarkName, *, file: str = "", sha256: str = "") -> None:
        """Say the same of the labels as they were after this edit, or (None) before the first."""
        with self._calls:
            event = Event(
                layer=layer.key, kind="mark", cursor=token, name=name, file=file, sha256=sha256, who=self._who
            )
            self._ask(layer, lambda: event)

    @property
    def waiting(self) -> int:
        """Number of calls that are not durable yet."""
        return self._sequence - self._keeper.durable

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was called is durable; False if that took longer than `timeout` seconds."""
        wanted, keeper = self._sequence, self._keeper
        with keeper.news:
            return keeper.news.wait_for(lambda: keeper.durable >= wanted, timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Write what waits, merge what waits on this computer if the journal can be reached, and end.

        Raises
        ------
        SaveProblem
            If after `timeout` seconds some could be written nowhere.
        """
        self._keeper.close(timeout)
        if self.waiting:
            raise SaveProblem(
                f"{self.waiting} corrections could not be written.", hint="Save the labels to another disk now."
            )

    def _ask(self, layer: Layer, make: Callable[[], Event]) -> None:
        self._sequence += 1
        now = utc_now()  # not when it is packed
        self._keeper.put(Asked(sequence=self._sequence, layer=layer, make=lambda: replace(make(), time=now)))
