"""A thread for what may hang: a disk that does not answer must not take with it whoever asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

Task = tuple[Callable[[], Any], Future[Any]]


class Lane:
    """One thread that does one job after the other; it never keeps the program from ending.

    An executor's threads are waited for when Python ends, which a call that hangs in a network folder would hold.
    """

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Callable[[], Any]) -> Future[Any]:
        """Do `job` after all that were given before; its result, or what it raised, comes through the future."""
        future: Future[Any] = Future()
        self._tasks.put((job, future))
        return future

    def close(self) -> None:
        """End after what was given; does not wait."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            job, future = task
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                future.set_exception(error)
            del task, job, future  # edits are large
