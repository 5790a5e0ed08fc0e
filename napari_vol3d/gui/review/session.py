"""A review session: the worklist, which reading is open, and who has it.

open -> load (a thread), or what `ahead` has ready -> claim (clerk) -> show -> the person corrects -> `judging`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.ledger import Ledger, enter_shared, who
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.review.ahead import Ahead
from napari_vol3d.gui.review.clerk import Clerk
from napari_vol3d.gui.review.clock import ActiveClock
from napari_vol3d.gui.review.holding import Taken, give_back, take, where
from napari_vol3d.gui.review.loading import Loaded, load
from napari_vol3d.gui.review.showing import Shown, show, take_away
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.reading_plan import Protocol, protocol_of
from napari_vol3d.review.project.records import DONE, Row
from napari_vol3d.review.project.store import Project

PLACE_MS = 2_000  # after the last move; who is killed comes back there
SECONDS_MS = 20_000
Place = Callable[[], Mapping[str, Any]]


class Session(QObject):
    """One project in one window, as one reader has it.

    Parameters
    ----------
    desk : Desk
        Where labels are corrected.
    ahead : Ahead
        Has the next cases ready.
    place, go_to : callable
        Say where the person is, and bring them back there.

    Attributes
    ----------
    rows : dict of str to Row
        By the key of the reading, in the order of the worklist.
    shown : Shown or None
        What is open.
    held : Held or None
        Who else has it.
    """

    listed = Signal()  # another worklist
    rowChanged = Signal(object)  # Row
    changed = Signal()  # another case, or none
    opening = Signal(str)  # the name of a case; "" when it is there
    said = Signal(str)

    def __init__(
        self, project: Project, desk: Desk, ahead: Ahead, *, place: Place, go_to: Callable[[Mapping[str, Any]], None],
        reader: str = "", parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.project, self.reader, self.who = project, reader, reader or who() or "somebody"
        self._desk, self.ahead, self._place, self._go_to = desk, ahead, place, go_to
        self.rows: dict[str, Row] = {}
        self.shown: Shown | None = None
        self.held: Held | None = None
        self.protocol = Protocol()
        self._lock: Lock | None = None
        self._kept: Mapping[str, Any] = {}
        self._wanted = ""
        self._loading: Job | None = None
        self.clerk = Clerk(self)
        self.clock = ActiveClock(desk.viewer.window._qt_window, parent=self)
        self.ledger: Ledger = desk.ledger_of(project.path, enter_shared)
        self.ledger.takenOver.connect(self._taken_over)
        self._look, self._count = self._timer(PLACE_MS, self._keep_place), self._timer(SECONDS_MS, self.keep_seconds)
        ahead.predicted.connect(self._on_predicted)

    def begin(self) -> None:
        """List the cases, and open the one where this person left."""
        self.clerk.do(self._read, self._on_read)

    def let_go(self) -> None:
        """Keep where the person is, give the reading back, and end."""
        if self._loading is not None:
            self._loading.stop()
        self._leave()
        self.ahead.predicted.disconnect(self._on_predicted)
        self.ledger.takenOver.disconnect(self._taken_over)
        self.clerk.close()
        self.clock.stop()

    # ---- where ------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> str:
        """Key of the reading that is open or being opened; "" for none."""
        return self._wanted

    @property
    def row(self) -> Row | None:
        """The row of the reading that is open."""
        return self.rows.get(self._wanted)

    def open(self, reading: str) -> None:
        """Open a reading; what was open is kept as it is."""
        if reading == self._wanted or reading not in self.rows:
            return
        if self._loading is not None:
            self._loading.stop()
        ready = self.ahead.take(reading)  # first: whoever hears of the change asks for what comes after it
        self._leave(reading)
        self.opening.emit(self.rows[reading].case.name)
        if ready is not None:
            self._on_loaded(ready)
        else:
            self._load(reading)

    def step(self, by: int, order: Sequence[str]) -> None:
        """Open the reading that is so many further on in an order; at its ends nothing happens."""
        place = order.index(self._wanted) + by if self._wanted in order else 0
        if 0 <= place < len(order):
            self.open(order[place])

    def go_on(self, order: Sequence[str]) -> None:
        """Open the next one with something left to do."""
        start = order.index(self._wanted) + 1 if self._wanted in order else 0
        ahead = [*order[start:], *order[:start]]
        left = [key for key in ahead if key != self._wanted and self.rows[key].reading.status not in DONE]
        if left:
            self.open(left[0])
        else:
            self.said.emit("Nothing is left to do in this list.")

    # ---- who has it -------------------------------------------------------------------------------------------------

    def take_over(self) -> None:
        """Have a reading that a program has which is silent; a person said so."""
        if self.held is not None and self._wanted:
            reading, held = self._wanted, self.held
            claim = partial(claims.take_over, self.project.journal, reading, held=held, who=self.who)
            self.clerk.do(claim, partial(self._again, reading))

    def refresh_row(self, reading: str) -> None:
        """Read a row of the worklist anew."""
        if reading in self.rows:
            self.clerk.do(partial(self.project.row, reading), self.set_row)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _read(self) -> tuple[Sequence[Row], Protocol, str]:
        rows = self.project.rows(self.reader)
        return rows, protocol_of(self.project), where(self.project, self.who, self.reader)

    def _on_read(self, found: tuple[Sequence[Row], Protocol, str]) -> None:
        rows, self.protocol, at = found
        self.rows = {row.reading.key: row for row in rows}
        self.listed.emit()
        if at in self.rows and not self._wanted:
            self.open(at)

    def _load(self, reading: str) -> None:
        self._loading = Job(load(self.project, reading), name=f"Opening {self.rows[reading].case.name}", parent=self)
        self._loading.succeeded.connect(self._on_loaded)
        self._loading.failed.connect(self._on_failed)
        self._loading.start()

    def _on_failed(self, problem: Vol3dError) -> None:
        self.opening.emit("")
        self.said.emit(str(problem))
        self._wanted = ""
        self.changed.emit()

    def _on_loaded(self, loaded: Loaded) -> None:
        if loaded.row.reading.key == self._wanted:
            asked = partial(take, self.project, loaded, who=self.who, reader=self.reader)
            self.clerk.do(asked, partial(self._on_taken, loaded))

    def _on_taken(self, loaded: Loaded, taken: Taken) -> None:
        if taken.reading != self._wanted:  # the person is elsewhere by now
            if isinstance(taken.got, Lock):
                self.clerk.do(taken.got.release)
        elif taken.old:
            self._again(taken.reading, taken.got)
        else:
            self._have(taken.got)
            self._show(loaded, taken.words)

    def _have(self, got: Lock | Held) -> None:
        self.held = got if isinstance(got, Held) else None
        self._lock = got if isinstance(got, Lock) else None
        if self._lock is not None:
            self.ledger.writer.keep_up(self._lock)

    def _again(self, reading: str, got: Lock | Held | None) -> None:
        """Show it anew, as it is on the disk."""
        if isinstance(got, Lock):
            self.clerk.do(got.release)
        if reading == self._wanted:
            self._leave(reading)
            self._load(reading)

    def _show(self, loaded: Loaded, words: str) -> None:
        self.shown = show(loaded, self.project, self._desk, held=words)
        if loaded.row.reading.place:
            self._go_to(loaded.row.reading.place)
        for note in (*loaded.notes, words):
            if note:
                self.said.emit(note)
        self._kept = self._place()
        self._look.start()
        self._count.start()
        self.clock.take()
        self.clock.start()
        self.opening.emit("")
        self.changed.emit()

    def _leave(self, to: str = "") -> None:
        """Keep all of what is open, and take it off the canvas; `to` is opened next."""
        shown = self.shown
        self._look.stop()
        self._count.stop()
        if shown is None:
            self._wanted = to
            return
        self._keep_place()
        self.keep_seconds()
        self.clock.stop()
        self._wanted, self.shown, self.held = to, None, None
        take_away(shown, self._desk.viewer)
        lock, self._lock = self._lock, None
        if lock is not None:
            self.clerk.do(partial(give_back, self.ledger, lock))
        self.changed.emit()

    def _on_predicted(self, reading: str) -> None:
        """Show the prediction of what is open, where the person has done nothing yet."""
        self.refresh_row(reading)
        record = self.shown.record if self.shown is not None else None
        if reading == self._wanted and record is not None and not record.history.steps:
            self._again(reading, None)

    def set_row(self, row: Row) -> None:
        """Have a row of the worklist as it is now."""
        self.rows[row.reading.key] = row
        self.rowChanged.emit(row)

    def _keep_place(self) -> None:
        shown = self.shown
        if shown is None or not self._wanted or self.held is not None or shown.labels not in self._desk.viewer.layers:
            return  # who took the layers away has left no slice to come back to
        place = self._place()
        if place != self._kept:
            self._kept = place
            self.clerk.do(partial(self.project.keep_place, self._wanted, place))

    def keep_seconds(self) -> None:
        """Count the time since this was last done."""
        seconds = self.clock.take()
        if self._wanted and seconds > 0 and self.held is None:
            self.clerk.do(partial(self.project.add_seconds, self._wanted, seconds))
            self.refresh_row(self._wanted)

    def _taken_over(self) -> None:
        """Another has it: what was corrected here is in the journal, and the rest is only looked at."""
        reading = self._wanted
        if reading:
            self._lock = None
            self.said.emit("Somebody took this case over. It is only looked at now.")
            self._leave(reading)
            self._load(reading)

    def _timer(self, milliseconds: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer
