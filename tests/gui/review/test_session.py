"""From case to case: each is as it was left, nobody works on one that somebody else has, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, opened, predicted, there, written


def paint(session: Session, at: int, class_id: int) -> Record:
    """Change a row of voxels of the case that is open."""
    assert session.shown is not None
    record = session.shown.record
    assert record is not None
    box = Box(start=(at, 0, 0), stop=(at + 1, 2, 3))
    before = record.labels[box.slices].copy()
    edit = Edit.between("Paint", before, np.full_like(before, class_id), start=box.start)
    assert edit is not None
    record.do(edit)
    return record


def labels_of(session: Session) -> np.ndarray:
    assert session.shown is not None
    return session.shown.labels.data


def test_a_case_opens_with_its_prediction_its_classes_and_under_correction(
    qtbot: Any, viewer: Viewer, session: Session, project: Project
) -> None:
    opened(qtbot, session, 1)
    assert [layer.name for layer in viewer.layers] == ["scan_1", "scan_1 labels"]
    assert isinstance(viewer.layers.selection.active, Labels)
    wanted = predicted(project, 1)
    assert np.array_equal(labels_of(session), wanted)
    assert session.shown is not None
    assert session.shown.record is not None
    assert np.allclose(viewer.layers[1].scale, viewer.layers[0].scale)
    assert [item.name for item in session.shown.loaded.classes] == ["anterior", "posterior"]


def test_going_on_and_back_finds_the_corrections_and_their_history(
    qtbot: Any, viewer: Viewer, session: Session
) -> None:
    opened(qtbot, session, 0)
    paint(session, 2, 2)
    paint(session, 3, 1)
    left = labels_of(session).copy()
    opened(qtbot, session, 1)
    assert len(viewer.layers) == 2
    opened(qtbot, session, 0)
    assert np.array_equal(labels_of(session), left)
    assert session.shown is not None
    record = session.shown.record
    assert record is not None
    assert [step.name for step in record.history.steps] == ["Paint", "Paint"]
    assert record.corrected.sum() == 12
    record.undo()
    record.undo()
    assert not (labels_of(session)[2:4, :2, :3]).any()


def test_the_first_correction_takes_a_case_up(qtbot: Any, session: Session, project: Project) -> None:
    opened(qtbot, session, 0)
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "predicted"
    paint(session, 2, 2)
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "in review"
    assert session.rows[key(session, 0)].reading.status == "in review"


def test_a_person_comes_back_to_where_they_were(
    qtbot: Any, viewer: Viewer, bench: Workbench, room: ReviewRoom, session: Session, project: Project
) -> None:
    """Scan, slice, zoom, class and tool."""
    opened(qtbot, session, 2)
    assert session.shown is not None
    viewer.dims.set_current_step(0, 9)
    viewer.scene.camera.zoom = 7.5
    session.shown.labels.selected_label = 2
    assert bench.correcting is not None
    bench.correcting.panel.take("Eraser")
    at = viewer.dims.point
    room.close_project()
    assert not viewer.layers
    bench.correcting.panel.take(None)
    viewer.scene.camera.zoom = 1.0
    bench.open_project(project.path)
    qtbot.waitUntil(lambda: room.session is not None and room.session.shown is not None, timeout=WAIT_MS)
    again = room.session
    assert again is not None
    assert again.row is not None
    assert again.row.case.name == "scan_2"
    assert viewer.dims.point == at
    assert viewer.scene.camera.zoom == 7.5
    assert again.shown is not None
    assert again.shown.labels.selected_label == 2
    assert type(bench.correcting.desk.tool).__name__ == "Eraser"


def test_what_the_person_leaves_fast_is_not_shown(qtbot: Any, viewer: Viewer, session: Session) -> None:
    for number in (0, 1, 2, 3, 1, 0):
        session.open(key(session, number))
    there(qtbot, session, 0)
    written(qtbot, session)
    assert [layer.name for layer in viewer.layers] == ["scan_0", "scan_0 labels"]
    assert session.current == key(session, 0)


def test_a_prediction_that_arrives_is_shown_where_nothing_was_done(
    qtbot: Any, session: Session, project: Project
) -> None:
    opened(qtbot, session, 3)
    assert not labels_of(session).any()
    labels = predicted(project, 3)
    session.ahead.predicted.emit(key(session, 3))
    qtbot.waitUntil(lambda: session.shown is not None and labels_of(session).any(), timeout=WAIT_MS)
    assert np.array_equal(labels_of(session), labels)
    paint(session, 1, 2)
    now = labels_of(session).copy()
    predicted(project, 3, score=0.9)
    session.ahead.predicted.emit(key(session, 3))
    written(qtbot, session)
    qtbot.waitUntil(lambda: session.rows[key(session, 3)].score == 0.9, timeout=WAIT_MS)
    assert np.array_equal(labels_of(session), now)


def test_what_is_there_already_is_shown_without_reading_it_again(
    qtbot: Any, room: ReviewRoom, session: Session
) -> None:
    opened(qtbot, session, 0)
    reading = session._loading
    qtbot.waitUntil(lambda: room.ahead._ready is not None, timeout=WAIT_MS)
    ready = room.ahead._ready
    assert ready is not None
    assert ready.row.reading.key == key(session, 1)
    opened(qtbot, session, 1)
    assert session.shown is not None
    assert session.shown.loaded is ready
    assert session._loading is reading


def test_who_takes_the_layers_away_is_where_they_were(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    viewer.dims.set_current_step(0, 9)
    left = viewer.dims.point[0]
    session._keep_place()
    viewer.layers.clear()
    reading = key(session, 0)
    room.close_project()
    assert project.reading(reading).place["point"][0] == left


def test_a_file_that_is_gone_is_said_and_the_worklist_goes_on(
    qtbot: Any, viewer: Viewer, session: Session, project: Project
) -> None:
    (project.path.parent / "images" / "scan_1.nii.gz").unlink()
    with qtbot.waitSignal(session.said, timeout=WAIT_MS) as said:
        session.open(key(session, 1))
    assert "scan_1" in said.args[0]
    assert not viewer.layers
    opened(qtbot, session, 0)


HOLDER = """
import sys, time
from pathlib import Path
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.store import Project
project = Project.open(Path(sys.argv[1]))
claims.claim(project.journal, sys.argv[2], who="ben")
print("held", flush=True)
time.sleep(600)
"""


def test_a_case_that_somebody_has_is_only_looked_at_until_they_are_gone(
    qtbot: Any, session: Session, project: Project
) -> None:
    reading = key(session, 1)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(project.path), reading], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        opened(qtbot, session, 1)
        assert session.held is not None
        assert session.held.who == "ben"
        assert session.shown is not None
        assert session.shown.record is None
        assert not session.shown.labels.editable
        opened(qtbot, session, 0)
        assert session.held is None
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
    opened(qtbot, session, 1)  # their program is gone: there is nothing to ask
    assert session.held is None
    assert session.shown is not None
    assert session.shown.record is not None


def test_nothing_is_held_after_the_project_is_closed(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    from napari_vol3d.review.project import claims

    opened(qtbot, session, 0)
    opened(qtbot, session, 1)
    written(qtbot, session)
    assert list(claims.holders(project.journal)) == [key(session, 1)]
    room.close_project()
    assert not claims.holders(project.journal)
    assert versions_of(project, next(iter(session.rows))) == ()
