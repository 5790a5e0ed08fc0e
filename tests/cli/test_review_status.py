"""How far a project is, for people with names, for programs without."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.cli.review_status import HEADINGS, status_for_people, status_for_programs
from napari_vol3d.review.project.records import STATUSES, Case, ImageRef, Reading
from napari_vol3d.review.project.store import Project


@pytest.fixture
def project(tmp_path):
    cases = [
        Case(name=f"Maiden {n}", code=f"case-000{n}", images=(ImageRef(path=f"maiden_{n}.nii"),), subject=f"Maiden {n}")
        for n in range(1, 5)
    ]
    made = Project.create(tmp_path / "p.vol3d", name="study of Ann Otator", cases=cases)
    first, second, *_ = (row.reading.key for row in made.rows())
    made.set_status(first, "flagged", who="Ann Otator")
    made.add_seconds(first, 90.0)
    made.add_seconds(second, 30.0)
    made.set_note(first, "ask Maiden 1\nagain", who="Ann Otator")
    made.assign([Reading(case=case.key, reader="Bob") for case in made.cases()[:2]], who="Ann Otator")
    return made


def test_for_people(project):
    lines = status_for_people(project).splitlines()
    assert lines[0] == "study of Ann Otator: 4 cases"
    assert lines[1] == "3 todo, 1 flagged; 2 min"
    assert lines[3].split() == list(HEADINGS)
    assert lines[4].split()[:6] == ["case-0001", "Maiden", "1", "flagged", "Ann", "Otator"]
    assert "ask Maiden 1 again" in lines[4]
    assert lines[-1] == "Bob: 2 todo; 0 min"
    assert len(lines) == 9


def test_for_programs(project):
    text = status_for_programs(project)
    said = json.loads(text)
    assert (said["cases"], said["minutes"]) == (4, 2.0)
    assert said["counts"] == dict.fromkeys(STATUSES, 0) | {"todo": 3, "flagged": 1}
    assert said["rows"][0] == {
        "case": "case-0001", "status": "flagged", "score": None, "annotator": "annotator 1", "minutes": 1.5,
    }  # fmt: skip
    assert {name: one["cases"] for name, one in said["readers"].items()} == {"annotator 2": 2}
    for secret in ("Ann", "Bob", "Maiden", "maiden", "/"):
        assert secret not in text


def test_a_model_called_after_somebody_is_not_named(project):
    project.say("model", {"name": "Maiden net", "version": "1.0", "sha256": "ab" * 32})
    assert json.loads(status_for_programs(project))["model"] == {"name": "", "version": "1.0", "sha256": "ab" * 32}
    project.say("model", {"name": "U-Net", "version": "1.0", "sha256": "ab" * 32})
    assert json.loads(status_for_programs(project))["model"]["name"] == "U-Net"
