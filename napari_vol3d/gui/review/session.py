"""A review session: the worklist, which reading is open, and who has it.

open -> load (a thread), or what `ahead` has ready -> claim (clerk) -> show -> the person corrects -> `judging`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.ledger import Ledger, enter_shared, who
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.review.ahead import Ahead
from napari_vol3d.gui.review.clerk import Clerk
from napari_vol3d.gui.review.holding import Taken, give_back, take, where
from napari_vol3d.gui.review.loading import Loaded, load
from napari_vol3d.gui.review.showing import Looks, Shown, looks_of, show, take_away
from napari_vol3d.gui.review.watch import Watch
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.reading_plan import Protocol, protocol_of
from napari_vol3d.review.project.records import DONE, Row
from napari_vol3d.review.project.store import Project

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
    failed : bool
        Whether it can't be read: it can be flagged or rejected all the same.
    watch : Watch
        What goes on by the clock.
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
        self.desk, self.ahead, self._go_to = desk, ahead, go_to
        self.rows: dict[str, Row] = {}
        self.shown: Shown | None = None
        self.held: Held | None = None
        self.failed = False
        self.protocol = Protocol()
        self._lock: Lock | None = None
        self._wanted = ""
        self._looks: Looks = {}
        self._asked: set[str] = set()  # readings whose claims are under way
        self._pending: list[Lock] = []  # locks that were taken, and that nobody knows of yet
        self._loading: Job | None = None
        self.clerk = Clerk(self)
        self.clerk.idle.connect(self._asked.clear)  # those that failed, too
        self.ledger: Ledger = desk.ledger_of(project.path, enter_shared)
        self.ledger.takenOver.connect(self._taken_over)
        self.watch = Watch(self, place)
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
        for lock in self._pending:  # asked for just before the end
            lock.release()

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
            self.clerk.do(claim, partial(self.again, reading))

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
        self._asked.discard(self._wanted)
        self.failed = True
        self.opening.emit("")
        self.changed.emit()
        self.said.emit(str(problem))

    def _on_loaded(self, loaded: Loaded) -> None:
        """Claim it; who goes away and comes back at once has it read twice, and the first is shown."""
        reading = loaded.row.reading.key
        if reading == self._wanted and self.shown is None and reading not in self._asked:
            self._asked.add(reading)
            self.clerk.do(partial(self._take, loaded), partial(self._on_taken, loaded), self._on_failed)

    def _take(self, loaded: Loaded) -> Taken:
        taken = take(self.project, loaded, who=self.who, reader=self.reader)
        if isinstance(taken.got, Lock):
            self._pending.append(taken.got)
        return taken

    def _on_taken(self, loaded: Loaded, taken: Taken) -> None:
        self._asked.discard(taken.reading)
        if isinstance(taken.got, Lock):
            self._pending.remove(taken.got)
        self.set_row(taken.row)
        if taken.reading != self._wanted:  # the person is elsewhere by now
            if isinstance(taken.got, Lock):
                self.clerk.do(taken.got.release)
        elif taken.old:
            self.again(taken.reading, taken.got)
        else:
            self._have(taken.got)
            self._show(loaded, taken.words)

    def _have(self, got: Lock | Held) -> None:
        self.held = got if isinstance(got, Held) else None
        self._lock = got if isinstance(got, Lock) else None
        if self._lock is not None:
            self.ledger.writer.keep_up(self._lock)

    def again(self, reading: str, got: Lock | Held | None) -> None:
        """Show it anew, as it is on the disk."""
        if isinstance(got, Lock):
            self.clerk.do(got.release)
        if reading == self._wanted:
            self._leave(reading)
            self._load(reading)

    def _show(self, loaded: Loaded, words: str) -> None:
        self.shown = show(loaded, self.project, self.desk, held=words, looks=self._looks)
        if loaded.row.reading.place:
            self._go_to(loaded.row.reading.place)
        for note in (*loaded.notes, words):
            if note:
                self.said.emit(note)
        self.watch.start()
        self.opening.emit("")
        self.changed.emit()

    def _leave(self, to: str = "") -> None:
        """Keep all of what is open, and take it off the canvas; `to` is opened next."""
        shown = self.shown
        self.failed = False
        self.watch.stop()
        if shown is None:
            self._wanted = to
            return
        self._wanted, self.shown, self.held = to, None, None
        self._looks = looks_of(shown)
        take_away(shown, self.desk.viewer)
        lock, self._lock = self._lock, None
        if lock is not None:
            self.clerk.do(partial(give_back, self.ledger, lock))
        self.changed.emit()

    def _on_predicted(self, reading: str) -> None:
        """Show the prediction of what is open, where there are no labels and the person has done nothing yet."""
        self.refresh_row(reading)
        shown = self.shown
        if reading != self._wanted or shown is None or shown.record is None:
            return
        if not shown.record.history.steps and not shown.labels.data.any():
            self.again(reading, None)
            self.said.emit("Its prediction has come.")

    def set_row(self, row: Row) -> None:
        """Have a row of the worklist as it is now."""
        self.rows[row.reading.key] = row
        self.rowChanged.emit(row)

    def _taken_over(self) -> None:
        """Another has it: what was corrected here is in the journal, and the rest is only looked at."""
        reading = self._wanted
        if reading:
            self._lock = None
            self.said.emit("Somebody took this case over. It is only looked at now.")
            self._leave(reading)
            self._load(reading)
