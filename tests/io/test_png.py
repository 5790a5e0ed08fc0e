"""Pixels as they stand in the file: Pillow writes them, and no bit of them changes."""

from __future__ import annotations

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.png import read_png, read_png_header

DATA = np.random.default_rng(0).integers(0, 65536, (13, 17), dtype=np.uint16)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_pictures(tmp_path, dtype):
    data = DATA.astype(dtype)
    Image.fromarray(data).save(tmp_path / "a.png")
    assert read_png_header(tmp_path / "a.png").dtype == dtype
    found = read_png(tmp_path / "a.png")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, data)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def write_bits(path, data, depth, *, kind=0, palette=b"", extra=b""):
    """Pictures of few bits a sample, that other libraries write only as they like."""
    rows = b""
    for row in data:
        bits = "".join(f"{value:0{depth}b}" for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    head = struct.pack(">IIBBBBB", data.shape[1], data.shape[0], depth, kind, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), chunk(b"PLTE", palette) if palette else b"", extra]
    chunks += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_few_bits_keep_their_values(tmp_path, depth):
    data = (DATA % (1 << depth)).astype(np.uint8)
    found = read_png(write_bits(tmp_path / "a.png", data, depth))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, data)


def test_palettes_are_read_where_they_are_grey(tmp_path):
    data = (DATA % 4).astype(np.uint8)
    grey = bytes(value for value in (0, 50, 100, 255) for _ in range(3))
    found = read_png(write_bits(tmp_path / "a.png", data, 2, kind=3, palette=grey))
    np.testing.assert_array_equal(found, np.array([0, 50, 100, 255], np.uint8)[data])
    with pytest.raises(FileProblem, match="Colours, not intensities"):
        read_png(write_bits(tmp_path / "a.png", data, 2, kind=3, palette=bytes(range(12))))


def test_colours_that_are_grey_are_read_and_others_refused(tmp_path):
    data = DATA.astype(np.uint8)
    for mode in ("RGB", "RGBA", "LA"):
        Image.fromarray(data).convert(mode).save(tmp_path / "a.png")
        np.testing.assert_array_equal(read_png(tmp_path / "a.png"), data)
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(np.dstack([DATA] * 3)))
    np.testing.assert_array_equal(read_png(tmp_path / "deep.png"), DATA)
    colours = np.dstack([data, data, data ^ 1])
    Image.fromarray(colours).save(tmp_path / "b.png")
    with pytest.raises(FileProblem, match=r"Colours, not intensities: b\.png"):
        read_png(tmp_path / "b.png")
    Image.fromarray(np.dstack([data, data])).save(tmp_path / "c.png")
    with pytest.raises(FileProblem, match=r"Transparent pixels: c\.png"):
        read_png(tmp_path / "c.png")


def test_interlaced_pictures(tmp_path):
    """Written by hand: the seven passes of Adam7, each a picture of its own."""
    data, rows = DATA.astype(np.uint8), b""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    for y, x, dy, dx in passes:
        rows += b"".join(b"\0" + row.tobytes() for row in data[y::dy, x::dx])
    head = struct.pack(">IIBBBBB", data.shape[1], data.shape[0], 8, 0, 0, 0, 1)
    chunks = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), data)


def test_every_truncation_and_every_flipped_bit_is_noticed(tmp_path):
    Image.fromarray(DATA).save(tmp_path / "a.png")
    whole, path = (tmp_path / "a.png").read_bytes(), tmp_path / "b.png"
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        with pytest.raises(FileProblem):
            read_png(path)
    for at in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(FileProblem):
            read_png(path)


def test_declared_sizes_are_checked_first(tmp_path, monkeypatch):
    data = (DATA % 2).astype(np.uint8)
    content = write_bits(tmp_path / "a.png", data, 1).read_bytes()
    for columns, rows, words in ((2**31 - 1, 2**31 - 1, "Truncated"), (0, 5, "Damaged header")):
        head = struct.pack(">IIBBBBB", columns, rows, 1, 0, 0, 0, 0)
        (tmp_path / "a.png").write_bytes(content[:8] + chunk(b"IHDR", head) + content[33:])
        with pytest.raises(FileProblem, match=words):
            read_png(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(content)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-7")
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_png(tmp_path / "a.png")


def test_other_files_are_named(tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    (tmp_path / "a.npy").rename(tmp_path / "a.png")
    with pytest.raises(FileProblem, match=r"Not a PNG picture: a\.png is a NumPy array"):
        read_png(tmp_path / "a.png")
