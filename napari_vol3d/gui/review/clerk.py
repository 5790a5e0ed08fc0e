"""Writing into a project beside the window: one after the other, told back in the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.jobs import report
from napari_vol3d.review.lane import Lane

log = logging.getLogger(__name__)
Then = Callable[[Any], None]


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
        self._last: Future[Any] | None = None
        self.waiting = 0
        self._ended.connect(self._on_end)  # across threads: told in the lane's, heard in the window's

    def do(self, call: Callable[[], Any], then: Then | None = None) -> None:
        """Do a call after those before it; `then` gets its result in the window's thread, unless it fails."""
        self.waiting += 1
        self._last = self._lane.run(call)
        self._last.add_done_callback(lambda future: self._ended.emit((future, then)))

    def close(self, timeout: float = 10.0) -> None:
        """Wait for what was asked for, and end; answers come to nobody any more."""
        self._ended.disconnect(self._on_end)
        if self._last is not None:
            problem = self._last.exception(timeout)
            if problem is not None:
                log.error("the project could not be written: %s", problem)
        self._lane.close()

    def _on_end(self, ended: tuple[Future[Any], Then | None]) -> None:
        future, then = ended
        self.waiting -= 1
        problem = future.exception()
        if isinstance(problem, Vol3dError):
            report(problem)
        elif problem is not None:
            log.error("a call to the project failed", exc_info=problem)
            report(Vol3dError(f"The project could not be written: {problem}", hint="Please report it with the log."))
        elif then is not None:
            then(future.result())
        if not self.waiting:
            self.idle.emit()
