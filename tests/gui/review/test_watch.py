"""What goes on by the clock: where the person is, how long they work, what others have done."""

from __future__ import annotations

from typing import Any

from napari import Viewer
from qtpy.QtCore import Qt

from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, opened, written


def test_where_the_person_is_is_kept_while_they_are_there(
    qtbot: Any, viewer: Viewer, session: Session, project: Project
) -> None:
    """Who is killed comes back there."""
    opened(qtbot, session, 0)
    viewer.dims.set_current_step(0, 7)
    wanted = viewer.dims.point[0]
    reading = key(session, 0)
    qtbot.waitUntil(lambda: project.reading(reading).place.get("point", (None,))[0] == wanted, timeout=WAIT_MS)


def test_work_is_counted_and_a_case_that_is_left_counts_no_more(
    qtbot: Any, viewer: Viewer, session: Session, project: Project
) -> None:
    qtbot.give_the_keyboard(viewer.window._qt_window)
    opened(qtbot, session, 0)
    for _ in range(4):
        qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Shift)
        qtbot.wait(60)
    opened(qtbot, session, 1)
    written(qtbot, session)
    counted = project.reading(key(session, 0)).seconds
    assert counted > 0.15
    assert session.rows[key(session, 0)].reading.seconds == counted
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Shift)
    session.watch.keep_seconds()
    written(qtbot, session)
    assert project.reading(key(session, 0)).seconds == counted


def test_a_case_is_seen_a_moment_after_it_came(qtbot: Any, session: Session) -> None:
    at_first: list[tuple[bool, bool]] = []
    session.changed.connect(lambda: at_first.append((session.shown is not None, session.watch.seen)))
    session.open(key(session, 0))
    qtbot.waitUntil(lambda: session.watch.seen, timeout=WAIT_MS)
    assert at_first[-1] == (True, False)  # as it came, however long it took to be drawn
    session.watch.stop()
    assert not session.watch.seen
