"""Stored numbers become what they mean: once, exactly, in a type that holds them, in every encoding."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, npy
from napari_vol3d.io.dicom.door import read_dicom
from tests.io.dicom_phantom import enhanced, image, phantom, save, series


@pytest.fixture(autouse=True)
def in_memory(monkeypatch, small_files_are_mapped_too):
    monkeypatch.setattr(npy, "MAPPED_FROM", 512_000_000)


def stored(volume):
    return np.asarray(volume.geometry.stored.to_stored(np.asarray(volume.data))).transpose(2, 1, 0)


@pytest.mark.parametrize(
    ("slope", "inter", "lowest", "highest", "dtype"),
    [
        (1, 0, -50, 300, np.int16), (1, -1024, 0, 4095, np.int16), (1, -1024, -32768, 0, np.int32),
        (2, -1000, 0, 20000, np.int32), (2, 0, 0, 20000, np.uint16), (1, 40000, -32768, 0, np.uint16),
        (3, 5, -30000, 30000, np.int32),
        (0.5, 0, 0, 3, np.float32), (1, 0.25, 0, 3, np.float32), (-1, 0, -32768, 0, np.uint16),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lazy", [False, True])
def test_the_scaling_is_applied_once_and_never_wraps(
    tmp_path, monkeypatch, slope, inter, lowest, highest, dtype, lazy
):
    if lazy:
        monkeypatch.setattr(npy, "MAPPED_FROM", 0)
    data = np.linspace(lowest, highest, 6 * 63).round().astype(np.int16).reshape(6, 9, 7)
    volume = read_dicom(series(tmp_path, data, RescaleSlope=slope, RescaleIntercept=inter))
    np.testing.assert_array_equal(stored(volume), data.astype(np.float64) * slope + inter)
    assert volume.data.dtype.kind == np.dtype(dtype).kind or lazy
    assert lazy or volume.data.dtype == dtype


@pytest.mark.parametrize("slopes", [[1, 2, 3, 4, 5, 6], [0.1, 0.7, 0.33, 2.5, 1, 1]])
def test_slopes_that_differ_give_float32_slice_by_slice(tmp_path, slopes):
    volume = read_dicom(series(tmp_path, RescaleSlope=slopes, RescaleIntercept=0))
    assert volume.data.dtype == np.float32
    expected = (phantom() * np.array(slopes)[:, None, None]).astype(np.float32)
    np.testing.assert_allclose(stored(volume), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_each_type_of_number(tmp_path, dtype, syntax):
    data = (phantom() % 200 - (100 if dtype[0] == "i" else 0)).astype(dtype)
    volume = read_dicom(series(tmp_path, data, syntax=syntax))
    assert volume.data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stored(volume), data)


@pytest.mark.parametrize("signed", [0, 1])
def test_only_the_bits_that_count_are_read(tmp_path, signed):
    data = phantom().astype(np.uint16) | 0xA000  # an overlay in the upper bits, as old scanners kept it
    bits = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": signed}
    volume = read_dicom(series(tmp_path, data, **bits))
    assert volume.data.dtype == (np.int16 if signed else np.uint16)
    np.testing.assert_array_equal(stored(volume), phantom())
    negative = (phantom() - 200) & 0x0FFF  # twelve bits of two's complement
    if signed:
        np.testing.assert_array_equal(stored(read_dicom(series(tmp_path, negative, **bits))), phantom() - 200)


@pytest.mark.parametrize(
    "syntax", [RLELossless, JPEGLSLossless, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=lambda syntax: syntax.keyword,
)  # fmt: skip
@pytest.mark.parametrize("signed", [0, 1])
def test_each_encoding_gives_what_pydicom_gives(tmp_path, syntax, signed):
    data = phantom((4, 33, 20)).astype(np.int16 if signed else np.uint16)
    if signed:
        data -= 1000
    for index, pixels in enumerate(data):
        packed = syntax in (RLELossless, JPEGLSLossless)
        numbers = pixels if syntax.is_little_endian else pixels.astype(pixels.dtype.newbyteorder(">"))
        own = {"ImagePositionPatient": (0, 0, index), "RescaleSlope": 1, "RescaleIntercept": -5}
        ds = image(numbers, ExplicitVRLittleEndian if packed else syntax, **own)
        if packed:
            ds.compress(syntax, generate_instance_uid=False)
        save(tmp_path / f"{index}.dcm", ds)
    volume = read_dicom(tmp_path)
    np.testing.assert_array_equal(stored(volume), data.astype(int) - 5)
    judge = pydicom.dcmread(tmp_path / "2.dcm")
    np.testing.assert_array_equal(stored(volume)[2], apply_modality_lut(judge.pixel_array, judge))


def test_frames_of_a_compressed_enhanced_file(tmp_path):
    where = np.array([[0, 0, k] for k in range(6)])
    path = enhanced(tmp_path / "a.dcm", phantom(), where)
    ds = pydicom.dcmread(path)
    ds.compress(RLELossless)
    np.testing.assert_array_equal(stored(read_dicom(save(path, ds))), phantom())


def test_a_missing_decoder_is_named(tmp_path):
    folder = series(tmp_path)
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless)
        ds.file_meta.TransferSyntaxUID = HTJ2KLossless
        save(path, ds)
    with pytest.raises(FileProblem, match=r"transfer syntax High-Throughput JPEG 2000 .* needs pylibjpeg"):
        read_dicom(folder)


def test_what_does_not_fit_into_memory_is_lazy_or_refused(tmp_path, monkeypatch):
    folder = series(tmp_path)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.0000001")
    lazy = read_dicom(folder)
    assert isinstance(lazy.data, npy.LazyArray)
    with pytest.raises(FileProblem, match="Too large for memory"):
        np.asarray(lazy.data)
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(RLELossless)
        save(path, ds)
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_dicom(folder)


def test_a_file_that_changes_after_its_header_was_read_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "MAPPED_FROM", 0)
    folder = series(tmp_path)
    lazy = read_dicom(folder).data
    assert lazy[0].shape == (1, 9, 7) or lazy[0].shape == (9, 7)
    content = (folder / "0.dcm").read_bytes()
    (folder / "0.dcm").write_bytes(content[:-10])
    with pytest.raises(FileProblem, match=r"0.dcm"):
        lazy[0]
    assert lazy[3].shape == (9, 7)


def test_inverted_pictures_keep_their_numbers(tmp_path):
    volume = read_dicom(series(tmp_path, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=-2000))
    np.testing.assert_array_equal(stored(volume), phantom())
