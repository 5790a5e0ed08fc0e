"""`review` makes a project of scans and gives out what was accepted, without a window."""

from __future__ import annotations

import json
import shutil
from importlib import import_module

import numpy as np
import pytest

from napari_vol3d.cli.review import EXPORTS, ROOM
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_model
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.records import Version
from napari_vol3d.review.project.store import Project


@pytest.fixture
def scans(shared_data, tmp_path):
    """Three real scans with labels, as a training folder has them."""
    for kind in ("images", "labels"):
        (tmp_path / "scans" / kind).mkdir(parents=True)
        for path in sorted((shared_data / "hippocampus" / kind).iterdir())[:3]:
            shutil.copy(path, tmp_path / "scans" / kind)
    return tmp_path / "scans"


@pytest.fixture
def accepted(command, scans, tmp_path):
    """A project of them in which the labels of the first are accepted as they are."""
    assert command("review", "new", tmp_path / "study", scans, "--model", "hippocampus-t1").returncode == 0
    project = Project.open(tmp_path / "study.vol3d")
    row = project.rows()[0]
    labels = np.asarray(read_volume(project.place_of(row.case.prior)).data).astype(np.uint8)
    accept(project, Version(reading=row.reading.key, number=1, who="Tellulah Tale"), labels)
    return project, labels


def test_a_project_of_scans_labels_and_a_model(command, scans, tmp_path):
    done = command("review", "new", tmp_path / "study", scans, "--model", "hippocampus-t1", "--name", "First study")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 cases, 3 with labels to correct; hippocampus-t1" in done.stdout
    project, card = Project.open(tmp_path / "study.vol3d"), find_model("hippocampus-t1").card
    assert project.name == "First study"
    assert project.classes == card.output.classes
    assert project.model == {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    assert [case.images[0].path for case in project.cases()] == [
        f"scans/images/{path.name}" for path in sorted((scans / "images").iterdir())
    ]


def test_classes_and_labels_of_ones_own(command, scans, tmp_path):
    (tmp_path / "classes.json").write_text('{"labels": {"background": 0, "left": 1, "right": 5}}')
    (scans / "labels").rename(tmp_path / "mine")
    done = command(
        "review", "new", tmp_path / "a.vol3d", scans / "images", "--classes", tmp_path / "classes.json",
        "--priors", tmp_path / "mine",
    )  # fmt: skip
    assert done.returncode == 0
    project = Project.open(tmp_path / "a.vol3d")
    assert [(item.id, item.name) for item in project.classes] == [(1, "left"), (5, "right")]
    assert all(case.prior and project.place_of(case.prior).is_file() for case in project.cases())


def test_what_is_left_out_is_said(command, scans, tmp_path):
    done = command("review", "new", tmp_path / "a.vol3d", scans, tmp_path / "gone.nii")
    assert (done.returncode, done.stderr) == (0, "napari-vol3d: There is no gone.nii.\n")


def test_refusals_have_their_codes(command, scans, tmp_path):
    (tmp_path / "text.vol3d").write_text("no project")
    for arguments, code in (
        (("new", tmp_path / "a", tmp_path / "gone"), 4),
        (("new", tmp_path / "a", scans, "--model", "nothing"), 3),
        (("new", tmp_path / "text.vol3d", scans), 4),
        (("new", tmp_path / "a"), 2),
        (("status", tmp_path / "a"), 4),
        (("predict", tmp_path / "text.vol3d"), 4),
        (("export", tmp_path / "a.vol3d", tmp_path / "out"), 4),
    ):
        done = command("review", *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert not (tmp_path / "a.vol3d").exists()
    assert (tmp_path / "text.vol3d").read_text() == "no project"


def test_status(command, accepted, tmp_path):
    done = command("review", "status", tmp_path / "study", "--json", tmp_path / "status.json")
    assert done.returncode == 0
    assert "2 todo, 1 accepted; 0 min" in done.stdout
    written = json.loads((tmp_path / "status.json").read_text())
    assert (written["cases"], written["counts"]["accepted"]) == (3, 1)
    assert "Tellulah" not in (tmp_path / "status.json").read_text()


@pytest.mark.parametrize("entry", [*EXPORTS.values(), "report:write_report"])
def test_the_verbs_are_where_they_are_looked_for(entry):
    module, function = entry.split(":")
    assert callable(getattr(import_module(f"{ROOM}.{module}"), function))


@pytest.mark.parametrize("kind", EXPORTS)
def test_exports(command, accepted, tmp_path, kind):
    project, labels = accepted
    shares = ("--validation-share", "0", "--test-share", "0")
    done = command("review", "export", project.path, tmp_path / "out", "--as", kind, *shares)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "out") in done.stdout
    found = [path for path in (tmp_path / "out").rglob("*.nii.gz") if "images" not in path.parts]
    assert len(found) == (kind != "figures")
    for path in found:
        assert np.array_equal(np.asarray(read_volume(path).data), labels)
    assert "Tellulah" not in "".join(path.read_text() for path in (tmp_path / "out").rglob("*.json"))


def test_a_report(command, accepted, tmp_path):
    done = command("review", "report", accepted[0].path, tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8").lower()


def test_nothing_is_accepted_yet(command, scans, tmp_path):
    command("review", "new", tmp_path / "study", scans)
    done = command("review", "export", tmp_path / "study", tmp_path / "out")
    assert done.returncode == 4
    assert "No labels are accepted yet" in done.stderr


def test_no_way_out_replaces_a_file_of_the_project(command, accepted, tmp_path):
    project, _ = accepted
    scan = project.place_of(project.cases()[0].images[0].path)
    (tmp_path / "link.json").symlink_to(project.path)
    for arguments, target in (
        (("report", project.path, scan), scan), (("report", project.path, project.path), project.path),
        (("status", project.path, "--json", scan), scan),
        (("status", project.path, "--json", project.path), project.path),
        (("status", project.path, "--json", tmp_path / "link.json"), project.path),
    ):
        before = target.read_bytes()
        done = command("review", *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (4, False)
        assert target.read_bytes() == before


def test_a_damaged_project_is_recovered_and_that_is_said(command, accepted):
    project, _ = accepted
    project.path.write_bytes(bytes(4096) + project.path.read_bytes()[4096:])
    done = command("review", "status", project.path)
    assert done.returncode == 0
    assert "was damaged" in done.stderr
    assert "2 todo, 1 accepted" in done.stdout
    assert command("review", "status", project.path).stderr == ""
