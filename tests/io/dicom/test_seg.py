"""What is saved as DICOM-SEG lies where it was painted, and says no more of the patient than it must."""

from __future__ import annotations

import itertools
import math

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.dicom import seg as dicom_seg
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.labels import read_dicom_labels
from napari_vol3d.io.dicom.seg import write_dicom_seg
from tests.io.dicom_phantom import AXIAL, ORIGIN, SPACING, enhanced, phantom, series

CLASSES = (LabelClass(id=1, name="left \\ kidney", color="#e69f00"), LabelClass(id=3, name="Milz 脾", color="#0080ff"))
DIRECTIONS = [
    (*first, *second)
    for first, second in itertools.permutations([s * e for e in np.eye(3) for s in (1.0, -1.0)], 2)
    if abs(first @ second) < 0.5
]


def turned(orientation, degrees: float = 17) -> tuple[float, ...]:
    """The same directions, turned about two axes."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return tuple(np.concatenate([turn @ orientation[:3], turn @ orientation[3:]]))


def painted(scan: Volume, ids=(1, 3, 7), *, classes=CLASSES) -> Volume:
    """Labels on a scan, without any symmetry; the first and the last slice stay empty."""
    labels = np.random.default_rng(0).choice([0, 0, 0, *ids], scan.shape)
    axis = scan.geometry.stored.axes.index(2)
    np.moveaxis(labels, axis, 0)[[0, -1]] = 0
    return scan.with_data(labels, is_labels=True, classes=classes)


def check_against_highdicom(path, volume: Volume) -> None:
    """Let another library say where each segment lies."""
    found = hd.seg.segread(path)
    assert found.segmentation_type.value == "BINARY"
    ids = sorted({one.id for one in volume.classes} | set(np.unique(volume.data)) - {0})
    assert list(found.segment_numbers) == list(range(1, len(ids) + 1))
    for number, value in enumerate(ids, 1):
        mask = np.asarray(volume.data) == value
        if mask.any():
            one = found.get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
            affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ one.affine
            world = np.argwhere(one.array) @ affine[:3, :3].T + affine[:3, 3]
            index = np.linalg.solve(volume.geometry.affine, np.column_stack([world, np.ones(len(world))]).T)[:3].T
            np.testing.assert_allclose(index, np.rint(index), atol=0.01)
            filled = np.zeros(volume.shape, bool)
            filled[tuple(np.rint(index).astype(int).T)] = True
            np.testing.assert_array_equal(filled, mask, err_msg=f"id {value}")


@pytest.mark.parametrize("orientation", [AXIAL, turned(AXIAL), *DIRECTIONS[::3], turned(DIRECTIONS[10])])
def test_labels_come_back_on_the_scan_in_every_orientation(tmp_path, orientation):
    scan = read_dicom(series(tmp_path / "scan", orientation=tuple(orientation)))
    volume = painted(scan)
    path = write_dicom_seg(tmp_path / "scan" / "labels.dcm", volume)
    found = read_dicom_labels(path, tmp_path / "scan")
    assert found.is_labels
    assert found.data.dtype == np.uint8
    np.testing.assert_array_equal(found.data, volume.data)
    np.testing.assert_array_equal(found.geometry.affine, scan.geometry.affine)
    assert found.geometry.stored.header == scan.geometry.stored.header
    check_against_highdicom(path, volume)


@pytest.mark.parametrize("ids", [(1, 2), (2, 5), (300, 70000), (1, 2**32 - 1)])
def test_ids_names_and_colours_come_back(tmp_path, ids):
    scan = read_dicom(series(tmp_path / "scan"))
    classes = (
        LabelClass(id=ids[0], name="a name that is far longer than the 64 characters of a label " * 2, color="#010203"),
        LabelClass(id=ids[1], name="", color="#fefdfc"), LabelClass(id=max(ids) - 1 or 9, name="none", color="#00ff00"),
    )  # fmt: skip
    volume = painted(scan, ids, classes=(*{one.id: one for one in classes}.values(),))
    path = write_dicom_seg(tmp_path / "labels.dcm", volume)
    found = read_dicom_labels(path, tmp_path / "scan")
    np.testing.assert_array_equal(found.data, volume.data)
    for one in volume.classes:
        back = next(other for other in found.classes if other.id == one.id)
        assert back.name == (one.name.strip() or f"class {one.id}")
        assert back.color == one.color
    check_against_highdicom(path, volume)


def test_no_more_of_the_patient_is_copied_than_the_standard_demands(tmp_path, caplog):
    secret = "Geheim"
    series(
        tmp_path / "scan", PatientAge="077Y", PatientComments=secret, InstitutionName=secret, OperatorsName=secret,
        PatientAddress=secret, StudyDescription=secret, OtherPatientIDs=secret, DeviceSerialNumber=secret,
        PerformingPhysicianName=secret, Manufacturer=secret, PatientName="Müller Jörg", PatientSex="X",
        SpecificCharacterSet="ISO_IR 100", AccessionNumber="17",
    )  # fmt: skip
    path = write_dicom_seg(tmp_path / "labels.dcm", painted(read_dicom(tmp_path / "scan")))
    assert "Jörg" not in caplog.text
    found = pydicom.dcmread(path)
    assert secret not in str(found)
    assert not {"PatientAge", "StudyDescription", "InstitutionName"} & set(found.dir())
    assert (str(found.PatientName), found.PatientID, found.PatientSex) == ("Müller Jörg", "4711", "X")
    assert (found.StudyInstanceUID, found.AccessionNumber, found.FrameOfReferenceUID) == ("1.2.3", "17", "1.2.3.5")
    assert found.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.4"


def test_a_part_of_a_scan_lies_where_it_was_cut_out(tmp_path):
    scan = read_dicom(series(tmp_path / "scan", orientation=turned(AXIAL)))
    volume = painted(scan).cropped(Box(start=(1, 2, 1), stop=(5, 7, 6)))
    path = write_dicom_seg(tmp_path / "labels.dcm", volume)
    check_against_highdicom(path, volume)
    found = read_dicom_labels(path, tmp_path / "scan")
    assert found.shape == scan.shape
    np.testing.assert_array_equal(found.data[1:5, 2:7, 1:6], volume.data)
    assert np.count_nonzero(found.data) == np.count_nonzero(volume.data)


def test_enhanced_files_are_referred_to_by_frame(tmp_path):
    positions = np.array(ORIGIN) + np.outer([3, 0, 5, 1, 4, 2], [0, 0, SPACING[0]])
    enhanced(tmp_path / "scan" / "all.dcm", phantom(), positions)
    scan = read_dicom(tmp_path / "scan")
    volume = painted(scan)
    path = write_dicom_seg(tmp_path / "labels.dcm", volume)
    np.testing.assert_array_equal(read_dicom_labels(path, tmp_path / "scan").data, volume.data)
    check_against_highdicom(path, volume)
    frame = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence[0]
    source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
    np.testing.assert_allclose(frame.PlanePositionSequence[0].ImagePositionPatient, positions[source - 1])


def test_of_a_time_series_the_labels_lie_on_its_slices(tmp_path):
    for time in range(2):
        series(tmp_path / "scan", name=f"{time}-{{}}.dcm", TemporalPositionIdentifier=time + 1, AcquisitionNumber=1)
    scan = read_dicom(tmp_path / "scan")
    assert scan.timed
    volume = painted(scan.frame(0))
    path = write_dicom_seg(tmp_path / "labels.dcm", volume)
    np.testing.assert_array_equal(read_dicom_labels(path, tmp_path / "scan").data, volume.data)
    check_against_highdicom(path, volume)
    with pytest.raises(SaveProblem, match="one time point"):
        write_dicom_seg(tmp_path / "labels.dcm", scan)


def test_a_tilted_scan_that_was_opened_as_it_is(tmp_path):
    scan = read_dicom(series(tmp_path / "scan", shear=np.array([0, 0.2, 0])), repair=True)
    volume = painted(scan)
    path = write_dicom_seg(tmp_path / "labels.dcm", volume)
    frames = pydicom.dcmread(path)
    mask = np.zeros(0)
    for frame, pixels in zip(frames.PerFrameFunctionalGroupsSequence, frames.pixel_array, strict=True):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient) * (-1, -1, 1)
        index = np.rint(np.linalg.solve(scan.geometry.affine, [*position, 1]))[:3]
        np.testing.assert_allclose(scan.geometry.affine @ [*index, 1], [*position, 1], atol=1e-3)
        mask = np.append(mask, pixels.sum())
    assert mask.sum() == np.count_nonzero(volume.data)


def test_real_scans(shared_data, tmp_path):
    for name in ("hippocrop", "t1post_oblique", "ct_head"):
        folder = shared_data / "dicom" / name
        scan = read_dicom(folder)
        labels = np.zeros(scan.shape, np.uint8)
        quarter = tuple(slice(n // 4, n // 2 + 1) for n in scan.shape)
        labels[quarter] = 1 + (np.asarray(scan.data)[quarter] > np.median(scan.data))
        volume = scan.with_data(labels, is_labels=True)
        found = read_dicom_labels(write_dicom_seg(tmp_path / f"{name}.dcm", volume), folder)
        np.testing.assert_array_equal(found.data, labels)
        assert found.geometry.matches(scan.geometry)
        check_against_highdicom(tmp_path / f"{name}.dcm", volume)


def test_what_can_not_be_saved_is_said(tmp_path):
    folder = series(tmp_path / "scan")
    scan = read_dicom(folder)
    target = tmp_path / "labels.dcm"
    volume = painted(scan)
    elsewhere = Volume(data=volume.data, geometry=Geometry.from_spacing((1, 1, 1)), is_labels=True)
    for bad, words in (
        (elsewhere, "no DICOM scan"), (scan.with_data(np.zeros(scan.shape, int)), "no voxel is labelled"),
    ):  # fmt: skip
        with pytest.raises(SaveProblem, match=words):
            write_dicom_seg(target, bad)
    assert ".seg.nrrd" in _problem(target, elsewhere).hint
    gone = (folder / "3.dcm").read_bytes()
    (folder / "3.dcm").unlink()
    assert "gone" in _problem(target, volume).message
    (folder / "3.dcm").write_bytes(gone[:200])
    assert "damaged" in _problem(target, volume).message
    series(folder, SeriesInstanceUID=generate_uid())
    assert "changed" in _problem(target, volume).message
    series(folder, FrameOfReferenceUID=None)
    assert "frame of reference" in _problem(target, volume).message
    assert not target.exists()


def _problem(target, volume) -> SaveProblem:
    with pytest.raises(SaveProblem) as raised:
        write_dicom_seg(target, volume)
    assert raised.value.hint
    return raised.value


def test_a_save_that_reads_back_differently_is_none(tmp_path, monkeypatch):
    volume = painted(read_dicom(series(tmp_path / "scan")))
    target = write_dicom_seg(tmp_path / "labels.dcm", volume)
    before = target.read_bytes()
    numbered = dicom_seg._numbered

    def wrong(labels, classes):
        numbers = numbered(labels, classes)
        numbers[2, 3, 4] = (numbers[2, 3, 4] + 1) % 3
        return numbers

    monkeypatch.setattr(dicom_seg, "_numbered", wrong)
    with pytest.raises(SaveProblem, match="did not read back the same"):
        write_dicom_seg(target, volume)
    assert target.read_bytes() == before
