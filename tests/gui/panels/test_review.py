"""The Review tab: lists, opens, judges and goes on, by buttons and by keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from qtpy.QtCore import Qt

from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, opened, predicted, there, written
from tests.gui.review.conftest import project as project
from tests.gui.review.conftest import room as room
from tests.gui.review.conftest import session as session

LEFT = Qt.MouseButton.LeftButton


def press(qtbot: Any, viewer: Viewer, name: Any, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key over the canvas, where the hands are."""
    qtbot.give_the_keyboard(viewer.window._qt_window)
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, name, keys)


def test_a_project_brings_its_worklist_and_a_double_click_opens_a_case(
    qtbot: Any, bench: Workbench, room: ReviewRoom, session: Session
) -> None:
    ui = room.panel.ui
    assert ui.pages.currentIndex() == 1
    assert bench.tabs.tabText(bench.tabs.currentIndex()) == "Review"
    assert [row.case.name for row in ui.worklist.value()] == [f"scan_{n}" for n in range(4)]
    assert not ui.accept.isEnabled()
    assert "Double click" in ui.accept.toolTip()
    ui.worklist.opened.emit(key(session, 2))
    there(qtbot, session, 2)
    assert ui.worklist.current() == key(session, 2)
    assert ui.accept.isEnabled()
    assert ui.case.text().startswith("scan_2: predicted")
    qtbot.waitUntil(lambda: len(ui.places.value()) == 1, timeout=WAIT_MS)


def test_accept_and_next_by_the_button_and_by_the_key(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    qtbot.mouseClick(room.panel.ui.accept, LEFT)
    there(qtbot, session, 1)
    press(qtbot, viewer, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    there(qtbot, session, 2)
    written(qtbot, session)
    assert [row.reading.status for row in project.rows()] == ["accepted", "accepted", "predicted", "todo"]
    assert all(len(versions_of(project, key(session, n))) == 1 for n in (0, 1))
    assert room.panel.ui.worklist.value()[0].reading.status == "accepted"


def test_flag_reject_and_the_ways_through_the_list(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    press(qtbot, viewer, Qt.Key.Key_PageDown)
    there(qtbot, session, 1)
    press(qtbot, viewer, Qt.Key.Key_PageUp)
    there(qtbot, session, 0)
    press(qtbot, viewer, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    there(qtbot, session, 1)
    press(qtbot, viewer, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    there(qtbot, session, 2)
    written(qtbot, session)
    assert [row.reading.status for row in project.rows()][:2] == ["flagged", "rejected"]


def test_an_accept_is_undone_where_it_is_seen(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    ui = room.panel.ui
    opened(qtbot, session, 0)
    assert not ui.take_back.isVisible()
    qtbot.mouseClick(ui.accept, LEFT)
    there(qtbot, session, 1)
    written(qtbot, session)
    opened(qtbot, session, 0)
    assert ui.take_back.isVisible()
    qtbot.mouseClick(ui.take_back, LEFT)
    qtbot.waitUntil(lambda: not ui.take_back.isVisible(), timeout=WAIT_MS)
    assert project.reading(key(session, 0)).status == "predicted"


def test_a_place_is_gone_to_in_all_views(qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session) -> None:
    opened(qtbot, session, 1)
    ui = room.panel.ui
    qtbot.waitUntil(lambda: bool(ui.places.value()), timeout=WAIT_MS)
    press(qtbot, viewer, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    assert session.shown is not None
    labels = session.shown.labels
    assert np.allclose(labels.world_to_data(room.panel._desk.bench.point)[-3:], (6, 7, 7))
    assert ui.places.visited() == (0,)


def test_places_of_a_prediction_that_comes_are_listed(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 3)
    assert room.panel.ui.places.value() == ()
    predicted(project, 3)
    session.ahead.predicted.emit(key(session, 3))
    qtbot.waitUntil(lambda: len(room.panel.ui.places.value()) == 1, timeout=WAIT_MS)
    assert room.panel.ui.worklist.value()[3].score == 0.5


def test_a_note_is_kept_when_it_is_left(qtbot: Any, room: ReviewRoom, session: Session, project: Project) -> None:
    opened(qtbot, session, 0)
    ui = room.panel.ui
    qtbot.keyClicks(ui.note, "motion")
    qtbot.keyClick(ui.note, Qt.Key.Key_Return)
    written(qtbot, session)
    assert project.reading(key(session, 0)).note == "motion"
    opened(qtbot, session, 1)
    assert ui.note.text() == ""
    opened(qtbot, session, 0)
    assert ui.note.text() == "motion"


def test_the_end_of_the_list_is_said(qtbot: Any, room: ReviewRoom, session: Session, project: Project) -> None:
    for row in project.rows()[1:]:
        project.set_status(row.reading.key, "rejected", who="ann")
        session.refresh_row(row.reading.key)
    written(qtbot, session)
    opened(qtbot, session, 0)
    room.panel.accept()
    assert room.panel.ui.said.text() == "Nothing is left to do in this list."
    assert session.current == key(session, 0)
    written(qtbot, session)


def test_a_closed_project_leaves_the_two_buttons(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session
) -> None:
    opened(qtbot, session, 0)
    room.close_project()
    assert not viewer.layers
    assert room.panel.ui.pages.currentIndex() == 0
    assert room.panel.session is None
    room.panel.accept()  # a key that comes late
    room.panel.go_next()
