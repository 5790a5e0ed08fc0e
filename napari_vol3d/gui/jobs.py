"""Running a verb beside the window: a thread that only relays, a stop that takes effect, errors told once."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_vol3d.core.errors import EngineProblem, Vol3dError
from napari_vol3d.core.progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _End:
    """How a verb ended: with a result, with a problem, or with neither, because it was cancelled."""

    result: Any = None
    problem: Vol3dError | None = None


class Job(QObject):
    """One run of a verb in a thread.

    Signals arrive on the window's thread, each at most once but `progressed`: `succeeded` with the result, `failed`
    with the problem, or `cancelled`; and after any of them `ended`. A problem is told to the person unless `quiet`.
    With its parent the job is destroyed: the verb is stopped then, and nobody hears of its end.

    Notes
    -----
    napari's workers swallow RuntimeErrors of generators, tell other errors twice, never close a generator that is told
    to quit, and never say that one has returned that was told to quit in its last step. So the verb is driven and
    closed here, inside the thread, its end is kept, and told when the worker has finished, however it did.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self, verb: Generator[Progress, None, Any], *, name: str, parent: QObject | None = None, quiet: bool = False
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._quiet = quiet
        self._driving = self._driven(verb)
        self._stop = threading.Event()
        self._left = threading.Event()  # the thread is done with the verb
        self._end: _End | None = None
        self._over = False
        self._worker = create_worker(self._relay, _start_thread=False)
        self._worker.__class__.__name__ = name
        self._worker.yielded.connect(self._on_progress)
        self._worker.finished.connect(self._left.set)
        self._worker.finished.connect(self._on_finished)
        self.destroyed.connect(self._stop.set)

    @property
    def running(self) -> bool:
        """Whether the verb has not ended yet; once Qt has destroyed the job, as the thread knows it."""
        return not (self._over if isalive(self) else self._left.is_set())

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """Ask the verb to stop; its `finally` clauses run in its own thread."""
        self._stop.set()

    def _relay(self) -> Generator[Progress, None, None]:
        try:
            self._end = yield from self._driving
        finally:
            end_pools()
            self._left.set()

    def _driven(self, verb: Generator[Progress, None, Any]) -> Generator[Progress, None, _End]:
        try:
            with _uncounted(), contextlib.closing(verb):
                while not self._stop.is_set():
                    yield next(verb)
        except StopIteration as end:
            return _End(result=end.value)
        except Vol3dError as problem:
            return _End(problem=problem)
        except RuntimeError as error:
            log.exception("a library failed")
            return _End(problem=EngineProblem(f"A library failed: {error}", hint="The log has the details."))
        except Exception as error:  # napari would tell it a second time, with a traceback
            log.exception("a job failed in a way nobody foresaw")
            unforeseen = Vol3dError(f"Something failed that should not: {error}", hint="Please report it with the log.")
            return _End(problem=unforeseen)
        return _End()

    def _on_progress(self, progress: Progress) -> None:
        if not self._over:
            self.progressed.emit(progress)

    def _on_finished(self) -> None:
        end = self._end
        if end is None:  # napari stops its workers, at quit, and leaves the verb where it is
            self._driving.close()
            self._finish(self.cancelled)
        elif end.problem is not None:
            if not self._quiet:
                report(end.problem)
            self._finish(self.failed, end.problem)
        elif self._stop.is_set() and end.result is None:
            self._finish(self.cancelled)
        else:
            self._finish(self.succeeded, end.result)

    def _finish(self, signal: Any, *values: Any) -> None:
        if not self._over:
            self._over = True
            signal.emit(*values)
            self.ended.emit()


@contextlib.contextmanager
def _uncounted() -> Iterator[None]:
    """Let another worker begin meanwhile: Qt's pool has a thread a core, and one that relays mostly waits.

    On two cores a run and another that waits for its turn would keep all else from beginning, saving too.
    """
    pool = QThreadPool.globalInstance()
    pool.releaseThread()
    try:
        yield
    finally:
        pool.reserveThread()


def end_pools() -> None:
    """End the threads that dask keeps for a thread in which its voxels were read; else they stay for good."""
    threaded = sys.modules.get("dask.threaded")
    pools = threaded.pools.pop(threading.current_thread(), {}) if threaded is not None else {}
    for pool in pools.values():
        pool.shutdown()


def report(problem: Vol3dError) -> None:
    """Tell a person what went wrong and the way on: the one place of the window that does."""
    log.info("told the person: %s", problem)
    show_error(str(problem))
