"""Accepted, flagged, rejected, taken back: at once on the screen, for good in the project."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.gui.review.judging import Judging
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.review.project.accepting import labels_of_version, verify, versions_of
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, opened, written
from tests.gui.review.test_session import labels_of, paint


def judging(room: ReviewRoom) -> Judging:
    assert room.panel.judging is not None
    return room.panel.judging


def test_what_is_accepted_is_a_version_that_the_log_gives_again(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    paint(session, 2, 2)
    record = paint(session, 3, 1)
    record.undo()
    wanted = labels_of(session).copy()
    assert judging(room).accept()
    paint(session, 5, 2)  # the person goes on meanwhile
    written(qtbot, session)
    (version,) = versions_of(project, key(session, 0))
    assert (version.number, version.model, version.model_sha256) == (1, "m 1.0", "ab" * 32)
    assert version.changed == {"2": (6, 0)}
    assert np.array_equal(labels_of_version(project, version.key), wanted)
    assert np.array_equal(verify(project, version), wanted)
    assert not np.array_equal(labels_of(session), wanted)


def test_what_nobody_changed_can_be_accepted_too(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 1)
    assert judging(room).accept()
    written(qtbot, session)
    (version,) = versions_of(project, key(session, 1))
    assert version.changed == {}
    assert np.array_equal(verify(project, version), labels_of(session))
    assert session.rows[key(session, 1)].reading.status == "accepted"


def test_an_accept_is_undone_and_the_version_stays(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    judging(room).accept()
    written(qtbot, session)
    judging(room).undo_accept()
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "predicted"
    assert session.rows[key(session, 0)].reading.status == "predicted"
    assert len(versions_of(project, key(session, 0))) == 1


def test_after_accept_and_next_it_is_the_one_before_that_is_taken_back(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    for number in (0, 1):
        opened(qtbot, session, number)
        room.panel.accept()
    written(qtbot, session)
    assert session.current == key(session, 2)
    for number in (1, 0):
        with qtbot.waitSignal(judging(room).said, timeout=WAIT_MS) as said:
            room.panel.undo_accept()
        assert said.args == [f"scan_{number} is not accepted any more. Its version 1 stays."]
    written(qtbot, session)
    assert [row.reading.status for row in project.rows()] == ["predicted"] * 3 + ["todo"]
    assert [session.rows[key(session, n)].reading.status for n in (0, 1)] == ["predicted"] * 2
    with qtbot.waitSignal(judging(room).said) as said:
        room.panel.undo_accept()
    assert said.args == ["Nothing was accepted here yet."]


def test_a_correction_after_an_accept_is_in_review_again(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    judging(room).accept()
    written(qtbot, session)
    paint(session, 2, 2)
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "in review"


def test_notes_and_statuses_are_kept(qtbot: Any, room: ReviewRoom, session: Session, project: Project) -> None:
    opened(qtbot, session, 2)
    judging(room).set_note("motion")
    judging(room).set_status("flagged")
    written(qtbot, session)
    found = project.reading(key(session, 2))
    assert (found.status, found.note, found.annotator) == ("flagged", "motion", session.who)


def test_an_older_version_is_put_back_as_a_step(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    judging(room).accept()
    first = labels_of(session).copy()
    record = paint(session, 2, 2)
    now = labels_of(session).copy()
    judging(room).restore(first, "Restore version 1")
    assert np.array_equal(labels_of(session), first)
    assert record.history.steps[-1].name == "Restore version 1"
    record.undo()
    assert np.array_equal(labels_of(session), now)
    written(qtbot, session)


def test_what_a_model_finds_leaves_corrected_voxels_alone_and_is_one_step(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 3)
    record = paint(session, 2, 2)
    before = labels_of(session).copy()
    found = np.ones(before.shape, np.uint8)
    judging(room).take_prediction(found, "scan_3 labels")
    now = labels_of(session)
    assert (now[2, :2, :3] == 2).all()
    assert np.count_nonzero(now == 1) == now.size - 6
    assert record.corrected.sum() == 6  # the model has touched, not the person
    record.undo()
    assert np.array_equal(labels_of(session), before)
    judging(room).take_prediction(found[1:], "of another grid")
    assert np.array_equal(labels_of(session), before)
    written(qtbot, session)


def test_without_a_case_nothing_is_accepted(qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session) -> None:
    with qtbot.waitSignal(judging(room).said):
        assert not judging(room).accept()
