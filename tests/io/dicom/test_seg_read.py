"""What other programs wrote lies where they say, and what is damaged is refused."""

from __future__ import annotations

import logging
import shutil
import zlib

import highdicom as hd
import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.labels import read_dicom_labels
from tests.io.dicom.test_seg import DIRECTIONS, turned
from tests.io.dicom_phantom import AXIAL, ORIGIN, SHAPE, SPACING, series
from tests.io.seg_phantom import COLORS, NAMES, segmentation

RNG = np.random.default_rng(0)
LABELS = RNG.choice([0, 0, 1, 2, 3], SHAPE).astype(np.uint8)  # slices, rows, columns


@pytest.fixture
def folder(tmp_path):
    return series(tmp_path / "scan", orientation=turned(AXIAL))


def stored(volume) -> np.ndarray:
    return volume.geometry.stored.to_stored(volume.data).transpose(2, 1, 0)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP", "FRACTIONAL"])
@pytest.mark.parametrize("orientation", [turned(AXIAL), *DIRECTIONS[1::7]])
def test_every_kind_in_every_orientation(tmp_path, kind, orientation):
    folder = series(tmp_path / "scan", orientation=tuple(orientation))
    path = segmentation(tmp_path / "seg.dcm", folder, LABELS, kind=kind)
    volume = read_dicom_labels(path, folder)
    np.testing.assert_array_equal(stored(volume), LABELS)
    assert volume.data.dtype == np.uint8
    assert volume.is_labels
    assert volume.geometry.stored.header == read_dicom(folder).geometry.stored.header
    assert [(one.id, one.name) for one in volume.classes] == list(enumerate(NAMES[:3], 1))
    colors = ["#" + "".join(f"{value:02x}" for value in rgb) for rgb in COLORS[:3]]
    assert [one.color for one in volume.classes] == colors


def test_fractional_counts_from_half_of_the_maximum(tmp_path, folder):
    shares = RNG.random((*SHAPE, 1))
    shares[0] = 0
    shares[1, :2, 0, 0] = 0.5, 0.4999
    for most in (255, 200):
        path = segmentation(tmp_path / "seg.dcm", folder, shares, kind="FRACTIONAL", max_fractional_value=most)
        expected = np.around(shares[..., 0] * most) * 2 >= most
        np.testing.assert_array_equal(stored(read_dicom_labels(path, folder)), expected)


@pytest.mark.parametrize("kind", ["LABELMAP", "FRACTIONAL"])
@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_frames_are_decoded(tmp_path, folder, kind, syntax):
    ds = pydicom.dcmread(segmentation(tmp_path / "seg.dcm", folder, LABELS, kind=kind))
    if syntax == RLELossless:  # GDCM's coder ends the program on frames as small as these
        ds.compress(syntax, encoding_plugin="pydicom")
    else:
        ds.PixelData = encapsulate([_packed(frame, syntax) for frame in ds.pixel_array])
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(tmp_path / "packed.dcm")
    np.testing.assert_array_equal(stored(read_dicom_labels(tmp_path / "packed.dcm", folder)), LABELS)
    ds.PixelData = ds.PixelData[:-40]
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.save_as(tmp_path / "packed.dcm")
    with pytest.raises(FileProblem):
        read_dicom_labels(tmp_path / "packed.dcm", folder)


def _packed(frame: np.ndarray, syntax: str) -> bytes:
    if syntax == JPEGLSLossless:
        return imagecodecs.jpegls_encode(frame)
    return imagecodecs.jpeg2k_encode(frame, codecformat="j2k", reversible=True)


def test_of_segments_that_overlap_the_higher_is_kept_and_the_log_says_so(tmp_path, folder, caplog):
    both = RNG.random((*SHAPE, 3)) < 0.3
    path = segmentation(tmp_path / "seg.dcm", folder, both.astype(np.uint8))
    with caplog.at_level(logging.WARNING):
        volume = read_dicom_labels(path, folder)
    np.testing.assert_array_equal(stored(volume), (both * [1, 2, 3]).max(axis=-1))
    assert f"overlap in {(both.sum(axis=-1) > 1).sum() + (both.sum(axis=-1) > 2).sum()} voxels" in caplog.text


@pytest.mark.parametrize("orientation", [AXIAL, turned(AXIAL), *DIRECTIONS[2::9]])
def test_without_its_scan_it_has_a_grid_of_its_own_with_the_planes_that_are_left_out(tmp_path, orientation):
    folder = series(tmp_path / "scan", orientation=tuple(orientation))
    scan = read_dicom(folder)
    labels = LABELS.copy()
    labels[[0, 2, 3]] = 0
    (tmp_path / "far" / "away").mkdir(parents=True)
    path = segmentation(tmp_path / "far" / "away" / "seg.dcm", folder, labels)
    volume = read_dicom_labels(path, path.parent)
    assert volume.geometry.stored.header["format"] == "dicom-seg"
    np.testing.assert_allclose(sorted(volume.geometry.spacing), sorted(scan.geometry.spacing), rtol=1e-5)
    here = np.argwhere(volume.data)
    world = here @ volume.geometry.affine[:3, :3].T + volume.geometry.affine[:3, 3]
    index = np.linalg.solve(scan.geometry.affine, np.column_stack([world, np.ones(len(world))]).T)[:3].T
    np.testing.assert_allclose(index, np.rint(index), atol=1e-3)
    found = np.zeros(scan.shape, int)
    found[tuple(np.rint(index).astype(int).T)] = volume.data[tuple(here.T)]
    np.testing.assert_array_equal(scan.geometry.stored.to_stored(found).transpose(2, 1, 0), labels)


def test_without_a_stated_distance_the_smallest_is_the_step(tmp_path, folder):
    labels = LABELS.copy()
    labels[[2, 3]] = 0
    ds = pydicom.dcmread(segmentation(tmp_path / "seg.dcm", folder, labels))
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    for stated in (None, 0, 99, 2.49999):
        measures.SpacingBetweenSlices = stated
        shutil.rmtree(tmp_path / "x" / "alone", ignore_errors=True)
        (tmp_path / "x" / "alone").mkdir(parents=True)
        ds.save_as(tmp_path / "x" / "alone" / "seg.dcm")
        volume = read_dicom_labels(tmp_path / "x" / "alone" / "seg.dcm", tmp_path / "x" / "alone")
        np.testing.assert_array_equal(np.abs(stored(volume)), labels)
        assert min(np.abs(np.array(volume.geometry.spacing) - SPACING[0])) < 1e-4


def test_beside_the_voxels_of_the_scan_it_keeps_its_own_grid(tmp_path, folder):
    """Half a voxel off, or of another size: never resampled, never moved."""
    scan = read_dicom(folder)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    grid = lps @ scan.geometry.affine
    grid[:3, 3] += grid[:3, 2] / 2
    off = hd.Volume(np.ones(scan.shape, np.uint8), grid, "PATIENT", frame_of_reference_uid="1.2.3.5")
    volume = read_dicom_labels(segmentation(tmp_path / "off.dcm", folder, off), folder)
    assert volume.geometry.stored.header["format"] == "dicom-seg"
    np.testing.assert_allclose(volume.geometry.affine, lps @ grid, atol=1e-4)
    assert (volume.data == 1).all()


def test_frames_across_the_scan_lie_on_its_voxels_too(tmp_path, folder):
    """Sagittal frames of an axial scan, running backwards."""
    scan = read_dicom(folder)
    labels = RNG.choice([0, 1, 2], scan.shape).astype(np.uint8)
    held = hd.Volume(
        labels, np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.geometry.affine, "PATIENT", frame_of_reference_uid="1.2.3.5"
    )
    for order in ((2, 0, 1), (1, 2, 0), (2, 1, 0), (0, 2, 1)):
        turned_round = held.permute_spatial_axes(order).flip_spatial([0, 2])
        volume = read_dicom_labels(segmentation(tmp_path / "seg.dcm", folder, turned_round), folder)
        assert volume.geometry.stored.header["format"] == "dicom"
        np.testing.assert_array_equal(volume.data, labels)


def test_a_deflated_file_is_read(tmp_path, folder):
    ds = pydicom.dcmread(segmentation(tmp_path / "seg.dcm", folder, LABELS))
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    plain = DicomBytesIO()
    plain.is_little_endian, plain.is_implicit_VR = True, False
    write_dataset(plain, ds)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    with (tmp_path / "packed.dcm").open("wb") as file:
        file.write(bytes(128) + b"DICM")
        write_file_meta_info(file, ds.file_meta)
        file.write(packer.compress(plain.getvalue()) + packer.flush())
    np.testing.assert_array_equal(stored(read_dicom_labels(tmp_path / "packed.dcm", folder)), LABELS)


def changed(path, **fields):
    ds = pydicom.dcmread(path)
    for name, value in fields.items():
        setattr(ds, name, value)
    changed_path = path.with_name("changed.dcm")
    ds.save_as(changed_path)
    return changed_path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Rows": 65535, "Columns": 65535}, "Truncated"), ({"Rows": 8}, "bytes"), ({"Rows": 0}, "Damaged header"),
        ({"NumberOfFrames": 999_999}, "frames"), ({"PixelData": bytes(16)}, "Truncated"),
        ({"SegmentationType": "OTHER"}, "OTHER"), ({"BitsAllocated": 8}, "8 bits"),
        ({"SegmentSequence": []}, "described"), ({"PerFrameFunctionalGroupsSequence": []}, "frames"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "No labels"),
    ],
)  # fmt: skip
def test_what_lies_about_its_size_is_refused(tmp_path, folder, fields, words):
    path = segmentation(tmp_path / "seg.dcm", folder, LABELS)
    with pytest.raises(FileProblem, match=words):
        read_dicom_labels(changed(path, **fields), folder)


def test_frames_must_name_a_segment_and_a_place(tmp_path):
    folder = series(tmp_path / "scan")
    path = segmentation(tmp_path / "seg.dcm", folder, LABELS)
    ds = pydicom.dcmread(path)
    frame = ds.PerFrameFunctionalGroupsSequence[1]
    frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9
    ds.save_as(tmp_path / "unknown.dcm")
    with pytest.raises(FileProblem, match="segment 9"):
        read_dicom_labels(tmp_path / "unknown.dcm", folder)
    frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1
    for place, words in (
        ([*ORIGIN[:2], 25e9], "Too large for memory"), ([*ORIGIN[:2], 3.0], "Irregular"),
        ([0.0, *ORIGIN[1:]], "Tilted"), ([float("inf"), 0, 0], "finite"), (None, "place"),
    ):  # fmt: skip
        if place is None:
            del frame.PlanePositionSequence
        else:
            frame.PlanePositionSequence[0].ImagePositionPatient = place
        ds.save_as(tmp_path / "lost.dcm")
        with pytest.raises(FileProblem, match=words):
            read_dicom_labels(tmp_path / "lost.dcm", folder)


def test_truncated_and_mutated_files_are_refused_or_are_finite(tmp_path, folder):
    whole = segmentation(tmp_path / "seg.dcm", folder, LABELS).read_bytes()
    path = tmp_path / "mutated.dcm"
    for share in (0.05, 0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileProblem):
            read_dicom_labels(path, folder)
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(132, len(whole), size=rng.integers(1, 6)):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            volume = read_dicom_labels(path, folder)
        except FileProblem:
            continue
        assert np.isfinite(volume.geometry.affine).all()
