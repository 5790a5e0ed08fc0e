"""The page on which a card is corrected: what is lost is told before, in the width of the dock."""

from __future__ import annotations

from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet

from napari_vol3d.gui.panels.editing_ui import UNCHANGED, EditingUi
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.edited import corrected, edited
from napari_vol3d.models.meeting import Meeting
from napari_vol3d.models.store import Model, list_models

WIDEST = 320


@pytest.fixture
def ui(qtbot: Any) -> EditingUi:
    ui = EditingUi()
    qtbot.addWidget(ui)
    ui.resize(WIDEST, 800)
    ui.show()
    return ui


@pytest.fixture
def model() -> Model:
    return list_models()[0]


def test_what_is_lost_and_that_it_is_a_copy_is_told(ui: EditingUi, model: Model) -> None:
    ui.show_model(model, draft_of(model.card), ())
    ui.show_edit(edited(model, corrected(model.card, CardDraft(name="mine", orientation="LIA"))), "")
    assert "are taken out" in ui.loses.text()
    assert f"{model.card.name} {model.card.version} stays" in ui.loses.text()
    assert ui.save.isEnabled()
    ui.show_edit(None, "Give it a title.")
    assert (ui.save.isEnabled(), ui.save.toolTip(), ui.why.text()) == (False, "Give it a title.", "Give it a title.")
    assert not ui.loses.isVisible()
    ui.show_edit(None, UNCHANGED)
    assert (ui.save.toolTip(), ui.why.isVisible()) == (UNCHANGED, False)


def test_guesses_are_offered_to_be_confirmed_while_there_are_some(ui: EditingUi, model: Model) -> None:
    ui.show_model(model, draft_of(model.card), ("classes",))
    ui.show_edit(None, UNCHANGED)
    assert ui.confirm.isVisible()
    ui.form.confirm()
    ui.show_edit(None, UNCHANGED)
    assert not ui.confirm.isVisible()


def test_a_meeting_is_told_until_another_model_is_shown(ui: EditingUi, model: Model) -> None:
    both = (("Licence", "MIT"), ("Citation", ""))
    ui.show_model(model, draft_of(model.card), ())
    assert not ui.met.isVisible()
    ui.show_meeting(Meeting(model=model, draft=CardDraft(), theirs=("Licence", "Citation", "Class 1"), both=both))
    assert ui.met.text().startswith("The card was changed elsewhere: Licence, Citation, Class 1. ")
    assert "both changed Licence: there it is MIT, here it is yours. You both changed Citation: there it is empty," in (
        ui.met.text()
    )
    ui.show_edit(None, UNCHANGED)
    assert ui.met.isVisible()
    ui.show_meeting(Meeting(model=model, draft=CardDraft(), theirs=(), both=()))  # in its figures, for instance
    assert ui.met.text().startswith("The card was changed elsewhere. ")
    ui.show_model(model, draft_of(model.card), ())
    assert not ui.met.isVisible()


def test_it_fits_the_dock(ui: EditingUi, model: Model) -> None:
    ui.setStyleSheet(get_stylesheet("dark"))  # in which letters are wider
    ui.show_model(model, draft_of(model.card), ("classes", "spacing"))
    ui.show_edit(edited(model, corrected(model.card, CardDraft(name="m" * 80, orientation="LIA"))), "")
    ui.show_meeting(Meeting(model=model, draft=CardDraft(), theirs=("Class 1",) * 9, both=(("Licence", "M" * 99),)))
    assert ui.minimumSizeHint().width() <= WIDEST
