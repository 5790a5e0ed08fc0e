"""A folder is walked once: images, label objects, and a count of all else."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom import scan as dicom_scan
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.scan import SEGMENTATIONS, STRUCTURES, is_labels, scan
from tests.io.dicom_phantom import image, phantom, save, series


def test_what_lies_in_a_folder(tmp_path):
    series(tmp_path / "deep" / "er")
    series(tmp_path, name="b{}", SeriesInstanceUID="1.9")
    for number, uid in enumerate((*SEGMENTATIONS, STRUCTURES)):
        own = {"SOPClassUID": uid, "PixelData": None, "SeriesInstanceUID": f"2.{number}"}
        save(tmp_path / f"l{number}", image(phantom()[0], **own))
    found = scan(tmp_path)
    assert [plane.series for plane in found.planes] == ["1.9"] * 6 + ["1.2.3.4"] * 6
    assert set(found.series) == {"1.9", "1.2.3.4"}
    assert [header.path.name for header in found.labels] == ["l0", "l1", "l2"]
    assert is_labels(read_header(tmp_path / "l2"))
    assert found.ignored == {}
    assert {plane.series for plane in scan(tmp_path, nested=False).planes} == {"1.9"}
    assert {plane.series for plane in scan(tmp_path, series="1.2.3.4").planes} == {"1.2.3.4"}


def test_hidden_folders_and_links_to_folders_are_not_entered(tmp_path):
    series(tmp_path / ".hidden")
    series(tmp_path / "inner")
    (tmp_path / "inner" / "loop").symlink_to(tmp_path)
    assert len(scan(tmp_path).planes) == 6


def test_an_image_that_ends_before_its_pixels_is_refused(tmp_path):
    series(tmp_path)
    save(tmp_path / "cut.dcm", image(phantom()[0], PixelData=None))
    with pytest.raises(FileProblem, match=r"Truncated file: cut.dcm is an image without pixels"):
        scan(tmp_path)


def test_far_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_scan, "MOST_FILES", 5)
    with pytest.raises(FileProblem, match="Too many files"):
        scan(series(tmp_path))
