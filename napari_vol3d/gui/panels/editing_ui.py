"""The page on which the card of a model is corrected."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.core.say import plain_line
from napari_vol3d.gui.correct.banner import AMBER, RED, Banner
from napari_vol3d.gui.forms.card_form import CardForm
from napari_vol3d.gui.panels.form_page import MARGINS, Scrolled, button_row, new_page
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.edited import Edit, scores_of
from napari_vol3d.models.meeting import Meeting
from napari_vol3d.models.store import Model

LETTERS, WORD = 80, 20  # of a value that are shown: a label can't break a word, and the dock is narrow
UNCHANGED = "Nothing has changed yet"
CONFIRM_TIP = "All that is marked as a guess is right: take the marks away"


class EditingUi(QWidget):
    """The form, what would be lost, and the buttons; shows and asks, and knows no verb."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.form, self.scrolled = QLabel(), CardForm(), Scrolled()
        self.confirm = QPushButton("The guesses are right")
        self.waits, self.met, self.loses = Banner(AMBER), Banner(AMBER), Banner(AMBER)
        self.refused, self.why = Banner(RED), Banner(AMBER)
        self.save, self.cancel = QPushButton("Save"), QPushButton("Cancel")
        self._lay_out()

    def show_model(self, model: Model, draft: CardDraft, guessed: tuple[str, ...]) -> None:
        """Ask what its card shall say; `draft` is what is proposed."""
        card = model.card
        own = None if model.origin == "bundled" else (card.name, card.version)
        words = f"A copy of {card.title} {card.version}, which comes with the program and stays as it is"
        self.head.setText(f"{card.title} {card.version}" if own else words)
        self.form.setCard(draft, scores=scores_of(card), guessed=guessed, own=own)
        self.scrolled.verticalScrollBar().setValue(0)
        for banner in (self.refused, self.met):
            banner.say("")

    def show_meeting(self, meeting: Meeting) -> None:
        """Say that the card has changed meanwhile, in what, and what the page shows by now."""
        listed = f": {', '.join(meeting.theirs)}" if meeting.theirs else ""
        said = [f"The card was changed elsewhere{listed}. The page shows it as it is by now, with what you changed."]
        both = ((name, _brief(value) or "empty") for name, value in meeting.both)
        said += [f"You both changed {name}: there it is {value}, here it is yours." for name, value in both]
        self.met.say(f"{' '.join(said)} Save once more if that is right.")

    def show_edit(self, edit: Edit | None, why: str) -> None:
        """Offer to save it and tell what that does, or say why it can't be saved."""
        said = [] if edit is None else list(edit.lost)
        if edit is not None and edit.copies:
            old = edit.model.card
            said.append(f"It becomes a model of its own: {old.name} {old.version} stays.")
        self.loses.say(" ".join(said))
        self.save.setEnabled(not why)
        self.save.setToolTip(why or "Write the card; the network stays as it is")
        self.why.say("" if why == UNCHANGED else why)
        self.confirm.setVisible(bool(self.form.guessed()))

    def _lay_out(self) -> None:
        self.head.setWordWrap(True)
        self.head.setTextFormat(Qt.TextFormat.PlainText)
        self.confirm.setToolTip(CONFIRM_TIP)
        self.cancel.setToolTip("To the list; the card stays as it was")
        inside, within = new_page()
        within.addWidget(self.form)
        within.addStretch(1)
        self.scrolled.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(*MARGINS)
        for widget in (
            self.head, self.waits, self.met, self.scrolled, self.confirm, self.loses, self.refused, self.why,
        ):  # fmt: skip
            column.addWidget(widget, int(widget is self.scrolled))
        column.addLayout(button_row(self.save, self.cancel))


def _brief(value: str) -> str:
    return plain_line(" ".join(plain_line(word, WORD) for word in value.split()), LETTERS)
