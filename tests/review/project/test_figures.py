"""Tables and provenance: every version and deed is there, and tables read back to the figures."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.figures import export_figures
from napari_vol3d.review.project.measured import measure
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.store import Project
from tests.builders import finish
from tests.review.project.studies import IDS, MODEL, accept_labels, hippocampi, reference, spoiled


@pytest.fixture
def project(shared_data, tmp_path):
    return hippocampi(shared_data, tmp_path / "study", count=4, accepted=3)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_hold_the_figures(project, tmp_path):
    _, written = finish(export_figures(project, tmp_path / "out"))
    assert [path.name for path in written] == ["cases.csv", "classes.csv", "provenance.json"]
    _, measured = finish(measure(project))
    cases, classes = (rows_of(path) for path in written[:2])
    assert [row["status"] for row in cases] == ["accepted"] * 3 + ["flagged"]
    assert [row["annotator"] for row in cases] == ["annotator 1", "annotator 2", "annotator 1", "annotator 1"]
    assert [float(row["minutes"]) for row in cases] == [1, 2, 3, 4]
    assert (cases[3]["mean_dice"], cases[3]["added_voxels"]) == ("", "")
    items = [(one.code, item) for one in measured.accepted for item in one.classes]
    assert [(row["case"], row["class"]) for row in classes] == [(code, item.name) for code, item in items]
    for row, (_, item) in zip(classes, items, strict=True):
        for name in ("dice", "hd95_mm", "accepted_ml"):
            assert float(row[name]) == pytest.approx(getattr(item, name), rel=1e-9)


def test_provenance_has_every_version_and_every_deed(project, shared_data, tmp_path):
    first = project.rows()[0].reading
    again = accept_labels(project, first, spoiled(reference(shared_data, IDS[0]), 2), None, who="Cleo")
    _, written = finish(export_figures(project, tmp_path / "out"))
    told = json.loads(written[-1].read_text())
    assert [(v["case"], v["number"], v["parent"]) for v in told["versions"]] == [
        ("case-0001", 1, None), ("case-0001", 2, 1), ("case-0002", 1, None), ("case-0003", 1, None),
    ]  # fmt: skip
    assert told["versions"][1]["sha256"] == again.sha256
    assert told["versions"][0]["model_sha256"] == MODEL["sha256"]
    assert told["versions"][0]["settings"] == {"scheme": "halo"}
    changed = {item["id"]: (item["added"], item["removed"]) for item in told["versions"][2]["changed_voxels"]}
    truth = reference(shared_data, IDS[1])
    before = spoiled(truth, 1)
    assert changed == {i: (((truth == i) & (before != i)).sum(), ((before == i) & (truth != i)).sum()) for i in (1, 2)}
    assert len(told["acts"]) == len(project.acts())
    assert [act["version"] for act in told["acts"] if act["act"] == "accept"] == [1, 1, 1, 2]
    assert len(versions_of(project, first.key)) == 2


def test_readings_have_a_table_of_their_own(project, shared_data, tmp_path):
    project.assign([Reading(case=project.cases()[0].key, reader="Cleo", blind=True)], who="Bob")
    accept_labels(project, project.rows("Cleo")[0].reading, reference(shared_data, IDS[0]), None, who="Cleo")
    _, written = finish(export_figures(project, tmp_path / "out"))
    rows = [row for row in rows_of(tmp_path / "out/agreement.csv") if row["second"] == "annotator 3"]
    assert [(row["first"], row["dice"]) for row in rows] == [("worklist", "1"), ("worklist", "1")]
    told = json.loads((tmp_path / "out/provenance.json").read_text())
    assert [(v["reader"], v["blind"], v["who"]) for v in told["versions"]][-1] == ("annotator 3", True, "annotator 3")
    assert len(written) == 4


def test_a_project_without_anything_accepted_has_its_tables(tmp_path, project):
    empty = Project.create(tmp_path / "e.vol3d", name="e", cases=project.cases())
    finish(export_figures(empty, tmp_path / "out"))
    assert len(rows_of(tmp_path / "out/cases.csv")) == 4
    assert rows_of(tmp_path / "out/classes.csv") == []


def test_a_class_of_two_lines_stays_in_its_row(tmp_path, project):
    kept = np.full((2, 2, 2), 5, np.uint8)
    project.say("classes", [{"id": 5, "name": 'a "b",\nc', "color": "#000000"}])
    accept_labels(project, project.rows()[3].reading, kept, None, who="Bob")
    finish(export_figures(project, tmp_path / "out"))
    assert rows_of(tmp_path / "out/classes.csv")[-1]["class"] == 'a "b",c'


def test_files_of_ones_own_are_not_replaced_and_older_exports_are(tmp_path, project):
    out = tmp_path / "out"
    finish(export_figures(project, out))
    finish(export_figures(project, out))
    for name in ("cases.csv", "classes.csv", "agreement.csv", "provenance.json"):
        other = tmp_path / name.partition(".")[0]
        other.mkdir()
        (other / name).write_text("case,image\nP1,a.nii.gz\n")
        with pytest.raises(SaveProblem, match="is there already"):
            finish(export_figures(project, other))
        assert [path.name for path in other.iterdir()] == [name]
        assert (other / name).read_text() == "case,image\nP1,a.nii.gz\n"


def test_a_readings_table_is_known_again(tmp_path, project, shared_data):
    first = project.cases()[0]
    project.assign([Reading(case=first.key, reader="ann"), Reading(case=first.key, reader="ben")], who="x")
    for reader in ("ann", "ben"):
        accept_labels(project, project.rows(reader)[0].reading, reference(shared_data, IDS[0]), None, who=reader)
    for _ in range(2):
        _, written = finish(export_figures(project, tmp_path / "out"))
    assert "agreement.csv" in [path.name for path in written]
