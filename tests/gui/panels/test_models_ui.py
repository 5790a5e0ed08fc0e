"""The list of models offers what works with the chosen one, and says why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.forms.model_rows import ModelRow
from napari_vol3d.gui.panels.models_ui import BROKEN, BUNDLED, COPY_TIP, EDIT_TIP, NO_MODEL, ModelsUi
from napari_vol3d.models.store import list_models

BUNDLED_ROW = ModelRow(key="a", title="Brain", origin="bundled", state="sound", preferred=True)
BROKEN_ROW = ModelRow(key="b", title="old", state="broken", why="Weights of it are missing.")


@pytest.fixture
def ui(qtbot: Any) -> ModelsUi:
    ui = ModelsUi()
    qtbot.addWidget(ui)
    ui.resize(320, 800)
    ui.show()
    return ui


def test_without_a_choice_only_adding_is_offered(ui: ModelsUi) -> None:
    ui.show_model(None, None)
    assert ui.add.isEnabled()
    for control in (ui.export, ui.remove, ui.preferred, ui.edit):
        assert not control.isEnabled()
        assert control.toolTip() == NO_MODEL


def test_a_bundled_model_stays(ui: ModelsUi) -> None:
    ui.show_model(list_models()[0], BUNDLED_ROW)
    assert (ui.remove.isEnabled(), ui.remove.toolTip()) == (False, BUNDLED)
    assert ui.export.isEnabled()
    assert ui.preferred.isChecked()
    assert list_models()[0].card.citation.split()[0] in ui.card.toPlainText()
    assert not ui.wrong.isVisible()


def test_a_broken_one_says_why_and_can_go(ui: ModelsUi) -> None:
    ui.show_model(None, BROKEN_ROW)
    assert ui.wrong.text() == BROKEN_ROW.why
    assert ui.remove.isEnabled()
    for control in (ui.export, ui.edit):
        assert (control.isEnabled(), control.toolTip()) == (False, BROKEN)


def test_a_card_is_edited_and_a_bundled_ones_copy(ui: ModelsUi) -> None:
    ui.show_model(list_models()[0], BUNDLED_ROW)
    assert (ui.edit.isEnabled(), ui.edit.toolTip()) == (True, COPY_TIP)
    ui.show_model(list_models()[0], replace(BUNDLED_ROW, origin="added"))
    assert (ui.edit.isEnabled(), ui.edit.toolTip()) == (True, EDIT_TIP)


def test_guesses_are_told_in_words(ui: ModelsUi) -> None:
    ui.show_model(list_models()[0], BUNDLED_ROW, ("spacing", "classes"))
    assert ui.guesses.isVisible()
    assert "voxel size, classes" in ui.guesses.text()
    ui.show_model(None, BROKEN_ROW)
    assert not ui.guesses.isVisible()


def test_removing_is_asked_about_where_it_was_pressed(ui: ModelsUi) -> None:
    ui.ask_remove("Brain 1.0")
    assert "Brain 1.0" in ui.question.text()
    assert ui.yes.isVisible()
    assert not ui.remove.isVisible()
    ui.ask_remove("")
    assert not ui.question.isVisible()
    assert ui.remove.isVisible()


def test_it_fits_the_dock(ui: ModelsUi) -> None:
    ui.show_rows([BUNDLED_ROW, BROKEN_ROW])
    ui.show_model(list_models()[0], BUNDLED_ROW)
    ui.ask_remove("A rather long title of a model 1.0")
    ui.say("Writing a-rather-long-name-of-a-file.bioimageio.zip ...", busy=True)
    QApplication.processEvents()
    assert ui.minimumSizeHint().width() <= 320
    assert ui.stop.isVisible()
    ui.say("")
    assert not ui.said.isVisible()
    assert not ui.stop.isVisible()
