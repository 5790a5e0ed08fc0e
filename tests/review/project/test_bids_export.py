"""A derivative data set: names of the source, what BIDS asks to be said, and no way that tells a name."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.bids_export import bids_name, export_bids, table
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project
from tests.builders import finish, phantom, save_nifti
from tests.review.project.studies import CLASSES, MODEL, accept_labels, hippocampi, predict

SCANS = ("sub-01/ses-a/anat/sub-01_ses-a_acq-fast_T1w", "sub-02/anat/sub-02_T1w")


@pytest.fixture
def bids(tmp_path):
    """A data set with two accepted scans, and the project beside the subjects' folders."""
    root = tmp_path / "Smith lab" / "bids"
    cases = []
    for place, scan in enumerate(SCANS):
        (root / scan).parent.mkdir(parents=True)
        save_nifti(root / f"{scan}.nii.gz", phantom(seed=place)[0], spacing=(2.0, 1.0, 1.0))
        cases.append(Case(name=scan, code=scan.split("/")[0], images=(ImageRef(path=f"bids/{scan}.nii.gz"),)))
    project = Project.create(root.parent / "p.vol3d", name="p", cases=cases, classes=CLASSES, model=MODEL)
    for place, row in enumerate(project.rows()):
        made = predict(project, row.case, phantom(seed=place)[1])
        accept_labels(project, row.reading, phantom(seed=place)[1] // (1 + place), made, who="ann")
    return root, project


def test_names_are_those_of_the_source_and_the_voxels_those_accepted(bids):
    root, project = bids
    _, written = finish(export_bids(project, root))
    place = root / "derivatives/napari-vol3d"
    assert [path.relative_to(place).as_posix() for path in written] == [
        "sub-01/ses-a/anat/sub-01_ses-a_acq-fast_desc-reviewed_dseg.nii.gz",
        "sub-02/anat/sub-02_desc-reviewed_dseg.nii.gz",
    ]
    image = nib.load(written[0])
    np.testing.assert_array_equal(read_volume(written[0]).data, phantom(seed=0)[1])
    np.testing.assert_array_equal(image.affine, nib.load(root / f"{SCANS[0]}.nii.gz").affine)


def test_the_data_set_says_what_it_is(bids):
    root, project = bids
    finish(export_bids(project, root))
    place = root / "derivatives/napari-vol3d"
    said = json.loads((place / "dataset_description.json").read_text())
    assert (said["DatasetType"], said["SourceDatasets"]) == ("derivative", [{"URL": "../../"}])
    assert [by["Name"] for by in said["GeneratedBy"]] == ["napari-vol3d", MODEL["name"]]
    assert MODEL["sha256"] in said["GeneratedBy"][1]["Description"]
    lines = [line.split("\t") for line in (place / "dseg.tsv").read_text().splitlines()]
    assert lines == [
        ["index", "name", "color"], ["1", "anterior", "#E69F00"], ["2", "posterior", "#56B4E9"],
        ["3", "class 3", "#009E73"], ["7", "class 7", "#CC79A7"],
    ]  # fmt: skip
    first, second = (json.loads(path.read_text()) for path in sorted(place.glob("sub-*/**/*.json")))
    assert (first["Manual"], first["Sources"]) == (False, [f"bids:raw:{SCANS[0]}.nii.gz"])
    assert first["SpatialReference"] == first["Sources"][0]
    assert second["Manual"]


def test_a_source_elsewhere_is_not_told_by_its_path(bids, tmp_path):
    _, project = bids
    finish(export_bids(project, tmp_path / "out"))
    found = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".json", ".tsv", ".md")]
    texts = "".join(path.read_text() for path in found)
    assert len(found) == 5
    assert "Smith" not in texts
    assert "SourceDatasets" not in texts
    assert "Sources" not in texts


def test_what_is_no_bids_is_called_by_its_code(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=2, accepted=1)
    _, written = finish(export_bids(project, tmp_path))
    assert [path.name for path in written] == ["sub-case0001_desc-reviewed_dseg.nii.gz"]


def test_one_name_for_two_cases_is_refused(tmp_path):
    cases = [Case(name=code, code=code, images=(ImageRef(path=f"{code}.tif"),)) for code in ("a-1", "a1")]
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=cases)
    for row in project.rows():
        accept_labels(project, row.reading, np.ones((2, 2, 2), np.uint8), None, who="ann")
    with pytest.raises(FileProblem, match="one file"):
        next(export_bids(project, tmp_path))


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("sub-9/anat/sub-9_run-2_FLAIR.nii.gz", "sub-9_run-2_desc-reviewed_dseg"),
        ("sub-9/anat/sub-9_desc-preproc_T1w.nii.gz", "sub-9_desc-reviewed_dseg"),
        ("anywhere/sub-9_T1w.nii.gz", "sub-code1_desc-reviewed_dseg"),
        ("Smith/scan.nii.gz", "sub-code1_desc-reviewed_dseg"),
    ],
)
def test_the_entities_of_the_source_stay(path, stem):
    assert bids_name(Case(name="x", code="code-1", images=(ImageRef(path=path),)), "code-1").stem == stem


def test_a_name_of_a_class_stays_in_its_cell():
    assert "\tleft lobe\t#" in table([type(CLASSES[0])(id=4, name="left\tlobe\n", color="#000000")])


def test_labels_that_the_project_is_to_correct_are_not_replaced(bids):
    root, project = bids
    _, written = finish(export_bids(project, root))
    again = gather([root], base=root.parent).cases
    assert again[0].prior is not None
    other = Project.create(root.parent / "again.vol3d", name="again", cases=again, classes=CLASSES)
    for row in other.rows():
        accept_labels(other, row.reading, 0 * phantom(seed=0)[1], None, who="ann")
    before = [path.read_bytes() for path in written]
    with pytest.raises(SaveProblem, match="is a file of this project"):
        finish(export_bids(other, root))
    assert [path.read_bytes() for path in written] == before
    finish(export_bids(other, root.parent / "out"))


def test_a_data_set_of_somebody_else_is_left_alone(bids):
    root, project = bids
    place = root / "derivatives" / "napari-vol3d"
    place.mkdir(parents=True)
    (place / "README.md").write_text("mine")
    finish(export_bids(project, root))
    finish(export_bids(project, root))
    assert (place / "README.md").read_text() == "mine"
    (place / "dataset_description.json").write_text('{"Name": "mine"}')
    with pytest.raises(SaveProblem, match="is there already"):
        finish(export_bids(project, root))
