"""The writer's thread: where the events go, what is told, and what is tried again when.

The journal is first; if it fails or is late, the shelter is, for all that follows, until it was merged; if that fails
too, events stay in memory and both are tried again. So their order is kept whatever happens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Literal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lane import Lane
from napari_vol3d.review.lock import BEAT_SECONDS, Lock
from napari_vol3d.review.records import Event, Layer
from napari_vol3d.review.reports import Acknowledged, Mended, Place, Report, TakenOver, Trouble
from napari_vol3d.review.shelter import Shelter, write_batch

log = logging.getLogger(__name__)
RETRY_FIRST, RETRY_LAST = 0.5, 10.0  # seconds until a journal that failed is tried again
LEAST_PATIENCE = 0.3  # seconds, for events that took long to be packed
SLOW = Vol3dError("The journal takes too long.", hint="See whether its disk or network folder is there.")
FORESEEN = (Vol3dError, OSError, MemoryError)


@dataclass(slots=True, kw_only=True)
class Asked:
    """A call that is not durable yet; `make` packs its voxels, for which the caller need not wait."""

    sequence: int
    layer: Layer
    make: Callable[[], Event]
    since: float = field(default_factory=time.monotonic)
    event: Event | None = None

    def made(self) -> tuple[Layer, Event]:
        """Give the layer and the event, packed once."""
        if self.event is None:
            self.event = self.make()
        return self.layer, self.event


class Keeper:
    """Makes what is put durable, in order.

    Attributes
    ----------
    durable : int
        Sequence up to which everything is on a disk.
    news : threading.Condition
        Notified when that grows.
    """

    def __init__(
        self, journal: Journal, *, tell: Callable[[Report], None], patience: float, lock: Lock | None
    ) -> None:
        self._journal, self._tell, self._patience, self._lock = journal, tell, patience, lock
        self.durable, self.news = 0, threading.Condition()
        self._inbox: SimpleQueue[Asked | None] = SimpleQueue()
        self._pending: list[Asked] = []
        self._shelter: Shelter | None = None
        self._trouble: Trouble | None = None
        self._job: Future[Any] | None = None  # in the lane and not waited for: a late write, a merge, a heartbeat
        self._then: Callable[[Future[Any]], None] = self._look_at_late
        self._retry, self._wait, self._beat = 0.0, RETRY_FIRST, time.monotonic() + BEAT_SECONDS
        self._closing = self._given_up = False
        self._last_merge_by, self._last_try = float("inf"), patience
        self._lane = Lane("journal file")
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, asked: Asked) -> None:
        """Take a call; waits for nothing."""
        self._inbox.put(asked)

    def keep_up(self, lock: Lock) -> None:
        """Have a lock whose heartbeat is to be kept up."""
        self._lock = lock

    def close(self, timeout: float) -> None:
        """End when all is durable, or after `timeout` seconds."""
        self._last_try = min(self._patience, timeout / 2)
        self._closing = True
        self._inbox.put(None)
        self._thread.join(timeout)
        self._given_up = True
        self._inbox.put(None)
        self._lane.close()

    # ---- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._given_up and not self._has_ended():
                self._take()
                self._store()
            self._leave()
        except Exception:  # it must not end in silence: a person's work waits for it
            log.exception("the journal's writer has ended")
            self._say(Trouble(message="The journal's writer has ended.", hint="Save the labels now.", place="memory"))

    def _has_ended(self) -> bool:
        if not self._closing:
            return False
        if self._last_merge_by == float("inf"):  # one more try to bring home what waits on this computer
            self._last_merge_by, self._retry = time.monotonic() + self._last_try, 0.0
        if self._pending or not self._inbox.empty():
            return False
        return self._shelter is None or time.monotonic() > self._last_merge_by

    def _take(self) -> None:
        """Wait for calls, or for the next thing to do; all that have come together are one batch."""
        with suppress(Empty):
            item = self._inbox.get(timeout=self._until_next())
            while True:
                if item is not None:
                    self._pending.append(item)
                item = self._inbox.get_nowait()

    def _until_next(self) -> float:
        if self._job is not None or self._closing:
            return RETRY_FIRST / 10
        due = self._retry if self._shelter or self._pending else self._beat
        return min(max(due - time.monotonic(), 0.0), BEAT_SECONDS)

    def _store(self) -> None:
        self._look_at_job()
        try:
            batch = [asked.made() for asked in self._pending]
        except FORESEEN as error:
            self._retry_later()
            self._report(error, "memory")
            return
        if batch and self._shelter is None:
            self._to_journal(batch)
        elif batch:
            self._to_shelter(batch)
        self._start_job()

    def _to_journal(self, batch: list[tuple[Layer, Event]]) -> None:
        job = self._lane.run(partial(write_batch, self._journal, batch))
        try:
            job.result(max(self._pending[0].since + self._patience - time.monotonic(), LEAST_PATIENCE))
        except StillRunning:
            self._leave_behind(job, self._look_at_late)
            self._fall_back(SLOW, batch)
        except FORESEEN as error:
            self._fall_back(error, batch)
        else:
            self._acknowledge("journal")

    def _fall_back(self, error: BaseException, batch: list[tuple[Layer, Event]]) -> None:
        self._shelter = Shelter(self._journal)
        self._retry_later()
        self._report(error, "local")
        self._to_shelter(batch)

    def _to_shelter(self, batch: list[tuple[Layer, Event]]) -> None:
        assert self._shelter is not None  # for mypy: the callers made or saw it
        try:
            self._shelter.put(batch)
        except FORESEEN as error:
            self._report(error, "memory")
        else:
            self._acknowledge("local")

    def _acknowledge(self, place: Place) -> None:
        batch, self._pending = self._pending, []
        with self.news:
            self.durable = batch[-1].sequence
            self.news.notify_all()
        tokens = tuple(asked.made()[1].token for asked in batch)
        self._say(Acknowledged(sequence=self.durable, tokens=tokens, place=place))

    # ---- what is not waited for -------------------------------------------------------------------------------------

    def _start_job(self) -> None:
        now = time.monotonic()
        if self._job is not None:
            return
        if self._shelter is not None and self._retry <= now:
            self._leave_behind(self._lane.run(self._shelter.merge), self._look_at_merge)
        elif self._shelter is None and self._lock is not None and self._beat <= now:
            self._beat = now + BEAT_SECONDS
            self._leave_behind(self._lane.run(self._lock.beat), self._look_at_beat)

    def _leave_behind(self, job: Future[Any], then: Callable[[Future[Any]], None]) -> None:
        self._job, self._then = job, then
        job.add_done_callback(lambda _: self._inbox.put(None))

    def _look_at_job(self) -> None:
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            self._then(job)

    def _look_at_late(self, job: Future[Any]) -> None:
        """A write that took too long has ended; if it was done after all, the merge leaves out what it wrote."""
        if job.exception() is None:
            self._retry = 0.0

    def _look_at_merge(self, job: Future[Any]) -> None:
        error = job.exception()
        if isinstance(error, FORESEEN):
            self._retry_later()
            self._report(error, "local")
        elif self._shelter is not None and job.result() >= self._shelter.count:
            self._come_home(self._shelter)
        else:  # more came meanwhile
            self._retry = 0.0

    def _come_home(self, shelter: Shelter) -> None:
        shelter.remove()
        self._shelter, self._trouble, self._wait = None, None, RETRY_FIRST
        self._say(Mended(merged=shelter.count))

    def _look_at_beat(self, job: Future[Any]) -> None:
        if job.exception() is None and not job.result():  # a failure shows itself at the next write
            self._lock = None
            self._say(TakenOver())

    def _retry_later(self) -> None:
        self._retry = time.monotonic() + self._wait
        self._wait = RETRY_FIRST if self._closing else min(2 * self._wait, RETRY_LAST)

    def _leave(self) -> None:
        if self._shelter is not None:
            self._shelter.leave()
        if self._lock is not None:  # behind a heartbeat that is under way
            with suppress(*FORESEEN, StillRunning):
                self._lane.run(self._lock.release).result(self._patience)

    # ---- telling ----------------------------------------------------------------------------------------------------

    def _report(self, error: BaseException, place: Literal["local", "memory"]) -> None:
        words = error if isinstance(error, Vol3dError) else Vol3dError(str(error) or type(error).__name__)
        trouble = Trouble(message=words.message, hint=words.hint, place=place)
        if trouble != self._trouble:  # once, not at every try
            self._trouble = trouble
            self._say(trouble)

    def _say(self, report: Report) -> None:
        try:
            self._tell(report)
        except Exception:  # what is shown must not keep the next edit from the disk
            log.exception("a report of the journal could not be shown")
