"""An accepted version is never changed, says where it came from, and its history gives it bit for bit."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.review.project.accepting import (
    accept,
    accepted_versions,
    changes,
    labels_of_version,
    undo_accept,
    verify,
    version_of,
    versions_of,
)
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Foreseen, Version
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.records import Layer

SHAPE = (4, 5, 6)
DOINGS = ("paint", "undo", "accept")


def painted(labels: np.ndarray, at: int, class_id: int) -> Edit:
    after = labels[at : at + 1].copy()
    after[0, :3] = class_id
    edit = Edit.between(f"Paint {class_id}", labels[at : at + 1], after, start=(at, 0, 0))
    assert edit is not None
    return edit


def begun(project: Project, base: np.ndarray) -> tuple[str, Layer]:
    key = project.rows()[0].reading.key
    layer = Layer(scan="", name="labels", shape=SHAPE, dtype=base.dtype.name, key=key)
    project.journal.prove()
    project.journal.add_layer(layer, base=base)
    return key, layer


def test_a_version_says_who_when_how_long_and_what_was_changed(project: Project) -> None:
    base = np.zeros(SHAPE, np.uint8)
    base[2] = 2
    key, layer = begun(project, base)
    labels = base.copy()
    edit = painted(labels, 2, 1)
    token = project.journal.append(layer, edit)
    edit.apply(labels)
    project.add_seconds(key, 90.0)
    draft = Version(reading=key, number=0, who="ann", cursor=token, model="m 1.0", model_sha256="ab", settings={"a": 1})
    made = accept(project, draft, labels)
    assert (made.number, made.parent, made.seconds, made.who, made.model) == (1, None, 90.0, "ann", "m 1.0")
    assert made.changed == {"1": (18, 0), "2": (0, 18)}
    assert project.reading(key).status == "accepted"
    assert project.reading(key).version == made.key
    assert np.array_equal(labels_of_version(project, made.key), labels)
    assert np.array_equal(verify(project, made), labels)
    assert versions_of(project, key) == (made,)
    assert accepted_versions(project) == {key: made}
    project.add_seconds(key, 30.0)
    second = accept(project, draft, labels)
    assert (second.number, second.parent, second.seconds) == (2, made.key, 30.0)


def test_what_was_accepted_unchanged_is_verified_against_the_prediction(project: Project) -> None:
    row, labels = project.rows()[0], np.full(SHAPE, 3, np.uint16)
    kept = keep_prediction(project, Foreseen(case=row.case.key, model="m", model_sha256=""), labels)
    made = accept(project, Version(reading=row.reading.key, number=0, who="ann", prediction=kept.key), labels)
    assert made.changed == {}
    assert np.array_equal(verify(project, made), labels)


def test_undoing_an_accept_gives_the_status_back_and_keeps_the_version(project: Project) -> None:
    key, _ = begun(project, np.zeros(SHAPE, np.uint8))
    labels = np.zeros(SHAPE, np.uint8)
    assert undo_accept(project, key, who="ann") is None
    project.set_status(key, "flagged", who="ann")
    first = accept(project, Version(reading=key, number=0, who="ann"), labels)
    second = accept(project, Version(reading=key, number=0, who="ann"), labels)
    assert undo_accept(project, key, who="ben") == second
    assert (project.reading(key).status, project.reading(key).version) == ("accepted", first.key)
    assert undo_accept(project, key, who="ben") == first
    assert (project.reading(key).status, project.reading(key).version) == ("flagged", None)
    assert undo_accept(project, key, who="ben") is None
    assert [one.number for one in versions_of(project, key)] == [1, 2]
    assert [act.act for _, act in project.acts(key)] == ["status", "accept", "accept", "undo accept", "undo accept"]


def test_the_file_itself_refuses_to_change_a_version(project: Project) -> None:
    key, _ = begun(project, np.zeros(SHAPE, np.uint8))
    accept(project, Version(reading=key, number=0, who="ann"), np.zeros(SHAPE, np.uint8))
    for statement in ("UPDATE versions SET who = 'ben'", "DELETE FROM versions"):
        with closing(sqlite3.connect(project.path)) as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_a_history_that_gives_other_labels_is_said(project: Project) -> None:
    key, _ = begun(project, np.zeros(SHAPE, np.uint8))
    made = accept(project, Version(reading=key, number=0, who="ann"), np.ones(SHAPE, np.uint8))
    with pytest.raises(FileProblem, match="Version 1 is not what its history gives"):
        verify(project, made)


def test_what_is_not_there_is_said(project: Project) -> None:
    for ask in (version_of, labels_of_version):
        with pytest.raises(FileProblem, match="not in the project"):
            ask(project, "none")
    with pytest.raises(Vol3dError, match="not in the project"):
        accept(project, Version(reading="none", number=0, who="ann"), np.zeros(SHAPE, np.uint8))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5), st.sampled_from(DOINGS)), max_size=12))
def test_every_version_is_played_from_the_log_whatever_came_after(
    project: Project, steps: list[tuple[int, int, str]]
) -> None:
    """Undo, branches that were left, and later edits included."""
    base = np.zeros(SHAPE, np.uint8)
    made = Project.create(project.path.parent / f"{Layer(scan='', name='', shape=(), dtype='').key}.vol3d", name="x",
                          cases=project.cases()[:1])  # fmt: skip
    key, layer = begun(made, base)
    accepted = []
    for at, class_id, what in steps:
        labels = _now(made, layer, base)
        if what == "undo":
            made.journal.undo(layer)
        elif what == "paint":
            after = labels[at : at + 1].copy()
            after[0, :class_id] = class_id
            edit = Edit.between("Paint", labels[at : at + 1], after, start=(at, 0, 0))
            if edit is not None:
                made.journal.append(layer, edit)
        else:
            cursor = made.journal.line(layer).cursor
            accepted.append((accept(made, Version(reading=key, number=0, who="ann", cursor=cursor), labels), labels))
    for version, labels in accepted:
        assert np.array_equal(verify(made, version), labels)
        assert np.array_equal(labels_of_version(made, version.key), labels)


def _now(project: Project, layer: Layer, base: np.ndarray) -> np.ndarray:
    labels = base.copy()
    for edit in project.journal.edits(project.journal.line(layer).done):
        edit.apply(labels)
    return labels


def test_changes_count_both_sides() -> None:
    before, after = np.array([[[0, 1, 1, 2]]]), np.array([[[1, 1, 0, 3]]])
    assert changes(before, after) == {"1": (1, 1), "2": (0, 1), "3": (1, 0)}
