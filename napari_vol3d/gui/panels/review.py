"""The Review tab: joins its widgets with a session."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QVBoxLayout, QWidget

from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.panels.review_ui import NO_CASE, ReviewUi
from napari_vol3d.gui.review.judging import Judging
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.versions import Versions
from napari_vol3d.review.project.foreseen import newest_prediction
from napari_vol3d.review.project.records import Foreseen, Row

AHEAD = 4  # cases that are predicted before the person comes to them


class ReviewPanel(QWidget):
    """Shows one session, or the way to one.

    Attributes
    ----------
    ui : ReviewUi
    session : Session or None
    """

    newAsked = Signal()
    openAsked = Signal()
    closeAsked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.ui = ReviewUi()
        self.session: Session | None = None
        self.judging: Judging | None = None
        self._versions: Versions | None = None
        self._asked = ""  # whose places were asked for
        menu = QMenu(self)
        for words, signal in (
            ("New project ...", self.newAsked), ("Open project ...", self.openAsked),
            ("Close this project", self.closeAsked),
        ):  # fmt: skip
            menu.addAction(words).triggered.connect(signal)
        self.ui.more.setMenu(menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        self._connect()

    def set_session(self, session: Session | None) -> None:
        """Show a session; None: none."""
        self._let_go()
        self.session = session
        self.ui.show_project("" if session is None else _title(session))
        self.ui.say("")
        if session is not None:
            self._have(session)

    def next_place(self) -> None:
        """Go to the next suspicious place."""
        self.ui.places.next_place()

    def accept(self) -> None:
        """Accept what is open, and open the next that is to do."""
        self._keep_note()
        if self.judging is not None and self.session is not None and self.judging.accept():
            self.session.go_on(self.ui.worklist.shown())

    def flag(self) -> None:
        """Flag it, and open the next that is to do."""
        self._judge("flagged")

    def reject(self) -> None:
        """Reject it, and open the next that is to do."""
        self._judge("rejected")

    def take_back(self) -> None:
        """Take the judgement of what is open back, or the last one."""
        if self.judging is not None:
            self.judging.take_back()

    def go_next(self) -> None:
        """Open the next of the list."""
        self._step(1)

    def go_back(self) -> None:
        """Open the one before in the list."""
        self._step(-1)

    # ---- within -----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        ui = self.ui
        for signal, slot in (
            (ui.new.clicked, self.newAsked), (ui.open.clicked, self.openAsked), (ui.worklist.opened, self._open),
            (ui.accept.clicked, self.accept), (ui.flag.clicked, self.flag), (ui.reject.clicked, self.reject),
            (ui.take_back.clicked, self.take_back), (ui.next.clicked, self.go_next),
            (ui.previous.clicked, self.go_back), (ui.note.editingFinished, self._keep_note),
            (ui.take_over.clicked, self._take_over), (ui.places.goRequested, self._go_to),
            (ui.worklist.wantedChanged, self._follow_order), (ui.note.returnPressed, self._leave_note),
        ):  # fmt: skip
            signal.connect(slot)

    def _have(self, session: Session) -> None:
        self.judging = Judging(session, self)
        self._versions = Versions(session, self.judging, self.ui.versions, self._desk)
        for signal, slot in self._signals(session):
            signal.connect(slot)
        self.judging.said.connect(self.ui.say)
        self._list()

    def _let_go(self) -> None:
        session = self.session
        if session is None:
            return
        self._keep_note()
        for signal, slot in self._signals(session):
            signal.disconnect(slot)
        if self._versions is not None:
            self._versions.let_go()
        if self.judging is not None:
            self.judging.deleteLater()
        self.judging = self._versions = None
        self.ui.worklist.setValue(())
        self.ui.places.setValue(None)

    def _signals(self, session: Session) -> tuple[tuple[Any, Any], ...]:
        return (
            (session.listed, self._list), (session.rowChanged, self._on_row), (session.changed, self._follow),
            (session.opening, self._on_opening), (session.said, self.ui.say),
            (session.ahead.progressed, self.ui.ahead.setText),
        )  # fmt: skip

    def _list(self) -> None:
        session = self.session
        if session is not None:
            self.ui.worklist.setValue(tuple(session.rows.values()))
            self.ui.worklist.set_blind(any(row.reading.blind for row in session.rows.values()))
            self._follow()

    def _on_row(self, row: Row) -> None:
        self.ui.worklist.update_row(row)
        if self.session is not None and row.reading.key == self.session.current:
            self._show_case()
            if row.score is not None and not self.ui.places.value():
                self._ask_places(row)

    def _on_opening(self, name: str) -> None:
        if name:
            self.ui.say("")  # of the case before
            self.ui.case.setText(f"Opening {name} ...")

    def _follow(self) -> None:
        """Show what is open now."""
        session = self.session
        if session is None:
            return
        self.ui.worklist.select(session.current or None)
        row = session.row if session.shown is not None or session.failed else None
        self.ui.note.setText("" if row is None else row.reading.note)
        held = session.held
        self.ui.show_held("" if held is None else held.words, silent=held is not None and held.silent)
        self._show_case()
        self.ui.places.setValue(None)
        if row is not None:
            if not session.protocol.prediction_for(row.reading):
                self.ui.places.view.set_empty("A blind reading: places are not shown")
            self._ask_places(row)
        self._follow_order()

    def _show_case(self) -> None:
        session = self.session
        shown = session.shown if session is not None else None
        row = session.row if session is not None else None
        can, why = shown is not None and shown.record is not None, NO_CASE
        if shown is not None and not can:
            why = "Somebody else has it open: it is only looked at."
        failed = session is not None and session.failed
        if failed:
            why = "Its scan can't be read."
        judged = row.reading.status if row is not None and (can or failed) else ""
        words = "" if row is None or not (shown is not None or failed) else _words(row)
        self.ui.show_case(words, can_accept=can, can_judge=can or failed, why=why, judged=judged)

    def _ask_places(self, row: Row) -> None:
        session = self.session
        if session is not None and session.protocol.prediction_for(row.reading):
            ask = partial(newest_prediction, session.project, row.case.key)
            session.clerk.do(ask, partial(self._on_places, row.reading.key))

    def _on_places(self, reading: str, found: Foreseen | None) -> None:
        if self.session is not None and reading == self.session.current and found is not None:
            self.ui.places.setValue(found.places)

    def _follow_order(self) -> None:
        """Have what comes next in the list predicted and loaded."""
        session = self.session
        if session is None:
            return
        order = self.ui.worklist.shown()
        at = order.index(session.current) + 1 if session.current in order else 0
        following = [session.rows[key] for key in (*order[at:], *order[:at]) if key in session.rows]
        left = [row for row in following if row.reading.status not in ("accepted", "rejected")]
        current = [session.row] if session.row is not None else []
        session.ahead.follow(session.project, left[:AHEAD], current, session.protocol)

    def _open(self, key: str) -> None:
        self._keep_note()
        if self.session is not None:
            self.session.open(key)

    def _step(self, by: int) -> None:
        self._keep_note()
        if self.session is not None:
            self.session.step(by, self.ui.worklist.shown())

    def _judge(self, status: Any) -> None:
        session, judging = self.session, self.judging
        self._keep_note()
        if session is not None and judging is not None and judging.set_status(status):
            session.go_on(self.ui.worklist.shown())

    def _leave_note(self) -> None:
        """Give the keys back to the tools."""
        self._desk.view.native.setFocus()

    def _keep_note(self) -> None:
        """Keep the note as it stands; a key of ours leaves a case without leaving the line."""
        if self.judging is not None and self.ui.note.isEnabled():
            self.judging.set_note(self.ui.note.text())

    def _take_over(self) -> None:
        if self.session is not None:
            self.session.take_over()

    def _go_to(self, place: Mapping[str, Any]) -> None:
        """Bring a place into all views."""
        shown = self.session.shown if self.session is not None else None
        if shown is not None:
            index = np.zeros(shown.labels.ndim)
            index[-3:] = place["centre"]
            self._desk.bench.go_to(shown.labels.data_to_world(index))


def _title(session: Session) -> str:
    return session.project.name + (f", read as {session.reader}" if session.reader else "")


def _words(row: Row) -> str:
    minutes = row.reading.seconds / 60
    return f"{row.case.name}: {row.reading.status}" + (f", {minutes:.1f} min" if minutes >= 0.1 else "")
