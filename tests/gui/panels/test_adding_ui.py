"""The pages by which a model comes in: each shows what it is about, in the width of the dock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtWidgets import QScrollArea

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.panels.adding_ui import AGAIN, CARD, LOOK, TRUST, WAIT, AddingUi
from tests.gui.forms.test_card_form import DEEP, MAIN, WIDEST, adoption
from tests.gui.panels.test_model_words import SOURCE


@pytest.fixture
def ui(qtbot: Any) -> AddingUi:
    ui = AddingUi()
    qtbot.addWidget(ui)
    ui.resize(WIDEST, 800)
    ui.show()
    return ui


def test_a_source_is_shown_with_its_warning(ui: AddingUi) -> None:
    ui.show_source(SOURCE, "A model is a program.")
    assert ui.currentIndex() == LOOK
    assert ui.warning.isVisible()
    assert not ui.problem.isVisible()
    assert ui.trust.text() == TRUST
    ui.show_source(SOURCE, "")
    assert not ui.warning.isVisible()
    assert ui.trust.text() == AGAIN


def test_a_problem_is_shown_with_or_without_another_try(ui: AddingUi) -> None:
    ui.show_problem("Layer Lambda holds code.", about="<net>.h5")
    assert (ui.problem.text(), ui.about.toPlainText()) == ("Layer Lambda holds code.", "<net>.h5")
    assert not ui.trust.isVisible()
    ui.show_problem("The engine stopped.", again=True)
    assert ui.trust.isVisible()
    ui.show_source(SOURCE, "")
    assert not ui.problem.isVisible()


def test_waiting_shows_how_far_it_is(ui: AddingUi) -> None:
    ui.show_waiting("Looking ...")
    assert ui.currentIndex() == WAIT
    assert ui.bar.maximum() == 0
    ui.show_progress(Progress(phase="Comparing", done=1, total=4, seconds=2.0))
    assert ui.waiting.text() == "Comparing, 6.0 s left"
    assert (ui.bar.value(), ui.bar.maximum()) == (1, 4)
    ui.show_stopping()
    assert not ui.cancel.isEnabled()
    assert ui.cancel.toolTip()
    ui.show_waiting("Again ...")
    assert ui.cancel.isEnabled()


def test_a_card_is_asked_for_with_what_was_done(ui: AddingUi) -> None:
    ui.show_card(adoption(changes=("Channels come last now.",), outputs=(MAIN, DEEP)))
    assert ui.currentIndex() == CARD
    assert "1 channel in, 3 scores a voxel out" in ui.facts.text()
    assert ui.changes.isVisible()
    assert ui.changes.toPlainText() == "• Channels come last now."
    ui.allow_add("Give the model a title.")
    assert not ui.add.isEnabled()
    assert ui.add.toolTip() == ui.why.text() == "Give the model a title."
    ui.allow_add("")
    assert ui.add.isEnabled()
    assert not ui.why.isVisible()
    assert ui.form.minimumSizeHint().width() <= WIDEST
    ui.show_card(adoption(fixed_size=(128, 128, 128)))
    assert not ui.changes.isVisible()
    assert "128 x 128 x 128 voxels" in ui.facts.text()


def test_why_it_can_not_be_added_is_seen_in_a_low_window(qtbot: Any) -> None:
    dock, ui = QScrollArea(), AddingUi()  # as the dock has it
    qtbot.addWidget(dock)
    dock.setWidgetResizable(True)
    dock.setWidget(ui)
    dock.resize(WIDEST, 420)
    dock.show()
    ui.show_card(adoption(outputs=(MAIN, DEEP), changes=("Channels come last now.",) * 9))
    ui.allow_add("Give the model a title and a version.")
    qtbot.waitUntil(ui.why.isVisible)
    qtbot.waitUntil(lambda: ui.scrolled.verticalScrollBar().maximum() > 0)
    qtbot.waitUntil(lambda: dock.verticalScrollBar().maximum() == 0)
    for widget in (ui.why, ui.add, ui.leave):
        assert widget.visibleRegion().boundingRect().size() == widget.size()
    assert ui.why.geometry().bottom() < ui.add.geometry().top()


def test_of_weights_alone_nothing_is_offered(ui: AddingUi) -> None:
    ui.show_useless(replace(SOURCE, container="weights"), "Weights without a model.")
    assert ui.problem.text() == "Weights without a model."
    assert not ui.trust.isVisible()
    assert ui.about.toPlainText()
