"""Readers of a project: asking for second readings, reading as one, how they agree, deciding between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.forms.reading_form import ReadingWish
from napari_vol3d.gui.panels.agreement_box import AgreementBox
from napari_vol3d.gui.panels.readers_ui import ReadersUi
from napari_vol3d.gui.review.adjudicating import Adjudication
from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.reading_plan import Protocol, keep_protocol, plan_readings, protocol_of
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.store import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a project says of its readers."""

    readers: tuple[str, ...]
    cases: int
    protocol: Protocol


class ReadersPanel(QWidget):
    """Joins the controls with a session.

    Signals: `readAs` with the name of a reader, "" for everybody's list; `openAsked` with the key of a reading; `said`
    with a sentence.

    Attributes
    ----------
    ui : ReadersUi
    agreement : AgreementBox
    adjudication : Adjudication
    """

    readAs = Signal(str)
    openAsked = Signal(str)
    said = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._protocol = Protocol()
        self.agreement = AgreementBox()
        self.ui = ReadersUi(self.agreement)
        self.adjudication = Adjudication(desk, self.ui.regions, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        for signal, slot in (
            (self.ui.ask.clicked, self.ask), (self.ui.readerChosen, self.readAs),
            (self.ui.show_prediction.clicked, self._keep_protocol), (self.agreement.openAsked, self.openAsked),
            (self.adjudication.said, self.said),
        ):  # fmt: skip
            signal.connect(slot)
        self.follow(None)

    def follow(self, session: Session | None) -> None:
        """Have a session; None: none."""
        if self._session is not None:
            self._session.listed.disconnect(self._refresh)
        self._session = session
        self.agreement.follow(session)
        self.adjudication.follow(session)
        if session is not None:
            session.listed.connect(self._refresh)
        self.ui.show_project(session is not None)
        self._refresh()

    def let_go(self) -> None:
        """Stop all of it."""
        self.follow(None)
        self.agreement.let_go()
        self.adjudication.let_go()

    def ask(self, *_: object) -> None:
        """Ask for the readings that the form says."""
        session, wish = self._session, self.ui.form.value()
        if session is not None and wish.reader:
            call = partial(_assign, session.project, wish, session.who)
            session.clerk.do(call, partial(self._on_assigned, session))

    # ---- within -----------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Ask who reads, and offer what works for the list that is open."""
        session = self._session
        self.agreement.refresh()
        if session is not None:
            session.clerk.do(partial(_known, session.project), partial(self._on_known, session))

    def _on_known(self, session: Session, known: _Known) -> None:
        if session is self._session:
            self._protocol = known.protocol
            self.ui.show_readers(known.readers, session.reader)
            self.ui.show_count(known.cases)
            self.ui.show_prediction.setChecked(known.protocol.show_prediction)

    def _on_assigned(self, session: Session, asked: Sequence[Reading]) -> None:
        if session is not self._session:
            return
        name = self.ui.form.value().reader if not asked else asked[0].reader
        if asked:
            self.ui.say(f"{len(asked)} readings wait for {name}: choose the name under Read as, then open a case.")
        else:
            self.ui.say(f"{name} has all of these readings already.")
        self._refresh()

    def _keep_protocol(self, shown: bool) -> None:
        session = self._session
        if session is not None:
            self._protocol = replace(self._protocol, show_prediction=shown)
            session.clerk.do(partial(keep_protocol, session.project, self._protocol))


def _known(project: Project) -> _Known:
    return _Known(readers=project.readers(), cases=len(project.cases()), protocol=protocol_of(project))


def _assign(project: Project, wish: ReadingWish, who: str) -> tuple[Reading, ...]:
    """Plan readings, and give those that were not asked for before."""
    plan = plan_readings(
        project.cases(), wish.reader, seed=wish.seed, share=wish.share, blind=wish.blind, repeats=wish.repeats
    )
    project.assign(plan, who=who)
    there = {row.reading.key for row in project.rows(wish.reader)}
    return tuple(one for one in plan if one.key in there)
