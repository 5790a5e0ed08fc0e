"""Correcting the card of a model that is there: its form, held against the network with every key; Save, Cancel."""

from __future__ import annotations

from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.panels.editing_ui import UNCHANGED, EditingUi
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.edited import Edit, edited, save
from napari_vol3d.models.library import short_name
from napari_vol3d.models.meeting import Meeting, latest, meet
from napari_vol3d.models.record import guesses_in
from napari_vol3d.models.store import Model


class EditingPanel(QWidget):
    """Joins the form and the verbs.

    Signals: `saved` with the `Model` as it is by now, or with the copy; `left` when a person went back.
    """

    saved = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ui = EditingUi()
        self.model: Model | None = None
        self._before: tuple[CardDraft, tuple[str, ...]] = (CardDraft(), ())
        self._untaken: list[str] = []  # names of what was dropped meanwhile
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.ui)
        self.ui.form.valueChanged.connect(self._follow)
        self.ui.confirm.clicked.connect(self.ui.form.confirm)
        self.ui.save.clicked.connect(self._save)
        self.ui.cancel.clicked.connect(self._leave)

    @property
    def busy(self) -> bool:
        """Whether there is something that is not saved."""
        return self.model is not None and self._now() != self._before

    def begin(self, model: Model) -> None:
        """Show what a model's card says by now; of a bundled one a copy under a free name is proposed."""
        model = latest(model)  # another window, or a command, may have changed it since it was listed
        draft = draft_of(model.card)
        if model.origin == "bundled":
            draft = draft.model_copy(update={"name": short_name(model.card.name), "title": f"{draft.title} (copy)"})
        self.model, self._untaken = model, []
        self.ui.waits.say("")
        self.ui.show_model(model, draft, guesses_in(model.card))
        self._before = self._now()
        self._follow()

    def decline(self, path: Path) -> None:
        """Say that a file or folder has come, and is not taken before this is saved or given up."""
        self._untaken.append(path.name)
        self.ui.waits.say(f"Save or cancel first, then drop {', '.join(self._untaken)} again.")

    def let_go(self) -> None:
        """Close what was asked in windows of their own; also when Qt has destroyed the widgets already."""
        if isalive(self):
            self.ui.form.let_go()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _now(self) -> tuple[CardDraft, tuple[str, ...]]:
        return self.ui.form.value(), self.ui.form.guessed()

    def _follow(self) -> None:
        self.ui.refused.say("")
        edit, why = self._edit()
        self.ui.show_edit(edit, why)

    def _edit(self) -> tuple[Edit | None, str]:
        """Give what Save would write; else None, and why."""
        why = self.ui.form.refusal()
        if self.model is None or why:
            return None, why
        try:
            edit = edited(self.model, self.ui.form.value())
        except Vol3dError as problem:
            return None, str(problem)
        return edit, "" if self.busy else UNCHANGED

    def _save(self) -> None:
        self.ui.form.finish()
        edit, why = self._edit()
        if edit is None or why:
            self._follow()
            return
        try:
            model = save(edit, self.ui.form.guessed())
        except Vol3dError as problem:
            self._refuse(problem, meet(edit))
            return
        self._end()
        self.saved.emit(model)

    def _refuse(self, problem: Vol3dError, meeting: Meeting | None) -> None:
        """Say why it was not saved; where the card has changed meanwhile, show both changes."""
        if meeting is None:
            self.ui.refused.say(str(problem))
            return
        self.model, now = meeting.model, meeting.model.card
        marked = guesses_in(now)
        still = tuple(field for field in self.ui.form.guessed() if field in marked)
        self.ui.show_model(self.model, draft_of(now), marked)
        self._before = self._now()
        self.ui.show_model(self.model, meeting.draft, still)
        self.ui.show_meeting(meeting)
        self._follow()

    def _leave(self) -> None:
        self._end()
        self.left.emit()

    def _end(self) -> None:
        self.let_go()
        self.model = None
