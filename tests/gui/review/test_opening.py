"""A project that takes its time to open: it is said, it is opened once, and a window that is closed has none."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.qt.threading import WorkerBase
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.store import Project
from tests.gui.conftest import drop
from tests.gui.review.conftest import WAIT_MS

HELD_S = 30


class SlowDisk:
    """The real opening, held back until the disk gives the file."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun, self.ready = threading.Semaphore(0), threading.Event()
        self.opened: list[str] = []
        really = Project.open

        def slow(path: Path) -> Project:
            self.begun.release()
            self.ready.wait(HELD_S)
            found = really(path)
            self.opened.append(path.stem)
            return found

        patch.setattr(Project, "open", slow)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk(monkeypatch)
    yield disk
    disk.ready.set()


@pytest.fixture
def told(room: ReviewRoom) -> list[Project]:
    """Each project that the room has opened."""
    projects: list[Project] = []
    room.opened.connect(projects.append)
    return projects


def begun(qtbot: Any, disk: SlowDisk) -> None:
    """Wait until the thread is at the file."""
    qtbot.waitUntil(lambda: disk.begun.acquire(blocking=False), timeout=WAIT_MS)


def all_ended() -> None:
    """Wait for all threads, and let the window hear of them."""
    WorkerBase.await_workers(WAIT_MS)
    QApplication.processEvents()


def test_what_is_being_opened_is_said_until_it_is_there(
    qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project, disk: SlowDisk
) -> None:
    bench.open_project(project.path)
    begun(qtbot, disk)
    ui = room.panel.ui
    assert ui.opening.isVisible()
    assert ui.opening.text() == "Opening study ..."
    assert not ui.new.isEnabled()
    assert not ui.open.isEnabled()
    assert ui.open.toolTip() == "Opening study ..."
    disk.ready.set()
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    qtbot.waitUntil(ui.opening.isHidden, timeout=WAIT_MS)
    assert ui.open.isEnabled()
    assert ui.title.text() == "study"


def test_a_second_drop_meanwhile_does_not_open_it_twice(
    qtbot: Any, viewer: Any, bench: Workbench, room: ReviewRoom, project: Project, disk: SlowDisk, told: list[Project]
) -> None:
    drop(viewer, project.path)
    begun(qtbot, disk)
    drop(viewer, project.path)
    drop(viewer, project.path)
    disk.ready.set()
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    all_ended()
    assert disk.opened == ["study"]
    assert [one.path for one in told] == [project.path]


def test_of_two_projects_the_last_is_opened_though_the_first_comes_later(
    qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project, disk: SlowDisk, told: list[Project]
) -> None:
    other = Path(shutil.copy(project.path, project.path.with_name("other.vol3d")))
    bench.open_project(project.path)
    begun(qtbot, disk)
    bench.open_project(other)
    begun(qtbot, disk)
    assert room.panel.ui.opening.text() == "Opening other ..."
    disk.ready.set()
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    all_ended()
    assert sorted(disk.opened) == ["other", "study"]
    assert [one.path for one in told] == [other]
    assert room.session is not None
    assert room.session.project.path == other


def test_a_window_that_is_closed_meanwhile_has_no_session(
    qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project, disk: SlowDisk, told: list[Project]
) -> None:
    bench.open_project(project.path)
    begun(qtbot, disk)
    bench.let_go()
    disk.ready.set()
    all_ended()
    assert disk.opened == ["study"]
    assert not told
    assert room.session is None
    assert not claims.holders(project.journal)


def test_a_file_that_is_no_project_can_be_followed_by_one_that_is(
    qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.vol3d"
    broken.write_bytes(b"no project" * 100)
    for _ in range(2):  # the second try is no other than the first
        notification_manager.records.clear()
        bench.open_project(broken)
        assert room.panel.ui.opening.text() == "Opening broken ..."
        qtbot.waitUntil(room.panel.ui.opening.isHidden, timeout=WAIT_MS)
        assert [str(record.severity) for record in notification_manager.records] == ["error"]
        assert room.panel.ui.open.isEnabled()
    notification_manager.records.clear()
    bench.open_project(project.path)
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)


def test_a_project_whose_model_is_gone_says_so(
    qtbot: Any, bench: Workbench, room: ReviewRoom, project: Project, told: list[Project]
) -> None:
    path = project.path.with_name("other.vol3d")
    Project.create(path, name="other", cases=project.cases(), model={"name": "long-gone", "sha256": "ab" * 32})
    notification_manager.records.clear()
    bench.open_project(path)
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    (said,) = [str(record.message) for record in notification_manager.records]
    assert said.startswith("The project's model is not here")
    assert "long-gone" in said
