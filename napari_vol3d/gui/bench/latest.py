"""A result that is kept up to date in a thread: the newest wish counts, and nothing is done while nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job


class Latest(QObject):
    """Runs a verb when it is asked, one at a time; a newer wish stops the run and drops its answer.

    Parameters
    ----------
    make : callable
        Gives the verb; called on the window's thread when the run begins, so it sees what is true then.
    name : str
        What the thread does, for people.

    Attributes
    ----------
    found : Signal
        With the result of a run after which nothing else was asked for.
    """

    found = Signal(object)

    def __init__(
        self, make: Callable[[], Generator[Progress, None, Any]], name: str, parent: QObject | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._make, self._name = make, name
        self._job: Job | None = None
        self._awake, self._due = False, False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether a run goes on, or waits for its time."""
        return self._job is not None or self._timer.isActive()

    def ask(self, wait_ms: int = 0) -> None:
        """Ask for a result, at the end of a pause in which nobody asks again."""
        self._due = True
        if self._awake:
            self._timer.start(wait_ms)

    def wake(self) -> None:
        """Begin to work, at once where something was asked for meanwhile."""
        self._awake = True
        if self._due:
            self._timer.start(0)

    def sleep(self) -> None:
        """Stop working; what was not finished is still due."""
        self._awake = False
        self._timer.stop()
        if self._job is not None:
            self._due = True
            self._job.stop()

    def let_go(self) -> None:
        """Stop for good: the thread ends at its next step, and nobody hears of it."""
        job = self._job
        self.sleep()
        if job is not None:
            job.succeeded.disconnect(self._take)
            job.ended.disconnect(self._end)
            self._job = None

    def _begin(self) -> None:
        if not self._awake:
            return
        if self._job is not None:  # begins again when it has ended
            self._job.stop()
            return
        self._due = False
        self._job = Job(self._make(), name=self._name, quiet=True)
        self._job.succeeded.connect(self._take)
        self._job.ended.connect(self._end)
        self._job.start()

    def _take(self, result: Any) -> None:
        if not self._due:
            self.found.emit(result)

    def _end(self) -> None:
        self._job = None
        if self._due and self._awake and not self._timer.isActive():
            self._timer.start(0)
