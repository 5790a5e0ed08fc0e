"""Headers are read up to the pixels, whose place is found in every encoding of the elements."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.header import UNDEFINED, get, inflated, is_dicom, quiet, read_header
from tests.io.dicom_phantom import image, phantom, save


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.keyword,
)  # fmt: skip
def test_the_pixels_are_where_the_header_says(tmp_path, syntax):
    pixels = phantom()[3].astype(">i2" if syntax == ExplicitVRBigEndian else "<i2")
    path = save(tmp_path / "a.dcm", image(pixels, syntax))
    header = read_header(path)
    assert (header.syntax, header.keyword, header.length) == (syntax, "PixelData", pixels.nbytes)
    content = inflated(path).getvalue() if syntax == DeflatedExplicitVRLittleEndian else path.read_bytes()
    assert content[header.offset :][: header.length] == pixels.tobytes()
    assert (header.text("Modality"), header.text("StudyDescription"), header.count("SegmentSequence")) == ("CT", "", 0)
    assert get(header.fields, "Rows") == 9


def test_files_without_pixels_have_none(tmp_path):
    header = read_header(save(tmp_path / "a.dcm", image(phantom()[0], PixelData=None)))
    assert (header.keyword, header.length) == ("", 0)
    assert header.length != UNDEFINED


def test_what_is_dicom(tmp_path):
    assert is_dicom(save(tmp_path / "a", image(phantom()[0])))
    for content in (b"", b"x" * 131, b"x" * 500, bytes(128) + b"DICN" + bytes(9)):
        (tmp_path / "b").write_bytes(content)
        assert not is_dicom(tmp_path / "b")


def test_elements_longer_than_the_file_are_refused(tmp_path):
    path = save(tmp_path / "a.dcm", image(phantom()[0]))
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x3e\x10LO")  # the series description
    path.write_bytes(content[:at] + b"\x08\x00\x3e\x10UT\0\0" + struct.pack("<I", 1 << 31) + content[at + 8 :])
    with pytest.raises(FileProblem, match="longer than the file"):
        read_header(path)


def test_a_deflated_bomb_is_given_up(tmp_path, monkeypatch):
    path = save(tmp_path / "a.dcm", image(phantom()[0], DeflatedExplicitVRLittleEndian))
    content = path.read_bytes()
    start = content.index(b"\x02\x00\x10\x00UI")
    meta = 128 + 4 + 12 + int.from_bytes(content[140:144], "little")
    assert start < meta
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(content[:meta] + packer.compress(bytes(50_000_000)) + packer.flush())
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.01")
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_header(path)
    path.write_bytes(content[: meta + 60])
    with pytest.raises(FileProblem, match="Truncated file"):
        read_header(path)


def test_pydicom_is_quiet_only_meanwhile(caplog):
    logger = logging.getLogger("pydicom")
    with quiet():
        logger.warning("a name")
        warnings.warn_explicit("odd", UserWarning, "x", 1, module="pydicom.valuerep")
    assert not caplog.text
    with pytest.warns(UserWarning, match="odd"):
        warnings.warn_explicit("odd", UserWarning, "x", 1, module="pydicom.valuerep")
    assert np.logical_not(logger.disabled)
