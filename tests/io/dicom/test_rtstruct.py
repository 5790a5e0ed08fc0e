"""Contours are filled where they were drawn: rectangles to the voxel, circles to their area, holes stay holes."""

from __future__ import annotations

import logging

import numpy as np
import pydicom
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.labels import read_dicom_labels
from tests.io.dicom.test_seg import DIRECTIONS, turned
from tests.io.dicom_phantom import AXIAL, series
from tests.io.rtstruct_phantom import circle, on_slice, rectangle, structures

BOX = rectangle((1, 2), (4, 6))  # columns 1 to 4, rows 2 to 6


@pytest.fixture
def scan(tmp_path):
    return read_dicom(series(tmp_path / "scan"))


def drawn(tmp_path, scan, contours, **fields):
    """What is read of structures (name: list of (points, slice)), in stored order (columns, rows, slices)."""
    placed = {name: [on_slice(scan, points, index) for points, index in some] for name, some in contours.items()}
    volume = read_dicom_labels(structures(tmp_path / "rt.dcm", placed, **fields), tmp_path / "scan")
    np.testing.assert_array_equal(volume.geometry.affine, scan.geometry.affine)
    return volume, volume.geometry.stored.to_stored(volume.data)


@pytest.mark.parametrize("orientation", [AXIAL, turned(AXIAL), *DIRECTIONS[::4], turned(DIRECTIONS[7])])
def test_rectangles_fill_their_voxels_in_every_orientation(tmp_path, orientation):
    scan = read_dicom(series(tmp_path / "scan", orientation=tuple(orientation)))
    some = {"left": [(BOX, 1), (BOX, 2)], "right Ü": [(rectangle((5, 0), (6, 1)), 4)]}
    volume, stored = drawn(tmp_path, scan, some)
    expected = np.zeros((7, 9, 6), int)
    expected[1:5, 2:7, 1:3] = 1
    expected[5:7, 0:2, 4] = 2
    np.testing.assert_array_equal(stored, expected)
    assert [(one.id, one.name, one.color) for one in volume.classes] == [
        (1, "left", "#ff0000"), (2, "right Ü", "#00ff0a"),
    ]  # fmt: skip
    assert volume.is_labels
    assert volume.geometry.stored.header["files"] == scan.geometry.stored.header["files"]


def test_a_circle_has_its_area(tmp_path):
    """With pixels that are no squares: columns 0.6 mm, rows 0.8 mm apart."""
    scan = read_dicom(series(tmp_path / "scan", np.zeros((3, 120, 150), np.int16)))
    for radius in (9.0, 20.0, 33.3):
        _, stored = drawn(tmp_path, scan, {"ball": [(circle((70.3, 61.6), radius, (0.6, 0.8)), 1)]})
        assert (stored == 1).sum() * 0.6 * 0.8 == pytest.approx(np.pi * radius**2, rel=0.03)
        at = np.argwhere(stored)
        np.testing.assert_allclose(at.mean(axis=0), (70.3, 61.6, 1), atol=0.1)


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_a_contour_in_another_is_a_hole(tmp_path, kind):
    scan = read_dicom(series(tmp_path / "scan", np.zeros((2, 60, 60), np.int16)))
    rings = [(rectangle((5.5, 5.5), (40.5, 30.5)), 0), (rectangle((10.5, 10.5), (20.5, 20.5)), 0),
             (rectangle((13.5, 13.5), (15.5, 16.5)), 0), (rectangle((50, 50), (52, 52)), 0)]  # fmt: skip
    _, stored = drawn(tmp_path, scan, {"ring": rings}, kind=kind)
    expected = np.zeros((60, 60), int)
    expected[6:41, 6:31] = 1
    expected[11:21, 11:21] = 0
    expected[14:16, 14:17] = 1
    expected[50:53, 50:53] = 1
    np.testing.assert_array_equal(stored[..., 0], expected)


def test_a_keyhole_is_a_hole(tmp_path):
    scan = read_dicom(series(tmp_path / "scan", np.zeros((2, 60, 60), np.int16)))
    outer, inner = rectangle((5.5, 5.5), (40.5, 30.5)), rectangle((10.5, 10.5), (20.5, 20.5))
    keyhole = np.vstack([outer, outer[:1], inner[[0, 3, 2, 1, 0]]])
    _, stored = drawn(tmp_path, scan, {"ring": [(keyhole, 1)]})
    expected = np.zeros((60, 60), int)
    expected[6:41, 6:31] = 1
    expected[11:21, 11:21] = 0
    np.testing.assert_array_equal(stored[..., 1], expected)


def test_contours_between_slices(tmp_path, scan, caplog):
    """The nearest within half a distance counts; of several planes at one slice only the nearest; others are said."""
    small = rectangle((1, 1), (2, 2))
    some = [(BOX, 1.3), (small, 1.45), (BOX, 2.6), (BOX, -0.45), (small, -0.6), (BOX, 5.4), (BOX, 7)]
    with caplog.at_level(logging.WARNING):
        _, stored = drawn(tmp_path, scan, {"some": some})
    expected = np.zeros((7, 9, 6), int)
    for index in (1, 3, 0, 5):
        expected[1:5, 2:7, index] = 1
    np.testing.assert_array_equal(stored, expected)
    assert "3 contours that lie on no slice" in caplog.text


def test_later_structures_cover_earlier_ones_and_the_log_says_so(tmp_path, scan, caplog):
    some = {"second": [(BOX, 1)], "first": [(rectangle((3, 2), (5, 3)), 1)]}
    with caplog.at_level(logging.WARNING):
        volume, stored = drawn(tmp_path, scan, some, numbers=(9, 4))
    assert [(one.id, one.name) for one in volume.classes] == [(1, "first"), (2, "second")]
    assert (stored[1:5, 2:7, 1] == 2).all()
    assert (stored[5, 2:4, 1] == 1).all()
    assert "overlap in 4 voxels" in caplog.text


def test_points_and_open_lines_enclose_nothing(tmp_path, scan, caplog):
    path = structures(tmp_path / "rt.dcm", {"point": [on_slice(scan, BOX[:1], 1)]}, kind="POINT")
    with pytest.raises(FileProblem, match="No closed contours"):
        read_dicom_labels(path, tmp_path / "scan")
    ds = pydicom.dcmread(structures(path, {"a": [on_slice(scan, BOX, 1)], "b": [on_slice(scan, BOX[:2], 2)]}))
    open_line = pydicom.dcmread(structures(path, {"c": [on_slice(scan, BOX, 3)]}, kind="OPEN_PLANAR"))
    ds.ROIContourSequence[0].ContourSequence.append(open_line.ROIContourSequence[0].ContourSequence[0])
    ds.save_as(path)
    with caplog.at_level(logging.WARNING):
        volume = read_dicom_labels(path, tmp_path / "scan")
    assert [one.name for one in volume.classes] == ["a"]
    assert np.count_nonzero(volume.data) == 20
    assert "1 contours of the kind 'OPEN_PLANAR'" in caplog.text


def test_contours_need_their_scan(tmp_path, scan):
    contours = {"a": [on_slice(scan, BOX, 1)]}
    alone = tmp_path / "deep" / "alone"
    path = structures(alone / "rt.dcm", contours)
    with pytest.raises(FileProblem, match="Contours without their scan") as raised:
        read_dicom_labels(path, alone)
    assert "same folder" in raised.value.hint
    beside = structures(tmp_path / "rt" / "rt.dcm", contours)
    assert read_dicom_labels(beside, tmp_path / "rt").shape == scan.shape
    by_frame = structures(tmp_path / "scan" / "rt.dcm", contours, series=None)
    assert read_dicom_labels(by_frame, tmp_path / "scan").shape == scan.shape
    series(tmp_path / "scan" / "second", SeriesInstanceUID="1.2.3.77")
    with pytest.raises(FileProblem, match="Which scan"):
        read_dicom_labels(by_frame, tmp_path / "scan")
    far = structures(tmp_path / "scan" / "far.dcm", {"a": [on_slice(scan, BOX, 40)]})
    with pytest.raises(FileProblem, match="Contours beside the scan"):
        read_dicom_labels(far, tmp_path / "scan")
    other = structures(tmp_path / "scan" / "other.dcm", contours, frame="1.2.9")
    with pytest.raises(FileProblem, match="Contours beside the scan"):
        read_dicom_labels(other, tmp_path / "scan")


def test_contours_that_reach_beyond_the_scan_are_cut_there(tmp_path, scan):
    _, stored = drawn(tmp_path, scan, {"wide": [(rectangle((-5, 4), (3, 40)), 1)], "off": [(BOX + 50, 2), (BOX, 3)]})
    expected = np.zeros((7, 9, 6), int)
    expected[0:4, 4:9, 1] = 1
    expected[1:5, 2:7, 3] = 2
    np.testing.assert_array_equal(stored, expected)


def test_damaged_contours_are_refused(tmp_path, scan):
    path = structures(tmp_path / "rt.dcm", {"a": [on_slice(scan, BOX, 1)]})
    whole = path.read_bytes()
    for old, new in ((b"-30.6500", b"     nan"), (b"-30.6500", b"    1e99"), (b"-30.6500", b"      --")):
        assert old in whole
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(FileProblem):
            read_dicom_labels(path, tmp_path / "scan")
    ds = pydicom.dcmread(structures(path, {"a": [on_slice(scan, BOX, 1)]}))
    ds.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 5
    ds.save_as(path)
    with pytest.raises(FileProblem, match="5 points"):
        read_dicom_labels(path, tmp_path / "scan")
