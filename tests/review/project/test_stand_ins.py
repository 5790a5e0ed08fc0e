"""What takes the place of rows that were lost, and what of a row that makes no sense any more stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review import schema
from napari_vol3d.review.project import soundness
from napari_vol3d.review.project.accepting import accept, labels_of_version, versions_of
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction
from napari_vol3d.review.project.records import Version
from napari_vol3d.review.project.store import Project
from tests.review.project.worked import labels, sql, use


def test_a_lost_case_has_a_stand_in_and_its_readings_stay(worked: Path) -> None:
    lost = Project.open(worked).rows()[0]
    sql(worked, "DELETE FROM cases WHERE key = ?", lost.case.key)
    project = use(worked)
    assert project.journal.recovery is not None
    found = project.row(lost.reading.key)
    assert found.reading == lost.reading
    assert (found.case.code, found.case.name) == ("lost-1", "lost case 1")
    assert project.rows()[0].case.code == "lost-1"
    (version,) = versions_of(project, lost.reading.key)
    assert np.array_equal(labels_of_version(project, version.key), labels(1))
    assert use(worked).journal.recovery is None
    with pytest.raises(FileProblem, match="lost case 1"):
        read_volume(project.place_of(found.case.images[0].path))


def test_a_lost_case_costs_a_worklist_that_is_open_one_row(worked: Path) -> None:
    project = Project.open(worked)
    sql(worked, "DELETE FROM cases WHERE key = ?", project.cases()[2].key)
    assert len(project.rows()) == 7


def test_a_lost_reading_is_found_again_by_its_versions(worked: Path) -> None:
    first, *_, last = Project.open(worked).rows()
    for row in (first, last):
        sql(worked, "DELETE FROM readings WHERE key = ?", row.reading.key)
    project = use(worked)
    found = project.row(first.reading.key)
    assert (found.case, found.reading.status, found.reading.reader) == (first.case, "in review", "")
    assert found.reading.version == first.reading.version
    assert {row.case.code for row in project.rows()} == {f"scan_{n:03d}" for n in range(1, 9)}
    assert project.rows()[-1].reading.status == "todo"  # nothing is known of it


def test_a_lost_version_gives_way_to_the_one_before(worked: Path) -> None:
    project = Project.open(worked)
    row = project.rows()[0]
    second = accept(project, Version(reading=row.reading.key, number=0, who="ann"), labels(9))
    sql(worked, "DELETE FROM versions WHERE key = ?", second.key)
    found = use(worked).reading(row.reading.key)
    assert (found.status, found.version) == ("in review", row.reading.version)


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("UPDATE readings SET place = '{\"point' WHERE position = 1", {"place": {}}),
        ("UPDATE readings SET status = 'acceptee' WHERE position = 1", {"status": "in review"}),
        ("UPDATE readings SET seconds = 'many' WHERE position = 1", {"seconds": 0.0}),
        ("UPDATE readings SET note = x'ff00' WHERE position = 1", {"note": ""}),
        ("UPDATE cases SET images = '[[]' WHERE position = 1", {}),
        ("UPDATE cases SET name = CAST(x'fe41' AS TEXT) WHERE position = 1", {}),
        ("UPDATE predictions SET places = '{}}', settings = '['", {}),
        ("UPDATE versions SET changed = '{\"1\": 3}', settings = '1', time = 'soon'", {}),
        ("UPDATE project SET value = '[{\"ie\": 1}]' WHERE name = 'classes'", {}),
        ("UPDATE project SET value = '3' WHERE name = 'model'", {}),
        ("UPDATE project SET value = '{' WHERE name = 'protocol'", {}),
    ],
)
def test_what_is_no_sense_is_mended_and_the_rest_of_the_row_stays(worked: Path, statement: str, kept: dict) -> None:
    keys = [row.reading.key for row in Project.open(worked).rows()]
    sql(worked, statement)
    with pytest.raises(schema.JournalDamaged):
        soundness.look(worked)
    project = use(worked)
    assert project.journal.recovery is not None
    assert [row.reading.key for row in project.rows()] == keys
    for number, row in enumerate(project.rows()):
        assert len(versions_of(project, row.reading.key)) == (number < 5)
    found = project.rows()[1].reading
    assert {name: getattr(found, name) for name in kept} == kept
    assert replace(found, **kept) == found
    if prediction := newest_prediction(project, project.rows()[0].case.key):
        assert np.array_equal(labels_of_prediction(project, prediction.key), labels(0))
