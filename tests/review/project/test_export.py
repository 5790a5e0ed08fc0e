"""Accepted labels as files: the voxels that were accepted, where the scan lies, in its own format, with names."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from napari_vol3d.core.errors import FileProblem, SaveProblem, ScanMismatch
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume, write_labels
from napari_vol3d.review.project.export import export_files, extension_for
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project
from tests.builders import finish, phantom
from tests.review.project.studies import CLASSES, IDS, accept_labels, hippocampi


def test_what_was_accepted_is_in_the_files_on_the_grid_of_the_scan(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=4, accepted=3)
    reports, written = finish(export_files(project, tmp_path / "out"))
    assert [path.name for path in written] == ["case-0001.nii.gz", "case-0002.nii.gz", "case-0003.nii.gz"]
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    for path, number in zip(written, IDS, strict=False):
        own, scan = (nib.load(p) for p in (path, shared_data / f"hippocampus/images/hippocampus_{number:03d}.nii.gz"))
        truth = nib.load(shared_data / f"hippocampus/labels/hippocampus_{number:03d}.nii.gz")
        np.testing.assert_array_equal(np.asarray(own.dataobj), np.asarray(truth.dataobj))
        np.testing.assert_array_equal(own.affine, scan.affine)
        assert read_volume(path).classes == CLASSES
    assert [report.done for report in reports] == [0, 1, 2, 3]


@pytest.mark.parametrize("extension", [".tif", ".seg.nrrd", ".nii"])
def test_each_format_keeps_its_own(tmp_path, extension):
    project, labels = phantom_project(tmp_path, extension)
    _, (path,) = finish(export_files(project, tmp_path / "out"))
    assert path.name == "case-1" + {".nii": ".nii.gz"}.get(extension, extension)
    read = {".tif": tifffile.imread, ".nii": lambda p: np.asarray(nib.load(p).dataobj).T}.get(
        extension, lambda p: sitk.GetArrayFromImage(sitk.ReadImage(p))
    )
    found, scan = read(path), read(tmp_path / f"scan{extension}")
    assert found.shape == scan.shape
    np.testing.assert_array_equal(np.unique(found, return_counts=True), np.unique(labels, return_counts=True))
    assert {item.id: item.name for item in read_volume(path).classes} == {1: "anterior", 2: "posterior", 3: "class 3",
                                                                          7: "class 7"}  # fmt: skip
    assert read_volume(path).geometry.spacing == read_volume(tmp_path / f"scan{extension}").geometry.spacing


def test_zarr_gives_zarr(tmp_path):
    project, labels = phantom_project(tmp_path, ".ome.zarr")
    _, (path,) = finish(export_files(project, tmp_path / "out"))
    assert path.name == "case-1.ome.zarr"
    np.testing.assert_array_equal(np.asarray(read_volume(path).data), labels)


def test_a_dicom_series_gives_nifti_because_dicom_says_the_name(shared_data):
    folder = shared_data / "dicom/hippocrop"
    assert extension_for(folder, read_volume(folder)) == ".nii.gz"


def test_what_keeps_no_labels_gives_nifti(tmp_path):
    volume = Volume(data=np.zeros((1, 1, 1)), geometry=Geometry.from_spacing((1, 1, 1)))
    assert extension_for(tmp_path / "a.mha", volume) == ".nii.gz"
    assert extension_for(tmp_path / "a.nrrd", replace(volume, timed=True)) == ".nii.gz"


def test_nothing_accepted_is_said(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=1, accepted=0)
    with pytest.raises(FileProblem, match="accepted yet"):
        next(export_files(project, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_another_scan_in_the_place_of_the_reviewed_one_is_refused(tmp_path):
    project, _ = phantom_project(tmp_path, ".tif")
    tifffile.imwrite(tmp_path / "scan.tif", np.zeros((5, 6, 7), np.uint8))
    with pytest.raises(ScanMismatch, match="case-1"):
        finish(export_files(project, tmp_path / "out"))


def phantom_project(folder, extension):
    _, labels = phantom()
    volume = Volume(data=labels + np.uint8(1), geometry=Geometry.from_spacing((2.0, 1.5, 1.0)))
    write_labels(folder / f"scan{extension}", volume)
    case = Case(name="scan", code="case-1", images=(ImageRef(path=f"scan{extension}"),))
    project = Project.create(folder / "p.vol3d", name="p", cases=[case], classes=CLASSES)
    accept_labels(project, project.rows()[0].reading, labels, None, who="ann")
    return project, labels


def test_the_folder_of_the_scans_is_refused_and_they_stay(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=2, accepted=2)
    places = [project.place_of(case.images[0].path) for case in project.cases()]
    before = [place.read_bytes() for place in places]
    with pytest.raises(SaveProblem, match="holds scans of this project"):
        finish(export_files(project, places[0].parent))
    assert [place.read_bytes() for place in places] == before


def test_a_link_to_a_scan_is_not_followed(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=2, accepted=1)
    scan = project.place_of(project.cases()[0].images[0].path)
    before = scan.read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "case-0001.nii.gz").symlink_to(scan)
    with pytest.raises(SaveProblem, match="is a file of this project"):
        finish(export_files(project, tmp_path / "out"))
    assert scan.read_bytes() == before
