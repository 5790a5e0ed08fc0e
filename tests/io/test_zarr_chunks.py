"""What lies in a Zarr folder in place of a chunk is said, and never shown as zeros."""

from __future__ import annotations

import os

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec
from zarr.storage import LocalStore

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.ome_zarr import read_zarr
from napari_vol3d.io.zarr_chunks import blosc_size, zstandard_size

DATA = np.random.default_rng(0).integers(0, 4000, (8, 20, 18), dtype=np.uint16)
SIZES = (0, 1, 255, 256, 257, 65_791, 65_792, 65_793, 3_000_000)
PACKINGS = {"blosc": BloscCodec(typesize=2), "gzip": GzipCodec(), "zstd": ZstdCodec(), "plain": None}


def write(path, packing="zstd", **options):
    codec = PACKINGS[packing]
    array = zarr.create_array(
        LocalStore(path), shape=DATA.shape, dtype=DATA.dtype, chunks=(4, 20, 18), compressors=codec, **options
    )
    array[...] = DATA
    return path


@pytest.mark.parametrize("count", SIZES)
def test_sizes_that_frames_say(count):
    content = os.urandom(min(count, 1000)).ljust(count, b"x")
    for level in (1, 9):
        assert zstandard_size(bytes(numcodecs.Zstd(level).encode(content))[:18]) == count
    if count:
        assert blosc_size(bytes(numcodecs.Blosc().encode(content))[:18]) == count
    assert zstandard_size(b"") == zstandard_size(b"\x28\xb5\x2f\xfd") == zstandard_size(content[:18]) == 0


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("options", [{}, {"shards": (8, 20, 18)}, {"zarr_format": 2}])
def test_whole_stores_are_read(tmp_path, packing, options):
    if "zarr_format" in options:
        codecs = {"blosc": numcodecs.Blosc(), "gzip": numcodecs.GZip(), "zstd": numcodecs.Zstd()}
        packed = codecs.get(packing)
        array = zarr.create_array(
            LocalStore(tmp_path / "a.zarr"), shape=DATA.shape, dtype="u2", chunks=(4, 20, 18), compressors=packed,
            zarr_format=2,
        )  # fmt: skip
        array[...] = DATA
    else:
        write(tmp_path / "a.zarr", packing, **options)
    np.testing.assert_array_equal(read_zarr(tmp_path / "a.zarr").data, DATA)
    np.testing.assert_array_equal(read_zarr(tmp_path / "a.zarr").data[5, 3:7], DATA[5, 3:7])


@pytest.mark.parametrize("options", [{}, {"shards": (8, 20, 18)}])
@pytest.mark.parametrize("what", ["a link to nothing", "a pipe", "a folder", "a link to /dev/zero"])
def test_what_is_no_regular_file_is_refused(tmp_path, what, options):
    path = write(tmp_path / "a.zarr", **options)
    chunk = path / "c" / "0" / "0" / "0"
    chunk.unlink()
    if what == "a pipe":
        os.mkfifo(chunk)  # opening it would block for ever
    elif what == "a folder":
        chunk.mkdir()
    else:
        chunk.symlink_to("/dev/zero" if "zero" in what else "gone")
    with pytest.raises(FileProblem, match=r"^Can't be read: a\.zarr \(c/0/0/0 is (no regular|a link to nothing)"):
        np.asarray(read_zarr(path).data)


def test_a_chunk_that_was_never_written_and_a_link_to_one_are_read(tmp_path):
    path = write(tmp_path / "a.zarr")
    (path / "c/0/0/0").unlink()
    (path / "c/1/0/0").rename(tmp_path / "elsewhere")
    (path / "c/1/0/0").symlink_to(tmp_path / "elsewhere")
    expected = DATA.copy()
    expected[:4] = 0
    np.testing.assert_array_equal(read_zarr(path).data, expected)


@pytest.mark.parametrize("packing", ["blosc", "zstd", "plain", "gzip"])
def test_a_chunk_of_more_than_a_chunk_is_not_unpacked(tmp_path, packing):
    path = write(tmp_path / "a.zarr", packing)
    codec = {"blosc": numcodecs.Blosc(), "zstd": numcodecs.Zstd(1)}.get(packing)
    content = bytes(codec.encode(bytes(50_000_000))) if codec else os.urandom(200_000)
    (path / "c/0/0/0").write_bytes(content)
    with pytest.raises(FileProblem, match=r"c/0/0/0 holds more than the 2,880 bytes of a chunk"):
        np.asarray(read_zarr(path).data)
