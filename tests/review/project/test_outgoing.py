"""What exports have in common: which cases, under which names, with which classes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.review.project.accepting import undo_accept
from napari_vol3d.review.project.outgoing import (
    accepted_cases,
    file_name,
    labels_on,
    made_folder,
    refuse_ending,
    refuse_foreign,
    refuse_own_file,
    refuse_own_folder,
    refuse_twins,
    scan_of,
)
from napari_vol3d.review.project.records import Case, ImageRef
from tests.review.project.studies import accept_labels


@pytest.mark.parametrize(
    ("code", "name"), [("case-0001", "case-0001"), ("sub 1/ses 2", "sub-1-ses-2"), ("..", "case"), ("Ärzte.", "rzte")]
)
def test_a_code_becomes_a_name_of_a_file(code, name):
    assert file_name(code) == name


def test_names_that_a_system_may_take_for_one_are_refused():
    refuse_twins(["a", "b"])
    with pytest.raises(FileProblem, match="one file: A"):
        refuse_twins(["a", "A"])


def test_only_what_is_accepted_now_goes_out_in_the_order_of_the_worklist(project):
    rows = project.rows()
    for row in rows[2::-1]:
        accept_labels(project, row.reading, np.ones((2, 3, 4), np.uint8), None, who="ann")
    undo_accept(project, rows[1].reading.key, who="ann")
    accept_labels(project, rows[3].reading, np.ones((2, 3, 4), np.uint8), None, who="ann")
    project.set_status(rows[3].reading.key, "flagged", who="ann")
    assert [one.name for one in accepted_cases(project)] == ["scan_001", "scan_003"]


def test_a_series_has_time_last_and_painted_classes_a_name(project):
    labels = np.zeros((5, 2, 3, 4), np.uint8)
    labels[3, 1, 2, 1] = 9
    accept_labels(project, project.rows()[0].reading, labels, None, who="ann")
    scan = Volume(data=np.zeros((2, 3, 4, 5)), geometry=Geometry.from_spacing((1, 1, 1)), timed=True)
    volume = labels_on(scan, project, accepted_cases(project)[0])
    assert (volume.shape, volume.frames, volume.timed, volume.source) == ((2, 3, 4), 5, True, None)
    assert volume.data[1, 2, 1, 3] == 9
    assert [(item.id, item.name) for item in volume.classes] == [(1, "anterior"), (2, "posterior"), (9, "class 9")]


def test_a_scan_that_is_gone_is_said(project):
    with pytest.raises(FileProblem):
        scan_of(project, project.cases()[0])


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveProblem, match="No folder below"):
        made_folder(tmp_path / "file" / "below")
    assert made_folder(tmp_path / "a" / "b").is_dir()


def test_files_of_the_project_are_never_a_target(project, tmp_path):
    folder = project.path.parent
    (folder / "images" / "dicom").mkdir(parents=True)
    (folder / "prior.nii.gz").write_bytes(b"x")
    ref = (ImageRef(path="images/dicom"),)
    project.add_cases([Case(name="x", code="x", images=ref, prior="prior.nii.gz")])
    (tmp_path / "link.html").symlink_to(project.path)
    own = (
        project.path, folder / "study.vol3d-journal", folder / "images" / "scan_001.nii.gz", folder / "prior.nii.gz",
        folder / "images" / "dicom" / "IM_1", folder / "images" / ".." / "prior.nii.gz", tmp_path / "link.html",
    )  # fmt: skip
    for target in own:
        with pytest.raises(SaveProblem, match="is a file of this project"):
            refuse_own_file(project, tmp_path / "free.html", target)
    refuse_own_file(project, tmp_path / "free.html", folder / "images" / "free.html", folder / "scan_001.nii.gz")
    with pytest.raises(SaveProblem, match="holds scans"):
        refuse_own_folder(project, folder / "images" / "dicom")


def test_a_file_of_somebody_else_is_not_replaced(tmp_path):
    refuse_foreign(tmp_path / "none.csv", "case,")
    (tmp_path / "a.csv").write_text("case,status\n")
    refuse_foreign(tmp_path / "a.csv", "case,")
    with pytest.raises(SaveProblem, match="is no export"):
        refuse_foreign(tmp_path / "a.csv", "case,image")
    with pytest.raises(SaveProblem, match="can't be replaced"):
        refuse_foreign(tmp_path, "case")


@pytest.mark.parametrize("name", ["scan.nii.gz", "study.vol3d", "report", "html"])
def test_an_ending_says_what_is_in_a_file(tmp_path, name):
    refuse_ending(tmp_path / "a.HTML", ".html", ".htm")
    with pytest.raises(SaveProblem, match=r"must end in \.html"):
        refuse_ending(tmp_path / name, ".html", ".htm")
