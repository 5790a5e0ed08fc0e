"""The worklist in its file: what is kept is what comes back, whoever else writes meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.project.records import Reading, Row
from napari_vol3d.review.project.store import Project
from tests.review.project.conftest import CLASSES, MODEL, case


def keys(rows: tuple[Row, ...]) -> list[str]:
    return [row.reading.key for row in rows]


def test_a_project_comes_back_as_it_was_made(project: Project) -> None:
    found = Project.open(project.path)
    assert (found.name, found.classes, found.model) == ("study", CLASSES, MODEL)
    assert [one.code for one in found.cases()] == [f"scan_{n:03d}" for n in range(1, 5)]
    assert found.cases() == tuple(row.case for row in found.rows())
    assert {row.reading.status for row in found.rows()} == {"todo"}
    assert {row.score for row in found.rows()} == {None}


def test_the_folder_can_move(project: Project, tmp_path: Path) -> None:
    image = project.cases()[0].images[0].path
    assert project.place_of(image) == tmp_path / "study" / "images" / "scan_001.nii.gz"
    moved = shutil.move(project.path.parent, tmp_path / "elsewhere")
    assert Project.open(Path(moved) / "study.vol3d").place_of(image).parent == tmp_path / "elsewhere" / "images"


def test_what_is_no_project_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="is there already"):
        Project.create(project.path, name="x", cases=[case(1)])
    with pytest.raises(FileProblem, match="no scan"):
        Project.create(tmp_path / "empty.vol3d", name="x", cases=[])
    assert not (tmp_path / "empty.vol3d").exists()
    with pytest.raises(FileProblem, match="There is no project"):
        Project.open(tmp_path / "none.vol3d")
    Journal.open(tmp_path / "journal.vol3d")
    with pytest.raises(FileProblem, match="is not a project"):
        Project.open(tmp_path / "journal.vol3d")
    (tmp_path / "text.vol3d").write_text("no database at all, but long enough to be one" * 10)
    with pytest.raises(FileProblem, match="damaged"):
        Project.open(tmp_path / "text.vol3d")


def test_cases_are_added_behind_and_once(project: Project) -> None:
    project.add_cases([case(3), case(5)])
    assert [one.code for one in project.cases()] == [f"scan_{n:03d}" for n in range(1, 6)]
    assert len(project.rows()) == 5


def test_a_status_a_note_a_place_and_seconds_are_kept_and_told_apart(project: Project) -> None:
    first, second = keys(project.rows())[:2]
    project.set_status(first, "flagged", who="ann")
    project.set_status(first, "flagged", who="ben")  # nothing changed: nobody did anything
    project.set_note(first, "motion", who="ann")
    place = {"point": [1.0, 2.5, 3.0], "tool": "BallBrush"}
    project.keep_place(first, place)
    project.add_seconds(first, 2.5)
    project.add_seconds(first, 4.0)
    found = project.reading(first)
    assert (found.status, found.annotator, found.note, found.place, found.seconds) == (
        "flagged", "ann", "motion", place, 6.5,
    )  # fmt: skip
    assert project.reading(second).status == "todo"
    assert project.row(first).reading == found == project.rows()[0].reading
    assert [(act.act, act.who) for _, act in project.acts(first)] == [("status", "ann"), ("note", "ann")]
    assert project.acts(second) == ()


def test_readings_of_their_own_have_an_order_of_their_own_and_are_asked_for_once(project: Project) -> None:
    cases = project.cases()
    asked = [Reading(case=one.key, reader="ben", blind=True, position=9 - place) for place, one in enumerate(cases)]
    project.assign(asked, who="ann")
    project.assign([Reading(case=cases[0].key, reader="ben", blind=True)], who="ann")
    assert project.readers() == ("ben",)
    assert [row.case.code for row in project.rows("ben")] == [one.code for one in reversed(cases)]
    assert len(project.rows()) == 4
    assert [one.reader for one in project.readings_of(cases[0].key)] == ["", "ben"]


def test_what_was_done_can_not_be_changed_in_the_file(project: Project) -> None:
    project.set_status(keys(project.rows())[0], "rejected", who="ann")
    for statement in ("UPDATE acts SET who = 'ben'", "DELETE FROM acts"):
        connection = sqlite3.connect(project.path)
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute(statement)
        connection.close()


def test_what_is_not_there_is_said(project: Project) -> None:
    for ask in (project.reading, project.case, project.row):
        with pytest.raises(FileProblem, match="not in the project"):
            ask("nobody")
    with pytest.raises(FileProblem, match="not in the project"):
        project.set_status("nobody", "todo", who="ann")
    assert project.acts() == ()


WORKER = """
import sys
from pathlib import Path
from napari_vol3d.review.project.store import Project
project = Project.open(Path(sys.argv[1]))
for turn in range(20):
    for row in project.rows():
        project.add_seconds(row.reading.key, 1.0)
    project.set_note(project.rows()[int(sys.argv[2])].reading.key, f"note {sys.argv[2]} {turn}", who=sys.argv[2])
"""


def test_two_programs_lose_nothing_of_each_other(project: Project) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(project.path), str(n)]) for n in (0, 1)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    rows = project.rows()
    assert [row.reading.seconds for row in rows] == [40.0] * 4
    assert [row.reading.note for row in rows] == ["note 0 19", "note 1 19", "", ""]
    assert len(project.acts()) == 40
