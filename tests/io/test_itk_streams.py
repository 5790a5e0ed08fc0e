"""Packed streams are read to their checksum, and text gives exactly the numbers that are written."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, itk_streams
from napari_vol3d.io.itk_streams import fill_numbers, header_lines, unpacked

CONTENT = bytes(range(256)) * 40 + bytes(5000)
SIZE = len(CONTENT)
HERE = Path("scan.nrrd")


def unpack(content, encoding, *, size=SIZE):
    found = bytearray(size)
    with unpacked(io.BytesIO(content), encoding) as stream:
        gate.fill(stream, found, HERE, size)
        gate.finish(stream, HERE, size)
    return bytes(found)


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [(zlib.compress, "deflate"), (gzip.compress, "deflate"), (bz2.compress, "bzip2"), (bytes, "raw")],
)
def test_what_is_packed_is_unpacked_whole(pack, encoding):
    assert unpack(pack(CONTENT), encoding) == CONTENT
    assert unpack(pack(CONTENT), encoding, size=SIZE - 1) == CONTENT[:-1]  # the last are zeros, which may be padding
    with pytest.raises(FileProblem, match="Truncated"):
        unpack(pack(CONTENT), encoding, size=SIZE + 1)
    with pytest.raises(FileProblem, match="more bytes"):
        unpack(pack(CONTENT + b"x"), encoding)


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress])
def test_a_stream_without_its_end_or_with_another_is_refused(pack):
    packed = pack(CONTENT)
    encoding = "bzip2" if pack is bz2.compress else "deflate"
    for missing in range(1, 12):
        with pytest.raises(FileProblem):
            unpack(packed[:-missing], encoding)
    if pack is zlib.compress:
        assert unpack(packed + bytes(100), encoding) == CONTENT
        with pytest.raises(FileProblem, match="more bytes"):
            unpack(packed + b"junk", encoding)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_a_stream_in_small_pieces_is_the_same(monkeypatch, chunk):
    monkeypatch.setattr(gate, "CHUNK", chunk)
    assert unpack(zlib.compress(CONTENT), "deflate") == CONTENT


@given(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1), st.sampled_from([" ", "\n", "\r\n", ", ", "\t"]))
def test_whole_numbers_come_back(values, separator):
    found = np.zeros(len(values), np.int16)
    fill_numbers(io.BytesIO(separator.join(map(str, values)).encode()), HERE, found)
    assert found.tolist() == values


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_numbers_that_are_cut_by_a_chunk_are_whole(monkeypatch, chunk):
    monkeypatch.setattr(gate, "CHUNK", chunk)
    values = [1.5, -2e-7, 3e300, 0.1, np.inf, 2.0**53]
    found = np.zeros(6)
    fill_numbers(io.BytesIO(" ".join(map(repr, values)).encode()), HERE, found)
    assert found.tolist() == values
    ids = np.zeros(2, np.uint64)
    fill_numbers(io.BytesIO(b"18446744073709551615 9007199254740993"), HERE, ids)
    assert ids.tolist() == [18446744073709551615, 9007199254740993]  # no detour through floats


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        (b"1 2 300", "u1"), (b"1 2 -1", "u1"), (b"1 2 x", "u1"), (b"1 2 3.0", "u1"), (b"1 2", "u1"), (b"1 2 3 4", "u1"),
        (b"1 2 1_0", "u1"), (b"1 2 nan", "i2"), (b"1 2 1e99", "f4"), (b"", "u1"), (b"1 2 " + b"9" * 5000, "f8"),
    ],
)  # fmt: skip
def test_text_that_is_not_these_numbers_is_refused(text, dtype):
    with pytest.raises((FileProblem, *gate.DAMAGE)):
        fill_numbers(io.BytesIO(text), HERE, np.zeros(3, dtype))


def test_headers_end(monkeypatch):
    assert list(header_lines(io.BytesIO(b"a\r\nb\n\nc"), HERE)) == ["a", "b", "", "c"]
    monkeypatch.setattr(itk_streams, "MOST_HEADER", 1000)
    for endless in (b"x" * 2000, b"xyz\n" * 500):
        with pytest.raises(FileProblem, match="does not end"):
            list(header_lines(io.BytesIO(endless), HERE))
