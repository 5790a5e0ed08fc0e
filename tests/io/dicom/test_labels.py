"""The door: what is behind a label object, from wherever it is opened."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import dicom_parts, read_dicom
from napari_vol3d.io.dicom.labels import read_dicom_labels
from napari_vol3d.io.dicom.seg import write_dicom_seg
from tests.io.dicom_phantom import series
from tests.io.rtstruct_phantom import on_slice, rectangle, structures


@pytest.fixture
def case(tmp_path):
    """A folder with a scan, a segmentation and contours of the same voxels."""
    scan = read_dicom(series(tmp_path / "case"))
    labels = np.zeros(scan.shape, np.uint8)
    scan.geometry.stored.to_stored(labels)[1:5, 2:7, 3] = 1
    write_dicom_seg(tmp_path / "case" / "seg.dcm", scan.with_data(labels, is_labels=True))
    structures(tmp_path / "case" / "rt.dcm", {"box": [on_slice(scan, rectangle((1, 2), (4, 6)), 3)]})
    return tmp_path / "case", labels


def test_a_file_and_a_part_of_its_folder_are_the_same(case):
    folder, labels = case
    parts = dicom_parts(folder)
    assert len(parts) == 3
    for name, part in (("seg.dcm", parts[1:]), ("rt.dcm", parts[1:])):
        by_file = read_dicom(folder / name)
        by_part = [read_dicom(folder, one.key) for one in part]
        assert by_file.name in {one.name for one in by_part}
        for volume in (by_file, *by_part):
            assert volume.is_labels
            np.testing.assert_array_equal(volume.data, labels)
            assert volume.geometry.stored.header["series"] == "1.2.3.4"


def test_contours_become_a_segmentation(case, tmp_path):
    folder, labels = case
    path = write_dicom_seg(tmp_path / "again.dcm", read_dicom(folder / "rt.dcm"))
    volume = read_dicom_labels(path, folder)
    np.testing.assert_array_equal(volume.data, labels)
    assert [one.name for one in volume.classes] == ["box"]


def test_scans_and_other_files_hold_no_labels(case, tmp_path):
    folder, _ = case
    with pytest.raises(FileProblem, match="No labels"):
        read_dicom_labels(folder / "0.dcm", folder)
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(FileProblem, match="Not a DICOM file"):
        read_dicom_labels(tmp_path / "text.dcm", tmp_path)
    with pytest.raises(FileProblem, match="No such file"):
        read_dicom_labels(tmp_path / "none.dcm", tmp_path)


def test_a_scan_that_can_not_be_read_hides_no_labels(case, caplog):
    folder, labels = case
    (folder / "2.dcm").unlink()
    volume = read_dicom_labels(folder / "seg.dcm", folder)
    assert np.count_nonzero(volume.data) == np.count_nonzero(labels)
    assert volume.geometry.stored.header["format"] == "dicom-seg"
    assert "shown without their scan: Missing slice" in caplog.text
    with pytest.raises(FileProblem, match="Missing slice"):
        read_dicom_labels(folder / "rt.dcm", folder)
