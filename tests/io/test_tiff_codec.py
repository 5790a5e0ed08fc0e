"""Compressed stacks read equal, and none unpacks to more than it declares."""

from __future__ import annotations

import itertools
import tracemalloc
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.tiff import read_tiff

DATA = np.random.default_rng(0).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
SMOOTH = np.add.outer(np.arange(5) * 10, np.add.outer(np.arange(48) * 2, np.arange(40))).astype(np.uint8)
GRAY = {"photometric": "minisblack"}
BOMB = bytes(50_000_000)


def peak_of(path: Path) -> tuple[int, bool]:
    """The most bytes that are held while a file is read, and whether it is refused."""
    refused = False
    tracemalloc.start()
    try:
        read_tiff(path)
    except FileProblem:
        refused = True
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, refused


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize(
    ("compression", "predictor"),
    [("packbits", False), *itertools.product(("lzw", "zstd", "zlib", "adobe_deflate", "lzma"), (False, True))],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_compressed_stacks_read_equal(tmp_path, compression, predictor, tile, dtype):
    data = DATA.astype(dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, data, compression=compression, predictor=predictor, tile=tile, rowsperstrip=7, **GRAY)
    volume = read_tiff(path)
    assert volume.data.dtype == dtype
    np.testing.assert_array_equal(volume.data, data)


@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 16}, {"tile": (32, 32)}, {"tile": (64, 64)}])
def test_jpeg_reads_as_tifffile_reads_it(tmp_path, layout):
    tifffile.imwrite(tmp_path / "a.tif", SMOOTH, compression="jpeg", compressionargs={"level": 95}, **layout, **GRAY)
    volume = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.data, tifffile.imread(tmp_path / "a.tif"))
    np.testing.assert_allclose(volume.data.astype(int), SMOOTH, atol=4)


def test_jpeg_colours_are_read(tmp_path):
    colours = np.stack([SMOOTH, 255 - SMOOTH, SMOOTH // 2], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", compression="jpeg")
    volume = read_tiff(tmp_path / "a.tif")
    assert volume.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(volume.data, tifffile.imread(tmp_path / "a.tif"))


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "lzma", "packbits"])
def test_a_segment_stops_at_its_declared_size(tmp_path, compression):
    codec = {"zlib": "deflate"}.get(compression, compression)
    encoded = b"\x81\0" * (len(BOMB) // 128) if codec == "packbits" else getattr(imagecodecs, f"{codec}_encode")(BOMB)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, iter([encoded] * 4), shape=(4, 8, 8), dtype=np.uint8, compression=compression, metadata=None, **GRAY
    )
    with tifffile.TiffFile(path) as tif:
        assert tif.pages[0].databytecounts == (len(encoded),)
    peak, _ = peak_of(path)
    assert peak < 10e6  # the four encoded segments alone are up to 3 MB
    tracemalloc.start()  # the control arm: without the declared size it unpacks all
    getattr(imagecodecs, f"{codec}_decode")(encoded)
    assert tracemalloc.get_traced_memory()[1] >= len(BOMB)
    tracemalloc.stop()


def test_a_jpeg_that_is_larger_inside_is_refused(tmp_path):
    encoded = imagecodecs.jpeg8_encode(np.zeros((6000, 6000), np.uint8))
    for data, tile in (([encoded], None), ([encoded], (16, 16))):
        path = tmp_path / "a.tif"
        options = {"compression": "jpeg", "metadata": None, "tile": tile, **GRAY}
        tifffile.imwrite(path, iter(data), shape=(8, 8), dtype=np.uint8, **options)
        with pytest.raises(FileProblem, match="holds 6000 x 6000 voxels instead of"):
            read_tiff(path)
        assert peak_of(path)[0] < 10e6


@pytest.mark.parametrize(
    "damage", [b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xda\0\4\0\0", b"not a JPEG", b"\xff\xd8\0\0\0\2"]
)
def test_a_jpeg_without_a_frame_is_refused(tmp_path, damage):
    segments = iter([damage + bytes(100)])
    tifffile.imwrite(tmp_path / "a.tif", segments, shape=(8, 8), dtype=np.uint8, compression="jpeg", **GRAY)
    with pytest.raises(FileProblem, match="JPEG segment"):
        read_tiff(tmp_path / "a.tif")


def test_huge_tiles_on_a_small_page_are_counted_as_memory(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", DATA[0], tile=(1024, 1024), compression="zlib", **GRAY)
    np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif").data, DATA[:1])
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.001")
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize(("number", "name"), [(34887, "LERC"), (34712, "JPEG2000"), (9999, "number 9999")])
def test_a_compression_that_is_not_read_is_named(tmp_path, number, name):
    tifffile.imwrite(tmp_path / "a.tif", DATA, compression="zlib", metadata=None, **GRAY)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        for page in tif.pages:
            page.tags["Compression"].overwrite(number)
    with pytest.raises(FileProblem, match=rf"Compression not supported: a\.tif uses {name}\. Save it with LZW"):
        read_tiff(tmp_path / "a.tif")
