"""The journals that are written from one window: one writer a file, whatever the number of layers in it."""

from __future__ import annotations

import getpass
import logging
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job
from napari_vol3d.review import fallback, lock
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.reports import Acknowledged, Mended, Report, TakenOver, Trouble
from napari_vol3d.review.writer import Writer

log = logging.getLogger(__name__)
Entering: TypeAlias = Generator[Progress, None, tuple[Lock | Held | None, str]]


class Ledger(QObject):
    """A journal that is being written.

    Parameters
    ----------
    enter : callable
        Gives the verb that opens the journal: `enter_alone`, or `enter_shared` where parts of it have locks.

    Attributes
    ----------
    journal : Journal
    writer : Writer
        Takes edits from now on; whether the file can be written shows itself in the reports.
    trouble : Trouble or None
        What keeps the journal from being written, until it is mended.
    held : Held or None
        Who else has the journal.
    """

    acknowledged = Signal(object)  # Acknowledged
    troubled = Signal(object)  # Trouble, or None once it is mended
    heldChanged = Signal(object)  # Held or None
    recovered = Signal(str)  # what was done about a damaged file, in a sentence
    takenOver = Signal()  # another has the lock whose heartbeat was kept up here

    _reported = Signal(object)

    def __init__(self, path: Path, parent: QObject | None = None, *, enter: Enter | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._enter = enter_alone if enter is None else enter
        self.journal = Journal(path)
        self.trouble: Trouble | None = None
        self.held: Held | None = None
        self._reported.connect(self._on_report)  # across threads: told in the writer's, heard in the window's
        self.writer = Writer(self.journal, tell=self._reported.emit, who=who())
        self._claim = Claim(self.writer)
        self._opening = self._begin(self._enter(path, self._claim), "Opening the journal")

    def take_over(self) -> None:
        """Have the journal although somebody else has it: a person said so."""
        if self.held is not None and not self._opening.running:
            verb = _take_over(self.path, self.held, self._claim)
            self._opening = self._begin(verb, "Taking over", quiet=False)

    def close(self) -> None:
        """Write what waits, and end."""
        self._opening.stop()
        self._claim.close()
        try:
            self.writer.close()
        except Vol3dError as problem:
            log.exception("corrections could not be written")
            show_error(str(problem))

    def _begin(self, verb: Entering, name: str, *, quiet: bool = True) -> Job:
        job = Job(verb, name=name, parent=self, quiet=quiet)
        job.succeeded.connect(self._on_entered)
        job.start()
        return job

    def _on_entered(self, entered: tuple[Lock | Held | None, str]) -> None:
        got, sentence = entered
        self.held = got if isinstance(got, Held) else None
        self.heldChanged.emit(self.held)
        if sentence:
            self.recovered.emit(sentence)

    def _on_report(self, report: Report) -> None:
        if isinstance(report, Acknowledged):
            self.acknowledged.emit(report)
        elif isinstance(report, Trouble | Mended):
            self.trouble = report if isinstance(report, Trouble) else None
            self.troubled.emit(self.trouble)
        if isinstance(report, TakenOver):
            self.takenOver.emit()
        # A journal that could not be opened has given no lock either.
        if isinstance(report, TakenOver) or (isinstance(report, Mended) and not self._claim.given):
            self._opening = self._begin(self._enter(self.path, self._claim), "Asking who has the journal")


class Claim:
    """Hands a lock from the thread that takes it to the writer, or back where the writer was closed meanwhile.

    Attributes
    ----------
    given : bool
        Whether the writer has got one.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer, self._one_by_one, self._closed = writer, threading.Lock(), False
        self.given = False

    def give(self, got: Lock) -> None:
        """Have the writer keep up a lock that was taken."""
        with self._one_by_one:
            if not self._closed:
                self.given = True
                self._writer.keep_up(got)
                return
        got.release()

    def close(self) -> None:
        """Give no more: the writer releases what it has."""
        with self._one_by_one:
            self._closed = True


def who() -> str:
    """Name the person at this computer, "" where the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def enter_alone(path: Path, claim: Claim) -> Entering:
    """Open a journal, bring home what waits for it, and take the lock."""
    yield Progress(phase="Opening the journal")
    journal = Journal.open(path)
    fallback.gather(journal)
    got = lock.acquire(journal, who=who())
    if isinstance(got, Lock):
        claim.give(got)
    return got, journal.recovery.words if journal.recovery else ""


def enter_shared(path: Path, claim: Claim) -> Entering:
    """Open a journal that several people write into at once, and bring home what waits for it."""
    yield Progress(phase="Opening the project")
    journal = Journal.open(path)
    fallback.gather(journal)
    return None, journal.recovery.words if journal.recovery else ""


Enter: TypeAlias = Callable[[Path, Claim], Entering]


def _take_over(path: Path, held: Held, claim: Claim) -> Entering:
    yield Progress(phase="Taking over")
    got = lock.take_over(Journal.open(path), held, who=who())
    if isinstance(got, Lock):
        claim.give(got)
    return got, ""
