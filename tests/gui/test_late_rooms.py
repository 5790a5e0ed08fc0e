"""The rooms of the dock come when what they need is loaded, and the window is alive until then."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.qt.threading import WorkerBase
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui import workbench
from napari_vol3d.gui.late import Coming
from napari_vol3d.gui.workbench import ROOMS, Workbench
from napari_vol3d.review.project.store import Project
from tests.gui.conftest import drop
from tests.gui.review.conftest import project as project
from tests.gui.test_late import WAIT_MS
from tests.gui.test_late import gate as gate

SMALL = (8, 9, 10)


@pytest.fixture
def waiting(
    gate: ModuleType, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Workbench]:
    """A dock whose rooms are loaded when the test says so."""
    monkeypatch.setattr(workbench, "ROOMS", (*ROOMS, "slow_of_late"))
    yield request.getfixturevalue("bench")
    gate.go.set()


def loading(qtbot: Any, gate: ModuleType) -> None:
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT_MS)


def shown(bench: Workbench) -> Any:
    """Give the widget in the tab that is shown."""
    assert bench._pages.currentIndex() == 1
    return bench.tabs.currentWidget().widget()


def test_a_project_that_is_dropped_waits_for_its_room_and_is_opened_once(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType, project: Project
) -> None:
    drop(viewer, project.path)
    loading(qtbot, gate)
    drop(viewer, project.path)
    assert waiting.reviewing is None
    assert waiting.tabs.currentWidget() is waiting._review_page
    assert shown(waiting).text() == "Opening study ..."
    gate.go.set()
    qtbot.waitUntil(lambda: waiting.reviewing is not None, timeout=WAIT_MS)
    room = waiting.reviewing
    told: list[Project] = []
    room.opened.connect(told.append)
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    WorkerBase.await_workers(WAIT_MS)
    QApplication.processEvents()
    assert [one.path for one in told] == [project.path]
    assert shown(waiting) is room.panel


def test_who_goes_elsewhere_meanwhile_stays_there_and_the_project_is_opened(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType, project: Project
) -> None:
    drop(viewer, project.path)
    loading(qtbot, gate)
    waiting.show_tab(waiting.segment)
    gate.go.set()
    qtbot.waitUntil(
        lambda: waiting.reviewing is not None and waiting.reviewing.session is not None, timeout=WAIT_MS
    )  # fmt: skip
    assert shown(waiting) is waiting.segment


def test_a_dock_that_is_closed_meanwhile_makes_no_room(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType, project: Project
) -> None:
    drop(viewer, project.path)
    loading(qtbot, gate)
    waiting.let_go()
    gate.go.set()
    WorkerBase.await_workers(WAIT_MS)
    QApplication.processEvents()
    assert waiting.reviewing is None
    assert waiting.correcting is None


@pytest.mark.parametrize("name", ["correct", "review"])
def test_a_tab_says_that_it_opens_until_its_room_is_there(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType, name: str
) -> None:
    viewer.add_image(np.zeros(SMALL, np.int16), name="scan")
    loading(qtbot, gate)  # a scan's labels come next
    waiting.tabs.setCurrentWidget(getattr(waiting, f"_{name}_page"))
    assert isinstance(shown(waiting), Coming)
    assert shown(waiting).text() == "Opening this tab ..."
    gate.go.set()
    qtbot.waitUntil(lambda: not isinstance(shown(waiting), Coming), timeout=WAIT_MS)
    room = waiting.correcting if name == "correct" else waiting.reviewing
    assert room is not None
    assert shown(waiting) is room.panel


def test_who_leaves_a_tab_before_it_is_there_gets_it_on_coming_back(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType
) -> None:
    viewer.add_image(np.zeros(SMALL, np.int16), name="scan")
    waiting.tabs.setCurrentWidget(waiting._review_page)
    loading(qtbot, gate)
    waiting.show_tab(waiting.segment)
    gate.go.set()
    qtbot.waitUntil(lambda: waiting._late.there, timeout=WAIT_MS)
    WorkerBase.await_workers(WAIT_MS)
    QApplication.processEvents()
    assert waiting.reviewing is None
    waiting.tabs.setCurrentWidget(waiting._review_page)
    assert waiting.reviewing is not None


def test_labels_that_come_meanwhile_are_kept_from_the_first_stroke_on(
    qtbot: Any, viewer: Viewer, waiting: Workbench, gate: ModuleType
) -> None:
    viewer.add_image(np.zeros(SMALL, np.int16), name="scan")
    loading(qtbot, gate)
    labels = viewer.add_labels(np.zeros(SMALL, np.uint8), name="labels")
    assert waiting.correcting is not None
    assert waiting.correcting.desk.record is not None
    assert waiting.correcting.desk.record.layer is labels
