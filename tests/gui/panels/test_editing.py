"""A card is corrected by clicks and keys: saved in its place, given up, refused; guesses stay marked until then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.gui.forms.card_form import GUESS
from napari_vol3d.gui.forms.class_table import NAME, ClassTable
from napari_vol3d.gui.panels.editing import EditingPanel
from napari_vol3d.models.card import CARD_NAME, InferenceDefaults
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.edited import corrected, edited, save
from napari_vol3d.models.library import add_model, remove_model
from napari_vol3d.models.record import guesses_in, keep_guesses
from napari_vol3d.models.store import Model, list_models, open_model

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def model() -> Model:
    """A person's, whose card says what the form can't show to the last digit."""
    bundled = list_models()[0]
    given = bundled.card.input.model_copy(update={"spacing": (0.123456789, 1.0, 1.0), "orientation": "LIA"})
    runs = InferenceDefaults(halo=300)
    card = bundled.card.model_copy(update={"name": "mine", "title": "Mine", "input": given, "inference": runs})
    model = add_model(bundled.weights, card)
    keep_guesses(model.card, ("classes", "intensity"))
    return model


@pytest.fixture
def panel(qtbot: Any) -> Iterator[EditingPanel]:
    panel = EditingPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    yield panel
    panel.let_go()


def type_over(qtbot: Any, line: QLineEdit, text: str) -> None:
    line.selectAll()
    qtbot.keyClicks(line, text)


def open_cell(qtbot: Any, form: ClassTable, place: tuple[int, int]) -> QLineEdit:
    """Click a cell, and press F2: that begins to edit it."""
    table = form.table
    qtbot.mouseClick(table.viewport(), LEFT, pos=table.visualItemRect(table.item(*place)).center())
    qtbot.keyClick(table, Qt.Key.Key_F2)
    editor = table.focusWidget()
    assert isinstance(editor, QLineEdit)
    return editor


def type_in_cell(qtbot: Any, form: ClassTable, place: tuple[int, int], text: str) -> None:
    editor = open_cell(qtbot, form, place)
    type_over(qtbot, editor, text)
    with qtbot.waitSignal(form.valueChanged):
        qtbot.keyClick(editor, Qt.Key.Key_Return)


def marked(panel: EditingPanel) -> set[str]:
    return {row for row, label in panel.ui.form._labels.items() if GUESS in label.text()}


def test_what_is_typed_is_saved_and_all_else_stays_to_the_last_digit(
    qtbot: Any, panel: EditingPanel, model: Model
) -> None:
    panel.begin(model)
    assert not panel.busy
    assert (panel.ui.save.isEnabled(), bool(panel.ui.save.toolTip())) == (False, True)
    type_in_cell(qtbot, panel.ui.form.classes, (0, NAME), "head")
    type_over(qtbot, panel.ui.form.license, "MIT")
    assert panel.busy
    with qtbot.waitSignal(panel.saved) as told:
        qtbot.mouseClick(panel.ui.save, LEFT)
    (saved,) = told.args
    old, first = model.card, model.card.output.classes[0]
    assert saved == open_model(model.folder)
    assert saved.card.output.classes[0].name == "head"
    assert (saved.card.output.classes[0].id, saved.card.output.classes[0].color) == (first.id, first.color)
    assert saved.card.license == "MIT"
    assert (saved.card.input, saved.card.inference, saved.card.weights) == (old.input, old.inference, old.weights)
    assert old.validation is not None
    assert saved.card.validation is not None
    assert saved.card.validation.mean_dice["head"] == old.validation.mean_dice[first.name]
    assert not panel.busy


def test_a_cell_that_is_open_still_is_saved_too(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    type_over(qtbot, panel.ui.form.license, "MIT")
    type_over(qtbot, open_cell(qtbot, panel.ui.form.classes, (0, NAME)), "head")
    qtbot.mouseClick(panel.ui.save, LEFT)
    assert open_model(model.folder).card.output.classes[0].name == "head"


def test_guesses_stay_marked_until_they_are_changed_or_confirmed(
    qtbot: Any, panel: EditingPanel, model: Model
) -> None:
    panel.begin(model)
    assert marked(panel) == {"classes", "intensity"}
    type_in_cell(qtbot, panel.ui.form.classes, (0, NAME), "head")
    assert marked(panel) == {"intensity"}
    qtbot.mouseClick(panel.ui.save, LEFT)
    again = open_model(model.folder)
    assert guesses_in(again.card) == ("intensity",)
    panel.begin(again)
    assert marked(panel) == {"intensity"}
    qtbot.mouseClick(panel.ui.confirm, LEFT)
    assert not marked(panel)
    assert guesses_in(again.card) == ("intensity",)  # not before it is saved
    qtbot.mouseClick(panel.ui.save, LEFT)
    assert guesses_in(again.card) == ()
    assert open_model(model.folder) == again


def test_cancel_leaves_all_as_it_was(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    before = (model.folder / CARD_NAME).read_bytes()
    panel.begin(model)
    type_over(qtbot, panel.ui.form.title, "Other")
    qtbot.mouseClick(panel.ui.confirm, LEFT)
    with qtbot.waitSignal(panel.left):
        qtbot.mouseClick(panel.ui.cancel, LEFT)
    assert (model.folder / CARD_NAME).read_bytes() == before
    assert guesses_in(model.card) == ("classes", "intensity")
    assert not panel.busy
    panel.begin(model)
    assert panel.ui.form.title.text() == "Mine"


def test_a_title_does_not_rename_it_and_a_version_makes_a_copy(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    type_over(qtbot, panel.ui.form.title, "Other")
    assert panel.ui.form.name.text() == "mine"
    assert not panel.ui.loses.isVisible()
    type_over(qtbot, panel.ui.form.version, "7.0")
    assert "becomes a model of its own" in panel.ui.loses.text()
    with qtbot.waitSignal(panel.saved) as told:
        qtbot.mouseClick(panel.ui.save, LEFT)
    assert told.args[0].folder.name == "mine-7.0"
    assert open_model(model.folder) == model


def test_of_a_bundled_one_a_copy_is_proposed(qtbot: Any, panel: EditingPanel, own_models: Path) -> None:
    bundled = list_models()[0]
    panel.begin(bundled)
    free = f"{bundled.card.name}-2"
    assert panel.ui.form.name.text() == free
    assert panel.ui.form.title.text() == f"{bundled.card.title} (copy)"  # two of one title can't be told apart
    assert not panel.busy
    type_over(qtbot, panel.ui.form.name, bundled.card.name)
    type_over(qtbot, panel.ui.form.license, "MIT")
    assert not panel.ui.save.isEnabled()
    assert "is there already" in panel.ui.why.text()
    type_over(qtbot, panel.ui.form.name, free)
    with qtbot.waitSignal(panel.saved) as told:
        qtbot.mouseClick(panel.ui.save, LEFT)
    assert told.args[0].folder.parent == own_models


def test_what_contradicts_the_network_can_not_be_saved(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    type_over(qtbot, panel.ui.form.channels, "T1, T2")
    assert (panel.ui.save.isEnabled(), "1 channel" in panel.ui.why.text()) == (False, True)
    type_over(qtbot, panel.ui.form.channels, "T1")
    assert panel.ui.save.isEnabled()
    count = len(model.card.output.classes)
    panel.ui.form.activation.setFocus()
    qtbot.keyClick(panel.ui.form.activation, Qt.Key.Key_End)  # sigmoid: the background's score is a class
    assert len(panel.ui.form.value().classes) == count + 1
    assert panel.ui.save.isEnabled()
    assert "figures" in panel.ui.loses.text()


def theirs(model: Model, *guessed: str, **said: Any) -> None:
    """Let another window save its edit of this card."""
    save(edited(model, corrected(model.card, CardDraft(**said))), guessed)


def test_what_was_changed_meanwhile_is_shown_with_what_was_typed(
    qtbot: Any, panel: EditingPanel, model: Model
) -> None:
    panel.begin(model)
    theirs(model, "classes", license="Theirs", intensity=IntensityScheme(kind="minmax"))
    type_over(qtbot, panel.ui.form.license, "Mine")
    type_over(qtbot, panel.ui.form.citation, "Me")
    with qtbot.assertNotEmitted(panel.saved):
        qtbot.mouseClick(panel.ui.save, LEFT)
    assert panel.ui.met.text().startswith("The card was changed elsewhere: Licence, Intensities. ")
    assert "You both changed Licence: there it is Theirs, here it is yours." in panel.ui.met.text()
    assert open_model(model.folder).card.license == "Theirs"  # nothing is written yet
    draft = panel.ui.form.value()
    assert (draft.license, draft.citation) == ("Mine", "Me")
    assert draft.intensity is not None
    assert draft.intensity.kind == "minmax"
    assert marked(panel) == {"classes"}  # of the intensities somebody was sure
    assert panel.busy
    with qtbot.waitSignal(panel.saved) as told:
        qtbot.mouseClick(panel.ui.save, LEFT)
    card = told.args[0].card
    assert (card.license, card.citation, card.input.intensity.kind) == ("Mine", "Me", "minmax")
    assert card.input.spacing == model.card.input.spacing
    assert guesses_in(card) == ("classes",)


def test_what_both_changed_alike_needs_no_other_save(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    panel.decline(Path("a.keras"))
    type_over(qtbot, panel.ui.form.license, "MIT")
    theirs(model, "classes", "intensity", license="MIT")
    qtbot.mouseClick(panel.ui.save, LEFT)
    assert panel.ui.met.isVisible()
    assert panel.ui.waits.isVisible()  # what was dropped is not forgotten
    assert not panel.busy
    assert not panel.ui.save.isEnabled()


def test_a_card_that_was_listed_before_it_changed_is_shown_as_it_is(
    qtbot: Any, panel: EditingPanel, model: Model
) -> None:
    theirs(model, license="Theirs")
    panel.begin(model)
    assert panel.ui.form.license.text() == "Theirs"
    type_over(qtbot, panel.ui.form.citation, "Me")
    with qtbot.waitSignal(panel.saved) as told:
        qtbot.mouseClick(panel.ui.save, LEFT)
    assert (told.args[0].card.license, told.args[0].card.citation) == ("Theirs", "Me")


def test_a_model_that_is_gone_is_one_sentence(qtbot: Any, panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    remove_model(model)
    type_over(qtbot, panel.ui.form.license, "Mine")
    qtbot.mouseClick(panel.ui.save, LEFT)
    assert panel.ui.refused.text().startswith("No model card in mine-")
    assert (panel.busy, panel.ui.form.license.text()) == (True, "Mine")


def test_what_is_dropped_meanwhile_is_named(panel: EditingPanel, model: Model) -> None:
    panel.begin(model)
    for name in ("a.keras", "b.h5"):
        panel.decline(Path("somewhere") / name)
    assert "drop a.keras, b.h5 again" in panel.ui.waits.text()
    panel.begin(model)
    assert not panel.ui.waits.isVisible()
