"""How readers agree: compared beside the window, listed with the worst cases first, saved without names."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_documents_path
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.agreement_rows import Pair, Screen, case_rows, class_rows, code_in, pairs_in
from napari_vol3d.gui.panels.agreement_ui import AgreementUi
from napari_vol3d.gui.review.session import Session
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.review.project.agreement import PHASE, AgreementTable, agreement_table, pseudonyms
from napari_vol3d.review.project.agreement_pairs import pairs_of
from napari_vol3d.review.project.store import Project

NO_PROJECT = "Open a project first"
BLIND = "You read blind: other readings are not shown to you"
NONE_YET = "Nothing can be compared yet: two readings of one case, or one and a prediction, have to be accepted."
ELSEWHERE = "That case is not in the list that is open now. Choose everybody's list under Read as."


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found, and what is called how on the screen."""

    table: AgreementTable
    screen: Screen


class AgreementBox(QWidget):
    """Joins the tables with the project of a session.

    Signals: `openAsked` with the key of a reading, `said` with a sentence.
    """

    openAsked = Signal(str)
    said = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ui = AgreementUi()
        self.found: Comparison | None = None
        self._session: Session | None = None
        self._job: Job | None = None
        self._saving: Job | None = None
        self._pairs: tuple[Pair, ...] = ()
        self._ids: list[int | None] = []
        self._codes: list[str] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        for signal, slot in (
            (self.ui.compare.clicked, self.compare), (self.ui.cancel.clicked, self._stop),
            (self.ui.export.clicked, self.export), (self.ui.pair.activated, self._list),
            (self.ui.class_view.stepped, self._list_cases), (self.ui.case_view.opened, self._open),
        ):  # fmt: skip
            signal.connect(slot)
        self._show_state()

    def follow(self, session: Session | None) -> None:
        """Have the project of a session; None: none. What was compared in another project is forgotten."""
        old, self._session = self._session, session
        if old is None or session is None or old.project.path != session.project.path or self._blind:
            self._stop()
            self._forget()
        self._show_state()

    def refresh(self) -> None:
        """Offer what works for the list that is open."""
        if self._blind:
            self._forget()
        self._show_state()

    def let_go(self) -> None:
        """Stop."""
        self._stop()
        self._session = None

    def compare(self, *_: object) -> None:
        """Compare all that is accepted."""
        session = self._session
        if session is None or self._why_not() or self._job is not None:
            return
        self._job = Job(_compared(session.project), name="Comparing readings", parent=self, quiet=True)
        self._job.progressed.connect(self.ui.show_progress)
        self._job.succeeded.connect(self._on_found)
        self._job.failed.connect(self._on_failed)
        self._job.start()
        self.ui.say("")
        self._show_state()

    def export(self, *_: object) -> None:
        """Ask where, then save the figures."""
        found, session = self.found, self._session
        if found is None or session is None or (self._saving is not None and self._saving.running):
            return
        proposed = str(user_documents_path() / f"{session.project.path.stem} agreement.csv")
        name, _ = QFileDialog.getSaveFileName(self, "Save the figures", proposed, "Table (*.csv)")
        if name:
            target = Path(name if name.lower().endswith(".csv") else f"{name}.csv")
            self._saving = Job(_save(target, found.table), name=f"Saving {target.name}", parent=self)
            self._saving.succeeded.connect(self.ui.say)
            self._saving.start()

    # ---- within -----------------------------------------------------------------------------------------------------

    @property
    def _blind(self) -> bool:
        return self._session is not None and any(row.reading.blind for row in self._session.rows.values())

    def _why_not(self) -> str:
        return NO_PROJECT if self._session is None else BLIND if self._blind else ""

    def _show_state(self) -> None:
        found = self.found is not None and bool(self.found.table.rows)
        self.ui.show_state(why_not=self._why_not(), busy=self._job is not None, found=found)

    def _forget(self) -> None:
        self.found = None
        self.ui.pair.clear()
        self.ui.say("")
        self._list()

    def _stop(self, *_: object) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.succeeded.disconnect(self._on_found)
            job.failed.disconnect(self._on_failed)
            job.stop()
        self._show_state()

    def _on_failed(self, problem: Vol3dError) -> None:
        self._job = None
        self.ui.say(str(problem))
        self._show_state()

    def _on_found(self, found: Comparison) -> None:
        self._job, self.found = None, found
        self._pairs = pairs_in(found.table)
        self.ui.pair.clear()
        self.ui.pair.addItems([" and ".join(map(found.screen.reader, pair)) for pair in self._pairs])
        notes = found.table.notes
        more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
        self.ui.say(f"{notes[0]}{more}" if notes else "" if found.table.rows else NONE_YET)
        self._list()
        self._show_state()

    def _list(self, *_: object) -> None:
        """List the pair that is chosen."""
        at, found = self.ui.pair.currentIndex(), self.found
        rows = [] if found is None or at < 0 else class_rows(found.table, self._pairs[at], found.screen)
        self._ids = [class_id for class_id, _ in rows]
        self.ui.classes.set_rows([row for _, row in rows])
        self.ui.class_view.mark(0 if rows else -1)
        self._list_cases(0)

    def _list_cases(self, row: int) -> None:
        at, found = self.ui.pair.currentIndex(), self.found
        known = found is not None and at >= 0 and row < len(self._ids)
        rows = case_rows(found.table, self._pairs[at], found.screen, class_id=self._ids[row]) if known and found else []
        self._codes = [code for code, _ in rows]
        self.ui.cases.set_rows([each for _, each in rows])

    def _open(self, row: int) -> None:
        session = self._session
        keys = {} if session is None else {one.case.code: one.reading.key for one in session.rows.values()}
        key = keys.get(code_in(self._codes[row], keys))
        if key is None:
            self.ui.say(ELSEWHERE)
        else:
            self.openAsked.emit(key)


def _compared(project: Project) -> Generator[Progress, None, Comparison]:
    yield Progress(phase=PHASE)
    called = pseudonyms(project.readers())
    pairs = pairs_of(project, called=called)
    screen = Screen(
        readers={number: name for name, number in called.items()},
        cases={case.code: case.name for case in project.cases()},
        colors={item.id: item.color for item in project.classes},
    )
    table = yield from agreement_table(pairs)
    return Comparison(table=table, screen=screen)


def _save(target: Path, table: AgreementTable) -> Generator[Progress, None, str]:
    yield Progress(phase=f"Saving {target.name}")
    write_text(target, table.as_csv())
    return f"Saved {target.name}."
