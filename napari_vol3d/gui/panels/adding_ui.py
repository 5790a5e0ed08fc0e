"""The three pages by which a model comes in: what it is, waiting, its card."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget
from superqt import QCollapsible

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.gui.correct.banner import AMBER, RED, Banner
from napari_vol3d.gui.forms.card_form import CardForm
from napari_vol3d.gui.forms.flowing_text import FlowingText
from napari_vol3d.gui.forms.page_stack import PageStack
from napari_vol3d.gui.panels.form_page import MARGINS, Scrolled, button_row, new_page
from napari_vol3d.gui.panels.model_words import changes_words, contents_words, source_words
from napari_vol3d.models.source import ModelSource

if TYPE_CHECKING:
    from napari_vol3d.pipeline.adopt import Adoption

LOOK, WAIT, CARD = range(3)  # pages
TRUST, AGAIN = "Trust and look inside", "Look inside"
TRUST_TIP = "Remember these very files as trusted, and load the network in a process of its own"
AGAIN_TIP = "Load the network in a process of its own"
BACK_TIP = "To the list; nothing is added"
CHANGED = "What was done to it"


class AddingUi(PageStack):
    """The pages; they show and ask, and know no verb."""

    def __init__(self) -> None:
        super().__init__()
        self.problem, self.warning, self.about = Banner(RED), Banner(AMBER), FlowingText()
        self.trust, self.back = QPushButton(TRUST), QPushButton("Back")
        self.waiting, self.bar, self.cancel = QLabel(), QProgressBar(), QPushButton("Cancel")
        self.form, self.facts, self.changes = CardForm(), QLabel(), FlowingText()
        self.refused, self.why = Banner(RED), Banner(AMBER)
        self.scrolled = Scrolled()
        self.add, self.leave = QPushButton("Add"), QPushButton("Back")
        for page in (self._look_page(), self._wait_page(), self._card_page()):
            self.addWidget(page)

    def show_source(self, source: ModelSource, warning: str) -> None:
        """Show what a file holds, and ask whether it is trusted; `warning` is why that is asked."""
        self.about.setHtml(source_words(source))
        self.problem.say("")
        self.warning.say(warning)
        self._offer(TRUST if warning else AGAIN, TRUST_TIP if warning else AGAIN_TIP)
        self.setCurrentIndex(LOOK)

    def show_useless(self, source: ModelSource, why: str) -> None:
        """Show what a file holds of which no model can be made."""
        self.show_source(source, "")
        self.problem.say(why)
        self._offer("", "")

    def show_problem(self, sentence: str, *, about: str = "", again: bool = False) -> None:
        """Say why it can't be added; `again` offers another try."""
        self.problem.say(sentence)
        self.warning.say("")
        self.about.setHtml(f"<b>{escape(about, quote=False)}</b>")
        self._offer(AGAIN if again else "", AGAIN_TIP)
        self.setCurrentIndex(LOOK)

    def show_waiting(self, words: str) -> None:
        """Look busy."""
        self.waiting.setText(words)
        self.bar.setRange(0, 0)
        self.cancel.setEnabled(True)
        self.cancel.setToolTip("Stop; nothing is added")
        self.setCurrentIndex(WAIT)

    def show_stopping(self) -> None:
        """Say that it is going to stop."""
        self.waiting.setText("Stopping ...")
        self.cancel.setEnabled(False)
        self.cancel.setToolTip("It stops as soon as it can")

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        left = progress.seconds_left
        words = f"{progress.phase} ..." if left is None else f"{progress.phase}, {say_seconds(left)} left"
        self.waiting.setText(words)
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)

    def show_card(self, adoption: Adoption) -> None:
        """Ask for the card of a network."""
        facts = adoption.facts
        self.form.setAdoption(adoption)
        channels, scores = _count(facts.channels, "channel"), _count(facts.scores, "score")
        size = "patches of any size" if facts.fixed_size is None else f"{' x '.join(map(str, facts.fixed_size))} voxels"
        layers = contents_words(facts.layers)
        self.facts.setText(f"{channels} in, {scores} a voxel out, {size}, {facts.parameters:,} weights. {layers}.")
        self.changes.setHtml(changes_words(facts.changes))
        self._changed.setVisible(bool(facts.changes))
        self.refused.say("")
        self.setCurrentIndex(CARD)

    def allow_add(self, why: str) -> None:
        """Offer to add it, or say why not."""
        self.add.setEnabled(not why)
        self.add.setToolTip(why or "Put the model among yours, and choose it in Segment")
        self.why.say(why)

    def _offer(self, words: str, tip: str) -> None:
        self.trust.setVisible(bool(words))
        self.trust.setText(words)
        self.trust.setToolTip(tip)

    def _look_page(self) -> QWidget:
        self.back.setToolTip(BACK_TIP)
        page, column = new_page()
        for widget in (self.about, self.problem, self.warning):
            column.addWidget(widget)
        column.addLayout(button_row(self.trust, self.back))
        column.addStretch(1)
        return page

    def _wait_page(self) -> QWidget:
        self.waiting.setWordWrap(True)
        self.waiting.setTextFormat(Qt.TextFormat.PlainText)
        page, column = new_page()
        for widget in (self.waiting, self.bar, self.cancel):
            column.addWidget(widget)
        column.addStretch(1)
        return page

    def _card_page(self) -> QWidget:
        self.leave.setToolTip(BACK_TIP)
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self._changed = QCollapsible(CHANGED)
        self._changed.layout().setContentsMargins(*MARGINS)
        self._changed.content().layout().setContentsMargins(*MARGINS)
        self._changed.addWidget(self.changes)
        self._changed.expand(animate=False)
        inside, within = new_page()
        for widget in (self.facts, self._changed, self.form):
            within.addWidget(widget)
        within.addStretch(1)
        self.scrolled.setWidget(inside)
        page, column = new_page()
        for widget in (self.scrolled, self.refused, self.why):  # the last stay in sight, with the buttons
            column.addWidget(widget, int(widget is self.scrolled))
        column.addLayout(button_row(self.add, self.leave))
        return page


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
