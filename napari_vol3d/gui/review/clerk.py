"""Writing into a project beside the window: one after the other, told back in the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.jobs import report
from napari_vol3d.review.lane import Lane

log = logging.getLogger(__name__)
Then = Callable[[Any], None]
Otherwise = Callable[[Vol3dError], None]


class Clerk(QObject):
    """Does one call after the other in a thread of its own: a disk that hangs does not stop the window.

    Attributes
    ----------
    waiting : int
        Calls that have not ended.
    """

    idle = Signal()
    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = Lane("project file")
        self._open: list[Future[Any]] = []
        self.waiting = 0
        self._ended.connect(self._on_end)  # across threads: told in the lane's, heard in the window's

    def do(self, call: Callable[[], Any], then: Then | None = None, otherwise: Otherwise | None = None) -> None:
        """Do a call after those before it.

        Parameters
        ----------
        then, otherwise : callable
            Get its result, or the problem, in the window's thread; a problem is told to the person in any case.
        """
        self.waiting += 1
        future = self._lane.run(call)
        self._open.append(future)
        future.add_done_callback(lambda ended: self._ended.emit((ended, then, otherwise)))

    def close(self, timeout: float = 10.0) -> None:
        """Wait for what was asked for, and end; answers come to nobody any more, problems are told."""
        self._ended.disconnect(self._on_end)
        done, late = wait(self._open, timeout)
        for future in done:
            _told(future)
        if late:
            report(Vol3dError("The project's disk is slow.", hint="Leave the program open until it has written."))
        self._lane.close()

    def _on_end(self, ended: tuple[Future[Any], Then | None, Otherwise | None]) -> None:
        future, then, otherwise = ended
        self.waiting -= 1
        self._open.remove(future)
        problem = _told(future)
        if problem is None and then is not None:
            then(future.result())
        elif problem is not None and otherwise is not None:
            otherwise(problem)
        if not self.waiting:
            self.idle.emit()


def _told(future: Future[Any]) -> Vol3dError | None:
    """Tell a person what went wrong, and give it; None where nothing did."""
    problem = future.exception()
    if problem is None:
        return None
    if not isinstance(problem, Vol3dError):
        log.error("a call to the project failed", exc_info=problem)
        problem = Vol3dError(f"The project could not be written: {problem}", hint="Please report it with the log.")
    report(problem)
    return problem
