"""Form: the card of a model; what is a guess is marked until a person has touched it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.say import say_count
from napari_vol3d.gui.forms.card_extras import CardExtras
from napari_vol3d.gui.forms.class_table import ClassTable
from napari_vol3d.gui.forms.grid_form import Grid, GridForm
from napari_vol3d.gui.forms.intensity_form import IntensityForm
from napari_vol3d.gui.forms.orientation_box import OrientationBox
from napari_vol3d.gui.forms.rows import narrow, show_row, small_form
from napari_vol3d.gui.panels.segment_words import BAD_COLOR, WARNING_COLOR
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.library import short_name, taken

if TYPE_CHECKING:
    from napari_vol3d.pipeline.adopt import Adoption

GUESS = f" <span style='color:{WARNING_COLOR}'>(guess)</span>"
NAME = "[a-z0-9][a-z0-9._-]*"
GUESS_TIP = "A guess: look whether it is right"
WRONG = f"<span style='color:{BAD_COLOR}'>! {{}}</span>"  # bold letters would push fields out of a narrow dock
FIELDS = {  # of a draft, by the row that edits them
    "spacing": "grid", "conform": "grid", "resize_to": "grid", "unit": "grid", "anatomical": "orientation",
}  # fmt: skip
ACTIVATIONS = {"none": "Scores (logits)", "softmax": "Softmax: one class", "sigmoid": "Sigmoid: each by itself"}


class CardForm(QWidget):
    """Edits a `CardDraft`.

    `outputAsked` names the output that a person chose, which is another network: it has to be looked into anew.
    """

    valueChanged = Signal()
    outputAsked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._scores, self._quiet = CardDraft(), 0, False
        self._named = False  # by the person
        self._own: tuple[str, str] | None = None  # name and version that it has already
        self._shown: dict[str, Any] = {}  # what the form made of the draft
        self.title, self.name, self.version = QLineEdit(), QLineEdit(), QLineEdit()
        self.output = narrow(QComboBox())
        self.channels = QLineEdit()
        self.grid, self.orientation, self.intensity = GridForm(), OrientationBox(), IntensityForm()
        self.activation = narrow(QComboBox())
        self.activation.addItems(ACTIVATIONS.values())
        self.classes = ClassTable()
        self.background = QLabel()
        self.license, self.citation = QLineEdit(), QLineEdit()
        self.extras = CardExtras()
        self._labels: dict[str, QLabel] = {}
        self._words: dict[str, str] = {}
        self._guesses: tuple[str, ...] = ()  # fields
        self._guessed: set[str] = set()  # rows
        self._lay_out()
        self._connect()

    def setAdoption(self, adoption: Adoption) -> None:
        """Show what is known and guessed of a network."""
        self._named, self._scores, self._own = False, adoption.facts.scores, None
        self._show_outputs(adoption)
        self.setValue(adoption.draft)
        self._mark(adoption.guessed)

    def setCard(
        self, draft: CardDraft, *, scores: int, guessed: Iterable[str] = (), own: tuple[str, str] | None = None
    ) -> None:
        """Show the card of a model that is there already, under the name and version `own`."""
        self._named, self._scores, self._own = True, scores, own
        self.output.clear()
        show_row(self._form, self.output, False)
        self.setValue(draft)
        self._mark(guessed)

    def guessed(self) -> tuple[str, ...]:
        """Give the fields of the draft that are guesses still."""
        return tuple(field for field in self._guesses if FIELDS.get(field, field) in self._guessed)

    def confirm(self) -> None:
        """Take all marks away: a person has looked."""
        self._guessed.clear()
        self._mark_rows()
        self.valueChanged.emit()

    def value(self) -> CardDraft:
        """Give the draft; what was not touched is not rounded or cut to what the form can show."""
        said = self._said()
        rows = {FIELDS.get(name, name) for name, value in said.items() if value != self._shown.get(name)}
        return self._draft.model_copy(update={k: v for k, v in said.items() if FIELDS.get(k, k) in rows})

    def setValue(self, draft: CardDraft) -> None:
        """Show a draft; what the form does not ask for is kept."""
        self._draft, self._quiet = draft, True
        for line, text in (
            (self.title, draft.title), (self.name, draft.name), (self.version, draft.version),
            (self.license, draft.license), (self.citation, draft.citation),
            (self.channels, ", ".join(draft.channels)),
        ):  # fmt: skip
            line.setText(text)
            line.setCursorPosition(0)
        self.grid.setValue(
            Grid(spacing=draft.spacing, conform=draft.conform, resize_to=draft.resize_to, unit=draft.unit)
        )
        self.orientation.setValue(bool(draft.anatomical), draft.orientation)
        if draft.intensity is not None:
            self.intensity.setValue(draft.intensity)
        self.classes.setValue(draft.classes)
        self.activation.setCurrentIndex(tuple(ACTIVATIONS).index(draft.activation or "none"))
        self.extras.setValue(draft)
        self._say_background()
        self._shown, self._quiet = self._said(), False
        self._mark_rows()

    def refusal(self) -> str:
        """Say why this is no card yet; "" where it is one."""
        return self._first_wrong()[1]

    def finish(self) -> None:
        """Take over what is being typed."""
        self.classes.finish()

    def let_go(self) -> None:
        """Close what was asked in windows of their own."""
        self.classes.let_go()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _said(self) -> dict[str, Any]:
        grid, (anatomical, letters) = self.grid.value(), self.orientation.value()
        said: dict[str, Any] = {
            "title": self.title.text().strip(), "name": self.name.text().strip(),
            "version": self.version.text().strip(), "license": self.license.text().strip(),
            "citation": self.citation.text().strip(), "channels": self._channels(), "spacing": grid.spacing,
            "conform": grid.conform, "resize_to": grid.resize_to, "unit": grid.unit, "anatomical": anatomical,
            "orientation": letters, "intensity": self.intensity.value(), "classes": self.classes.value(),
            "activation": self._activation(),
        }  # fmt: skip
        return {**said, **self.extras.value()}

    def _first_wrong(self) -> tuple[str, str]:
        """Give the row that keeps this from being a card, and why; two empty texts where it is one."""
        draft, wanted = self.value(), len(self._draft.channels)
        if not draft.title or not draft.version:
            return "version" if draft.title else "title", "Give the model a title and a version."
        if re.fullmatch(NAME, draft.name) is None:
            return "name", "The short name is of small letters, digits, dots and dashes."
        if (draft.name, draft.version) != self._own and taken(draft.name, draft.version):
            return "name", f"{draft.name} {draft.version} is there already: {short_name(draft.title)} is free."
        if len(draft.channels) != wanted or len(set(draft.channels)) != wanted:
            return "channels", f"The network has {say_count(wanted, 'channel')}: name each, with commas between."
        parts = (
            ("grid", self.grid.refusal()), ("intensity", self.intensity.refusal()), ("classes", self.classes.refusal()),
            ("extras", self.extras.refusal()),
        )  # fmt: skip
        return next(((row, why) for row, why in parts if why), ("", ""))

    def _activation(self) -> str:
        return tuple(ACTIVATIONS)[self.activation.currentIndex()]

    def _channels(self) -> tuple[str, ...]:
        return tuple(filter(None, (name.strip() for name in self.channels.text().split(","))))

    def _show_outputs(self, adoption: Adoption) -> None:
        """List the outputs; one that can't be used says why."""
        facts = adoption.facts
        self.output.clear()
        for seen in facts.outputs:
            stride = "" if set(seen.stride) == {1.0} else f", every {max(seen.stride):g} voxels"
            self.output.addItem(f"{seen.name}: {seen.scores} scores{stride}", seen.name)
            if seen.problem:
                item = self.output.model().item(self.output.count() - 1)
                item.setEnabled(False)
                item.setToolTip(seen.problem)
        self.output.setCurrentIndex(self.output.findData(facts.chosen))
        show_row(self._form, self.output, len(facts.outputs) > 1)

    def _connect(self) -> None:
        for row, signal in (
            ("title", self.title.textEdited), ("name", self.name.textEdited), ("version", self.version.textEdited),
            ("channels", self.channels.textEdited), ("grid", self.grid.valueChanged),
            ("orientation", self.orientation.valueChanged), ("intensity", self.intensity.valueChanged),
            ("activation", self.activation.currentIndexChanged),
            ("classes", self.classes.valueChanged), ("license", self.license.textEdited),
            ("citation", self.citation.textEdited),
        ):  # fmt: skip
            signal.connect(_Touch(self, row).told)
        self.extras.valueChanged.connect(_Touch(self, "").told)
        self.output.activated.connect(self._ask_output)

    def touched(self, row: str) -> None:
        """Take a row's mark away: a person has looked at it."""
        if self._quiet:
            return
        self._guessed.discard(row)
        if row == "name":
            self._named = bool(self.name.text())
        if row == "title" and not self._named:
            self.name.setText(short_name(self.title.text()))
        if row == "activation":
            self._fit_classes()
            self._say_background()
        self._mark_rows()
        self.valueChanged.emit()

    def _ask_output(self, place: int) -> None:
        self.outputAsked.emit(self.output.itemData(place))

    def _fit_classes(self) -> None:
        """Have as many classes as the network tells apart: of a softmax the first score is the background's."""
        listed, wanted = self.classes.value(), self._scores - (self._activation() != "sigmoid")
        more = range(len(listed) + 1, wanted + 1)
        if len(listed) != wanted:
            added = (LabelClass(id=n, name=f"class {n}", color=default_color(n)) for n in more)
            self.classes.setValue((*listed[:wanted], *added))

    def _say_background(self) -> None:
        own = self._activation() == "sigmoid"
        self.background.setText("Each score is a class" if own else "Score 0 is the background")

    def _mark(self, guessed: Iterable[str]) -> None:
        self._guesses = tuple(guessed)
        self._guessed = {FIELDS.get(field, field) for field in self._guesses} & self._labels.keys()
        self._mark_rows()

    def _mark_rows(self) -> None:
        """Mark what is a guess, and the row that keeps this from being a card."""
        wrong, why = self._first_wrong()
        for row, label in self._labels.items():
            is_guess = row in self._guessed
            words = WRONG.format(self._words[row]) if row == wrong else self._words[row]
            label.setText(f"{words}<br>{GUESS}" if is_guess else words)
            label.setToolTip(why if row == wrong else GUESS_TIP if is_guess else "")

    def _lay_out(self) -> None:
        self.name.setToolTip("For commands and files; made from the title")
        self.channels.setToolTip("A name for each channel in the network's order, with commas between: FLAIR, T1")
        self.activation.setToolTip("What the network's last layer gives; of sigmoids each score is a class")
        self.output.setToolTip("Which of the network's outputs labels voxels; another one is looked into anew")
        self.license.setPlaceholderText("not said")
        self.license.setToolTip("What its maker allows: CC-BY 4.0, MIT ...; empty where you do not know")
        self.citation.setPlaceholderText("none")
        self.citation.setToolTip("What to cite when the model is used")
        self.background.setEnabled(False)
        self.background.setWordWrap(True)
        inside = QWidget()
        self._form = small_form(inside)
        for row, words, field in (
            ("title", "Title", self.title), ("name", "Name", self.name), ("version", "Version", self.version),
            ("output", "Output", self.output), ("channels", "Channels", self.channels),
            ("grid", "Voxels", self.grid), ("orientation", "Axes", self.orientation),
            ("intensity", "Intensity", self.intensity), ("activation", "Last layer", self.activation),
            ("classes", "Classes", _column(self.classes, self.background)),
            ("license", "Licence", self.license), ("citation", "Citation", self.citation),
        ):  # fmt: skip
            self._labels[row], self._words[row] = QLabel(words), words
            self._form.addRow(self._labels[row], field)
        more = QCollapsible("More")
        more.layout().setContentsMargins(2, 2, 2, 2)  # the dock is narrow
        more.content().layout().setContentsMargins(2, 2, 2, 2)
        more.addWidget(self.extras)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (inside, more):
            column.addWidget(widget)


class _Touch(QObject):
    """Tells which row a person has touched: a signal's own values do not."""

    def __init__(self, form: CardForm, row: str) -> None:
        super().__init__(form)
        self._form, self._row = form, row

    def told(self, *_: object) -> None:
        self._form.touched(self._row)


def _column(*widgets: QWidget) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    for widget in widgets:
        column.addWidget(widget)
    return page
