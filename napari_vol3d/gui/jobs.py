"""Running a verb beside the window: a thread that only relays, a stop that takes effect, errors told once."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

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

    Notes
    -----
    napari's workers swallow RuntimeErrors of generators, tell other errors twice, and never close a generator that
    is told to quit. So the verb is driven and closed here, inside the thread, and ends like any other.
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
        self._verb = verb
        self._stop = threading.Event()
        self._over = False
        self._worker = create_worker(self._relay, _start_thread=False)
        self._worker.__class__.__name__ = name
        self._worker.yielded.connect(self._on_progress)
        self._worker.returned.connect(self._on_end)
        self._worker.aborted.connect(self._on_abort)

    @property
    def running(self) -> bool:
        """Whether the verb has not ended yet."""
        return not self._over

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """Ask the verb to stop; its `finally` clauses run in its own thread."""
        self._stop.set()

    def _relay(self) -> Generator[Progress, None, _End]:
        try:
            with contextlib.closing(self._verb) as verb:
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
        finally:
            end_pools()
        return _End()

    def _on_progress(self, progress: Progress) -> None:
        if not self._over:
            self.progressed.emit(progress)

    def _on_end(self, end: _End) -> None:
        if end.problem is not None:
            if not self._quiet:
                report(end.problem)
            self._finish(self.failed, end.problem)
        elif self._stop.is_set() and end.result is None:
            self._finish(self.cancelled)
        else:
            self._finish(self.succeeded, end.result)

    def _on_abort(self) -> None:
        """Close the verb when napari stops its workers, at quit."""
        self._verb.close()
        self._finish(self.cancelled)

    def _finish(self, signal: Any, *values: Any) -> None:
        if not self._over:
            self._over = True
            signal.emit(*values)
            self.ended.emit()


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
