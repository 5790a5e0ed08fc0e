"""Adjudication of the open case: its two readings are compared beside the window, then decided on by keys."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.forms.region_bar import BY_HAND, KEYS, RegionBar
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.settling import NO_MODEL, Settling
from napari_vol3d.gui.review.showing import Shown
from napari_vol3d.review.project.differences import Differences, Opinion, differences, opinions_on

NO_PROJECT, NO_CASE = "Open a project first.", "Open a case first: double click it in the list."
NOT_COMMON = "Only everybody's list is adjudicated: choose it under Read as."
HELD = "Somebody else has this case open: it is only looked at."
TOO_FEW = "Two accepted readings are needed. Ask for a second one above."


class Adjudication(QObject):
    """Joins the form with the open case of everybody's list; its keys are there only while regions are decided on.

    Parameters
    ----------
    desk : Desk
    bar : RegionBar

    Attributes
    ----------
    settling : Settling or None
        While regions are decided on.
    """

    said = Signal(str)

    def __init__(self, desk: Desk, bar: RegionBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._bar = desk, bar
        self._session: Session | None = None
        self._keys: dict[str, QShortcut] = {}
        self._job: Job | None = None
        self._compared: tuple[Shown, int] | None = None  # what is being compared, and its time point
        self.settling: Settling | None = None
        for signal, slot in (
            (bar.beginAsked, self.begin), (bar.endAsked, self.end), (bar.bothAsked, self._take_agreed),
            (bar.chosen, self.choose), (bar.stepped, self._step),
        ):  # fmt: skip
            signal.connect(slot)
        self._offer()

    def follow(self, session: Session | None) -> None:
        """Have the cases of a session; None: of none."""
        if self._session is not None:
            self._session.changed.disconnect(self.end)
        self._session = session
        if session is not None:
            session.changed.connect(self.end)
        self.end()

    def let_go(self) -> None:
        """Stop, and leave the viewer."""
        self.follow(None)

    def begin(self) -> None:
        """Compare the readings, then show the largest region."""
        session, shown = self._session, self._shown
        if session is None or shown is None or shown.record is None or self._why_not() or self._job or self.settling:
            return
        record, case = shown.record, shown.loaded.row.case
        record.settle()
        frame = record.frame
        verb = differences(
            session.project, case.key, final=record.labels, spacing=record.spacing if record.unit == "mm" else None,
            frame=frame if record.layer.ndim > 3 else None,
        )  # fmt: skip
        self._compared = shown, frame
        self._job = Job(verb, name=f"Comparing readings of {case.name}", parent=self, quiet=True)
        self._job.succeeded.connect(self._on_found)
        self._job.failed.connect(self._on_failed)
        self._job.start()
        self._bar.show_idle("", busy=True)

    def end(self) -> None:
        """Stop deciding; what was decided stays."""
        self._end_job()
        self._listen(False)
        settling, self.settling = self.settling, None
        if settling is not None:
            self._desk.viewer.layers.events.removed.disconnect(self._on_removed)
            settling.let_go()
            settling.deleteLater()
        self._offer()

    def choose(self, choice: Any) -> None:
        """Decide on the region that is shown: "first", "second", "third", or "hand" to leave it."""
        if self.settling is not None and choice == BY_HAND:
            self.settling.leave()
        elif self.settling is not None:
            self.settling.take(choice)

    # ---- within -----------------------------------------------------------------------------------------------------

    @property
    def _shown(self) -> Shown | None:
        return None if self._session is None else self._session.shown

    def _why_not(self) -> str:
        if self._session is None:
            return NO_PROJECT
        if self._session.reader:
            return NOT_COMMON
        shown = self._shown
        return NO_CASE if shown is None else HELD if shown.record is None else ""

    def _offer(self) -> None:
        """Ask the project whether there are two readings."""
        why, session, shown = self._why_not(), self._session, self._shown
        self._bar.show_idle(why or TOO_FEW)
        if not why and session is not None and shown is not None:
            ask = partial(opinions_on, session.project, shown.loaded.row.case.key)
            session.clerk.do(ask, partial(self._on_opinions, shown))

    def _on_opinions(self, shown: Shown, opinions: tuple[Opinion, ...]) -> None:
        if shown is self._shown and self._job is None and self.settling is None:
            self._bar.show_idle("" if len(opinions) > 1 else TOO_FEW)

    def _end_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.succeeded.disconnect(self._on_found)
            job.failed.disconnect(self._on_failed)
            job.stop()

    def _on_failed(self, problem: Vol3dError) -> None:
        self._job = None
        self.said.emit(str(problem))
        self._offer()

    def _on_found(self, found: Differences) -> None:
        self._job = None
        shown, frame = self._compared or (None, 0)
        record = None if shown is None else shown.record
        if shown is None or record is None or shown is not self._shown:
            return  # another case by now
        first, second = found.opinions[:2]
        why = "" if found.third else NO_MODEL
        self._bar.show_readers(first.who, second.who, third=found.third, why_no_third=why)
        self.settling = Settling(self._desk, shown, record, found, frame=frame, parent=self)
        self.settling.changed.connect(self._say)
        self.settling.said.connect(self.said)
        self._desk.viewer.layers.events.removed.connect(self._on_removed)
        self._listen(True)
        self.settling.begin()

    def _on_removed(self, event: Any) -> None:
        if self.settling is not None and event.value is self.settling.record.layer:
            self.end()

    def _listen(self, on: bool) -> None:
        for shortcut in self._keys.values():
            shortcut.setParent(None)
            shortcut.deleteLater()
        window = self._desk.viewer.window._qt_window
        self._keys = {choice: QShortcut(QKeySequence(key), window) for choice, key in KEYS.items()} if on else {}
        for shortcut in self._keys.values():
            shortcut.activated.connect(self._on_key)

    def _on_key(self) -> None:
        self.choose(next(choice for choice, shortcut in self._keys.items() if shortcut is self.sender()))

    def _step(self, by: int) -> None:
        if self.settling is not None:
            self.settling.step(by)

    def _take_agreed(self) -> None:
        if self.settling is not None:
            self.settling.take_agreed()

    def _say(self) -> None:
        settling = self.settling
        if settling is not None:
            self._bar.show_region(settling.words, settling.progress, why_not_both=settling.why_not_agreed)
