"""Scans in folders are told from names and first bytes; what is no scan is left out, and nothing is opened twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_vol3d.review.project.scans import is_dicom_file, is_scan, list_scans, natural

NAMES = ("b.nii.gz", "a10.nrrd", "a2.mha", "x.tif")
OTHERS = ("notes.txt", "a.json", "volumes.csv", "mesh.stl", ".hidden.nii.gz", "._b.nii.gz", "README")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_scans_are_listed_as_people_count(tmp_path):
    touch(*(tmp_path / name for name in (*NAMES, *OTHERS)))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.zarr").mkdir()
    listing = list_scans(tmp_path)
    assert [path.name for path in listing.scans] == ["a2.mha", "a10.nrrd", "b.nii.gz", "one.zarr", "x.tif"]
    assert [path.name for path in listing.folders] == ["deeper"]


@pytest.mark.parametrize("name", OTHERS[:4])
def test_tables_and_meshes_are_no_scans(tmp_path, name):
    touch(tmp_path / name)
    assert not is_scan(tmp_path / name)


def test_a_folder_of_dicom_is_one_scan(shared_data, tmp_path):
    folder = shared_data / "dicom" / "hippocrop"
    assert list_scans(folder).scans == (folder,)
    assert is_scan(folder)
    for number, path in enumerate(sorted(folder.iterdir())):  # as scanners name them
        shutil.copy(path, tmp_path / f"IM_{number:04d}")
    touch(tmp_path / "DICOMDIR", tmp_path / "readme.txt", tmp_path / "made_of_it.nii.gz")
    assert list_scans(tmp_path).scans == (tmp_path, tmp_path / "made_of_it.nii.gz")
    assert is_dicom_file(tmp_path / "IM_0003")
    assert not is_dicom_file(tmp_path / "readme.txt")


def test_a_folder_of_folders_of_dicom_is_none(shared_data):
    folder = shared_data / "dicom"
    assert not is_scan(folder)
    assert folder / "hippocrop" in list_scans(folder).folders


def test_slices_are_one_scan_and_stacks_are_many(tmp_path):
    for number in range(3):
        for name, shape in (("slices", (8, 9)), ("stacks", (4, 8, 9))):
            (tmp_path / name).mkdir(exist_ok=True)
            data = np.zeros(shape, np.uint8)
            tifffile.imwrite(tmp_path / name / f"image_{number}.tif", data, photometric="minisblack")
    assert list_scans(tmp_path / "slices").scans == (tmp_path / "slices",)
    assert len(list_scans(tmp_path / "stacks").scans) == 3


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_are_followed_and_broken_ones_are_named(tmp_path):
    touch(tmp_path / "real" / "object")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.nii.gz").symlink_to(tmp_path / "real" / "object")
    (tmp_path / "links" / "b.nii.gz").symlink_to(tmp_path / "real" / "gone")
    listing = list_scans(tmp_path / "links")
    assert ([p.name for p in listing.scans], [p.name for p in listing.closed]) == (["a.nii.gz"], ["b.nii.gz"])


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_loop_of_links_ends(tmp_path):
    touch(tmp_path / "in" / "a.nii.gz")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "other").symlink_to(tmp_path / "in")
    assert [path.name for path in list_scans(tmp_path).folders] == ["in", "other"]
    assert list_scans(tmp_path / "in").folders == ()


def test_a_folder_that_can_not_be_looked_into(tmp_path):
    listing = list_scans(tmp_path / "gone")
    assert (listing.scans, listing.closed) == ((), (tmp_path / "gone",))


def test_any_two_names_can_be_compared():
    paths = [Path(name) for name in ("2", "a", "10", "a10", "a1", "1a", "a1b2", "Ä3")]
    assert [str(p) for p in sorted(paths, key=natural)] == ["1a", "2", "10", "a", "a1", "a1b2", "a10", "Ä3"]
