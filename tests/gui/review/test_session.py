"""From case to case: each is as it was left, nobody works on one that somebody else has, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
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
from napari_vol3d.review.lock import Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.store import Project
from tests.builders import phantom, save_nifti
from tests.gui.review.conftest import SPACING, WAIT_MS, key, opened, predicted, there, written
from tests.gui.review.test_loading import run


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


def test_what_was_read_twice_is_shown_once(
    qtbot: Any, viewer: Viewer, session: Session, project: Project
) -> None:
    """As by one who goes away and comes back before it was read."""
    reading = key(session, 3)
    twice = [run(project, reading) for _ in range(2)]
    session.open(reading)
    for loaded in twice:
        session._on_loaded(loaded)
    there(qtbot, session, 3)
    written(qtbot, session)
    qtbot.waitUntil(lambda: session._loading is None or not session._loading.running, timeout=WAIT_MS)
    written(qtbot, session)
    assert [layer.name for layer in viewer.layers] == ["scan_3", "scan_3 labels"]
    assert session.held is None
    assert session.shown is not None
    assert session.shown.loaded is twice[0]


def test_who_takes_the_layers_away_is_where_they_were(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    viewer.dims.set_current_step(0, 3)
    left = viewer.dims.point[0]
    session.watch._keep_place()
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


def test_a_case_whose_holder_goes_is_ones_own_without_being_asked(
    qtbot: Any, session: Session, project: Project
) -> None:
    got = claims.claim(project.journal, key(session, 1), who="ben")
    assert isinstance(got, Lock)
    opened(qtbot, session, 1)
    assert session.held is not None
    got.release()
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.record is not None, timeout=WAIT_MS)
    assert session.held is None


def test_a_case_that_can_not_be_read_can_be_rejected_and_the_list_goes_on(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    (project.path.parent / "images" / "scan_1.nii.gz").write_bytes(b"no scan")
    with qtbot.waitSignal(session.said, timeout=WAIT_MS):
        session.open(key(session, 1))
    assert session.failed
    assert session.current == key(session, 1)
    assert not room.panel.ui.accept.isEnabled()
    room.panel.reject()
    there(qtbot, session, 2)
    written(qtbot, session)
    assert project.reading(key(session, 1)).status == "rejected"


def test_what_others_have_done_is_seen_when_a_case_is_opened(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    project.set_note(key(session, 2), "theirs", who="ben")
    opened(qtbot, session, 2)
    assert room.panel.ui.note.text() == "theirs"
    project.set_status(key(session, 0), "flagged", who="ben")
    session.watch._take_stock()
    written(qtbot, session)
    assert session.rows[key(session, 0)].reading.status == "flagged"


def test_a_lock_that_is_asked_for_as_the_project_closes_is_given_back(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    gate = threading.Event()
    session.clerk.do(lambda: gate.wait(10))
    session.open(key(session, 0))
    qtbot.waitUntil(lambda: session.clerk.waiting == 2, timeout=WAIT_MS)
    threading.Timer(0.2, gate.set).start()
    room.close_project()
    assert not claims.holders(project.journal)


def test_another_scan_under_the_same_name_is_said(qtbot: Any, session: Session, project: Project) -> None:
    opened(qtbot, session, 0)
    paint(session, 2, 2)
    written(qtbot, session)
    opened(qtbot, session, 1)
    said: list[str] = []
    session.said.connect(said.append)
    save_nifti(project.path.parent / "images" / "scan_0.nii.gz", phantom()[0] + 9, spacing=SPACING)
    opened(qtbot, session, 0)
    assert any("another file" in words for words in said)
    opened(qtbot, session, 1)
    save_nifti(project.path.parent / "images" / "scan_0.nii.gz", phantom()[0][:5], spacing=SPACING)
    session.open(key(session, 0))
    qtbot.waitUntil(lambda: session.failed, timeout=WAIT_MS)
    assert "another grid" in said[-1]


def test_the_looks_of_images_go_on_to_the_next_case(qtbot: Any, session: Session) -> None:
    opened(qtbot, session, 0)
    assert session.shown is not None
    session.shown.images[0].opacity, session.shown.images[0].visible = 0.4, False
    opened(qtbot, session, 1)
    assert session.shown is not None
    assert (session.shown.images[0].opacity, session.shown.images[0].visible) == (0.4, False)


def test_who_reads_as_somebody_does_so_again(
    qtbot: Any, bench: Workbench, room: ReviewRoom, session: Session, project: Project
) -> None:
    cases = project.cases()
    project.assign([Reading(case=one.key, reader="anna", blind=True) for one in cases], who="boss")
    room._read_as("anna")
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    assert room.panel.ui.title.text() == "study, read as anna"
    assert room.session is not None
    written(qtbot, room.session)
    room.close_project()
    bench.open_project(project.path)
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=WAIT_MS)
    assert room.session is not None
    assert room.session.reader == "anna"
    assert all(row.reading.blind for row in room.session.rows.values())


def test_nothing_is_held_after_the_project_is_closed(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    opened(qtbot, session, 1)
    written(qtbot, session)
    assert list(claims.holders(project.journal)) == [key(session, 1)]
    room.close_project()
    assert not claims.holders(project.journal)
    assert versions_of(project, next(iter(session.rows))) == ()
