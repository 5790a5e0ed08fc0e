"""Accepted, flagged, rejected, taken back: at once on the screen, for good in the project."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
from napari import Viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.label_looks import give_name
from napari_vol3d.gui.layers import classes_of
from napari_vol3d.gui.review.judging import Judging
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.review.project.accepting import accept, labels_of_version, verify, versions_of
from napari_vol3d.review.project.records import Foreseen, Version
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
    judging(room).take_back()
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
    for number in (1, 0):  # each is opened again
        with qtbot.waitSignal(judging(room).said, timeout=WAIT_MS) as said:
            room.panel.take_back()
        assert said.args == [f"scan_{number} is not accepted any more. Its version 1 stays."]
    written(qtbot, session)
    assert [row.reading.status for row in project.rows()] == ["predicted"] * 3 + ["todo"]
    assert [session.rows[key(session, n)].reading.status for n in (0, 1)] == ["predicted"] * 2
    with qtbot.waitSignal(judging(room).said) as said:
        room.panel.take_back()
    assert said.args == ["Nothing was judged here yet."]


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


def test_empty_labels_are_asked_about_once(qtbot: Any, room: ReviewRoom, session: Session, project: Project) -> None:
    opened(qtbot, session, 3)
    with qtbot.waitSignal(judging(room).said) as said:
        assert not judging(room).accept()
    assert said.args[0].startswith("Nothing is labelled here")
    assert judging(room).accept()
    written(qtbot, session)
    assert project.reading(key(session, 3)).status == "accepted"


def test_a_key_that_was_hit_before_the_case_was_seen_is_not_for_it(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    session.open(key(session, 1))
    qtbot.waitUntil(lambda: session.shown is not None, timeout=WAIT_MS)
    assert not session.watch.seen
    assert not judging(room).accept()
    assert not judging(room).set_status("rejected")
    written(qtbot, session)
    assert {row.reading.status for row in project.rows()} == {"predicted", "todo"}


def test_a_rejection_is_taken_back_and_a_correction_takes_up_what_was_flagged(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    room.panel.reject()
    written(qtbot, session)
    assert session.current == key(session, 1)
    judging(room).take_back()
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "predicted"
    assert session.current == key(session, 0)  # it is opened again
    opened(qtbot, session, 1)
    judging(room).set_status("flagged")
    paint(session, 2, 2)
    written(qtbot, session)
    assert project.reading(key(session, 1)).status == "in review"


def test_an_accept_that_can_not_be_written_does_not_look_like_one(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    written(qtbot, session)
    with closing(sqlite3.connect(project.path)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        connection.commit()
    said: list[str] = []
    judging(room).said.connect(said.append)
    judging(room).accept()
    written(qtbot, session)
    qtbot.waitUntil(lambda: session.rows[key(session, 0)].reading.status != "accepted", timeout=WAIT_MS)
    assert said[-1].startswith("scan_0 was NOT accepted")
    assert versions_of(project, key(session, 0)) == ()


def test_what_a_script_wrote_in_silence_is_in_the_log_of_the_version(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    labels_of(session)[1, 1, 1] = 2
    judging(room).accept()
    written(qtbot, session)
    (version,) = versions_of(project, key(session, 0))
    assert verify(project, version)[1, 1, 1] == 2


def test_what_somebody_else_accepted_since_is_not_taken_back(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    room.panel.accept()
    written(qtbot, session)
    theirs = accept(project, Version(reading=key(session, 0), number=0, who="ben"), labels_of(session).copy())
    with qtbot.waitSignal(judging(room).said, timeout=WAIT_MS) as said:
        judging(room).take_back()
    assert said.args == ["scan_0 is as somebody else has left it meanwhile."]
    written(qtbot, session)
    assert project.reading(key(session, 0)).version == theirs.key


def test_ids_that_the_open_labels_can_not_hold_are_never_wrapped(
    qtbot: Any, room: ReviewRoom, session: Session
) -> None:
    opened(qtbot, session, 0)
    before = labels_of(session).copy()
    large = np.full(before.shape, 70_000, np.uint32)
    for put in (judging(room).restore, judging(room).take_prediction):
        with qtbot.waitSignal(judging(room).said):
            put(large, "large")
        assert np.array_equal(labels_of(session), before)


def test_a_class_that_was_made_in_one_case_is_there_in_the_next(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    assert session.shown is not None
    give_name(session.shown.labels, 7, "cyst")
    room.panel.accept()
    written(qtbot, session)
    opened(qtbot, session, 2)
    assert session.shown is not None
    assert ("cyst", 7) in [(item.name, item.id) for item in classes_of(session.shown.labels)]


def test_a_layer_that_was_deleted_does_not_keep_the_next_case_from_being_followed(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    assert session.shown is not None
    viewer.layers.remove(session.shown.labels)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    opened(qtbot, session, 1)
    paint(session, 2, 2)
    written(qtbot, session)
    assert project.reading(key(session, 1)).status == "in review"


def test_what_a_run_of_the_persons_was_made_with_is_what_the_version_says(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    opened(qtbot, session, 0)
    case = project.cases()[0].key
    made = Foreseen(case=case, model="other 2.0", model_sha256="cd" * 32, settings={"mirror": True})
    judging(room).take_prediction(np.ones(labels_of(session).shape, np.uint8), "run", made)
    paint(session, 2, 2)
    written(qtbot, session)
    opened(qtbot, session, 1)
    opened(qtbot, session, 0)  # also after it was left
    judging(room).accept()
    written(qtbot, session)
    (version,) = versions_of(project, key(session, 0))
    assert (version.model, version.model_sha256, version.settings) == ("other 2.0", "cd" * 32, {"mirror": True})
    assert project.row(key(session, 0)).score == 0.0
    assert np.array_equal(verify(project, version), labels_of(session))
