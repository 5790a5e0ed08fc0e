"""The widgets of the list of models, and what each state allows."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.gui.correct.banner import AMBER, Banner
from napari_vol3d.gui.forms.flowing_text import FlowingText
from napari_vol3d.gui.forms.model_list import ModelList
from napari_vol3d.gui.forms.model_rows import ModelRow
from napari_vol3d.gui.panels.model_words import card_words
from napari_vol3d.models.edit_words import guess_words
from napari_vol3d.models.store import Model

NO_MODEL = "Choose a model in the list first"
BUNDLED = "This one comes with the program; only models that were added can be removed"
BROKEN = "It can't be opened"
EDIT_TIP = "Correct what the card says: classes, colours, voxel size, intensities ...; the network stays as it is"
COPY_TIP = "This one comes with the program and stays as it is: a copy with another card is put among your models"
SPACE = 4


class ModelsUi(QWidget):
    """The list, buttons, and the card of the chosen model; shows and asks, and knows no verb."""

    def __init__(self) -> None:
        super().__init__()
        self.list, self.wrong, self.card = ModelList(), Banner(AMBER), FlowingText()
        self.add, self.export = _menu_button("Add ..."), _menu_button("Export ...")
        self.add_file = self.add.menu().addAction("File ...")
        self.add_folder = self.add.menu().addAction("Folder ...")
        self.export_zip = self.export.menu().addAction("For this program (.zip) ...")
        self.export_zoo = self.export.menu().addAction("BioImage Model Zoo package ...")
        self.remove, self.edit = QPushButton("Remove"), QPushButton("Edit card")
        self.preferred = QCheckBox("use by default")
        self.preferred.setToolTip("Segment begins with this model")
        self.question, self.guesses = QLabel(), QLabel()
        self.yes, self.no = QPushButton("Remove"), QPushButton("Keep")
        self.said, self.stop = QLabel(), QPushButton("Cancel")
        self._lay_out()
        self.ask_remove("")
        self.say("")

    def show_rows(self, rows: list[ModelRow]) -> None:
        """List these."""
        self.list.setRows(rows)

    def show_model(self, model: Model | None, row: ModelRow | None, guessed: Iterable[str] = ()) -> None:
        """Show the card of a model and which of its fields are guesses still, or why a folder is none."""
        words = guess_words(guessed)
        self.guesses.setText(f"Guessed, and not confirmed yet: {words}")
        self.guesses.setVisible(bool(words))
        if row is None:
            self.card.setPlainText("")
        elif model is None:
            self.card.setPlainText(row.title)
        else:
            self.card.setHtml(card_words(model))
        self.wrong.say("" if row is None else row.why)
        self._offer(model, row)

    def ask_remove(self, title: str) -> None:
        """Ask whether a model shall go; "" takes the question back."""
        self.question.setText(f"Remove {title} from your models? Its files are deleted.")
        for widget in (self.question, self.yes, self.no):
            widget.setVisible(bool(title))
        self.remove.setVisible(not title)
        if title:
            self.no.setFocus()

    def say(self, sentence: str, *, busy: bool = False) -> None:
        """Show a sentence, until the next; `busy` offers to stop what goes on."""
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))
        self.stop.setVisible(busy)
        self.stop.setToolTip("Stop; nothing is written")

    def _offer(self, model: Model | None, row: ModelRow | None) -> None:
        why = NO_MODEL if row is None else BROKEN if model is None else ""
        for control, tip in (
            (self.export, "Write the network and its card, for other people and programs"),
            (self.preferred, "Segment begins with this model"),
            (self.edit, COPY_TIP if row is not None and row.origin == "bundled" else EDIT_TIP),
        ):  # fmt: skip
            control.setEnabled(not why)
            control.setToolTip(why or tip)
        stays = NO_MODEL if row is None else BUNDLED if row.origin == "bundled" else ""
        self.remove.setEnabled(not stays)
        self.remove.setToolTip(stays or "Take it out of your models; asks before")
        before = self.preferred.blockSignals(True)
        self.preferred.setChecked(row is not None and row.preferred)
        self.preferred.blockSignals(before)

    def _lay_out(self) -> None:
        self.add.setToolTip(
            "A Keras or TensorFlow model, a TensorFlow.js or BioImage Model Zoo package; it can be dropped on the "
            "window, too"
        )
        for label in (self.question, self.said, self.guesses):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(SPACE)
        column.addWidget(self.list)
        column.addLayout(_row(self.add, self.export, self.remove))
        column.addWidget(self.question)
        column.addLayout(_row(self.yes, self.no))
        column.addLayout(_row(self.preferred, self.edit))
        column.addLayout(_row(self.said, self.stop))
        column.addWidget(self.wrong)
        column.addWidget(self.guesses)
        column.addWidget(self.card)
        column.addStretch(1)


def _menu_button(words: str) -> QPushButton:
    button = QPushButton(words)
    button.setMenu(QMenu(button))
    return button


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(SPACE)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row
