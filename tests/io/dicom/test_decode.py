"""Damaged streams are refused or give an image of the declared size, and never end the program."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, JPEGExtended12Bit, JPEGLosslessSV1

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.decode import decoded
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.planes import planes_of
from tests.io.dicom_phantom import image, save


def decode(path):
    stored = planes_of(read_header(path))[0].stored
    numbers = np.empty((stored.rows, stored.columns), stored.dtype)
    decoded(stored)(0, numbers)
    return numbers


def packed(path, numbers, syntax, stream, **fields):
    ds = image(numbers, **fields)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return save(path, ds)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_jpeg_lossless_gives_each_number_back(tmp_path, dtype):
    numbers = (np.arange(40 * 30).reshape(40, 30) * 17 % 4000 - (2000 if dtype == np.int16 else 0)).astype(dtype)
    stream = imagecodecs.jpeg8_encode(numbers.view(np.uint16), bitspersample=16, lossless=True)
    np.testing.assert_array_equal(decode(packed(tmp_path / "a.dcm", numbers, JPEGLosslessSV1, stream)), numbers)


def test_jpeg_of_twelve_bits_is_decoded(tmp_path):
    numbers = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    stream = imagecodecs.jpeg8_encode(numbers, bitspersample=12, level=98)
    path = packed(tmp_path / "a.dcm", numbers, JPEGExtended12Bit, stream, BitsStored=12, HighBit=11)
    assert np.abs(decode(path).astype(int) - numbers).max() < 60


def test_what_nothing_can_decode_is_said(tmp_path):
    numbers = np.zeros((9, 7), np.uint8)
    with pytest.raises(FileProblem, match=r"transfer syntax MPEG2 .* needs"):
        decode(packed(tmp_path / "a.dcm", numbers, MPEG2MPML, bytes(200)))


@pytest.mark.parametrize("number", [4, 5, 7, 9])
def test_mutated_streams_never_end_the_program(shared_data, tmp_path, number):
    whole = (shared_data / "dicom" / "transfer_syntaxes" / f"{number}.dcm").read_bytes()
    start = len(whole) - len(pydicom.dcmread(shared_data / "dicom" / "transfer_syntaxes" / f"{number}.dcm").PixelData)
    path, rng, refused = tmp_path / "a.dcm", np.random.default_rng(0), 0
    for turn in range(40):
        content = bytearray(whole)
        for at in rng.integers(start, start + 300 if turn % 2 else len(whole), 3):
            content[at] = rng.integers(256)
        path.write_bytes(content)
        try:
            assert decode(path).shape == (384, 384)
        except FileProblem as problem:
            refused += problem.message.count("a.dcm")
    assert refused > 3
