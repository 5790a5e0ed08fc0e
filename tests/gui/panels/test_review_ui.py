"""How each state of the review looks; a button that can't be pressed says why."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QLabel

from napari_vol3d.gui.panels.review_ui import ReviewUi


@pytest.fixture
def ui(qtbot: Any) -> ReviewUi:
    made = ReviewUi()
    qtbot.addWidget(made)
    made.resize(320, 900)
    made.show()
    return made


def test_without_a_project_there_are_two_buttons(ui: ReviewUi) -> None:
    assert ui.new.isVisible()
    assert ui.open.isVisible()
    assert not ui.worklist.isVisible()
    ui.show_project("Study")
    assert not ui.new.isVisible()
    assert ui.worklist.isVisible()
    assert ui.title.text() == "Study"
    ui.show_project("")
    assert ui.open.isVisible()


def test_buttons_say_why_they_can_not_be_pressed(ui: ReviewUi) -> None:
    ui.show_project("Study")
    buttons = (ui.accept, ui.flag, ui.reject)
    ui.show_case("scan", can_accept=False, can_judge=False, why="Somebody has it.", judged="")
    assert not any(button.isEnabled() for button in buttons)
    assert {button.toolTip() for button in buttons} == {"Somebody has it."}
    assert not ui.note.isEnabled()
    ui.show_case("scan", can_accept=True, can_judge=True, why="", judged="rejected")
    assert all(button.isEnabled() and "(Shift+" in button.toolTip() for button in buttons)
    assert ui.take_back.isVisible()
    assert ui.take_back.text() == "Not rejected"
    ui.show_case("scan", can_accept=False, can_judge=True, why="Its scan can't be read.", judged="")
    assert (ui.accept.isEnabled(), ui.flag.isEnabled(), ui.note.isEnabled()) == (False, True, True)
    assert not ui.take_back.isVisible()


def test_who_has_a_case_is_seen_and_taken_over_where_they_are_silent(ui: ReviewUi) -> None:
    ui.show_project("Study")
    assert not ui.held.isVisible()
    ui.show_held("Ben has this open.", silent=False)
    assert ui.held.isVisible()
    assert not ui.take_over.isVisible()
    ui.show_held("Ben was silent: take over?", silent=True)
    assert ui.take_over.isVisible()
    ui.show_held("", silent=False)
    assert not ui.held.isVisible() | ui.take_over.isVisible()


def test_it_fits_into_a_narrow_dock_and_has_room_for_more_parts(ui: ReviewUi) -> None:
    ui.show_project("A project with a name that is far longer than the dock is wide, as people give them")
    words = "a scan with a long name: in review, 2.3 min"
    ui.show_case(words, can_accept=True, can_judge=True, why="", judged="accepted")
    section = ui.add_section("More", QLabel("part"))
    assert ui.minimumSizeHint().width() <= 320
    assert not section.isExpanded()


def test_what_is_being_opened_is_said_beside_what_is_open(ui: ReviewUi) -> None:
    ui.show_opening("Study")
    assert ui.opening.isVisible()
    assert {button.toolTip() for button in (ui.new, ui.open)} == {"Opening Study ..."}
    assert not ui.new.isEnabled()
    ui.show_project("Other")
    assert ui.opening.isVisible()
    ui.show_opening("a project with a name that is far longer than any dock is wide, or any person would like to read")
    assert ui.minimumSizeHint().width() <= 320
    ui.show_opening("")
    assert not ui.opening.isVisible()
    assert ui.new.isEnabled()
    assert "scans" in ui.new.toolTip()
