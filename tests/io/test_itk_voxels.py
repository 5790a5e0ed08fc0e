"""Declared and stored voxels are the same in number, or the file is refused before anything is allocated."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.itk_voxels import Stored, read_stored
from napari_vol3d.io.metaimage import read_metaimage
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.nrrd import read_nrrd
from tests.io.itk_phantom import NOISE, mha_bytes, nrrd_bytes, save, stored

RAW = NOISE.tobytes(order="F")
READERS = {".nrrd": read_nrrd, ".mha": read_metaimage}
FILES = {
    "raw.nrrd": nrrd_bytes(NOISE),
    "gzip.nrrd": nrrd_bytes(NOISE, encoding="gzip"),
    "bzip2.nrrd": nrrd_bytes(NOISE, encoding="bzip2", body=bz2.compress(RAW)),
    "raw.mha": mha_bytes(NOISE),
    "zlib.mha": mha_bytes(NOISE, CompressedData="True", CompressedDataSize=None),
    "sized.mha": mha_bytes(NOISE, CompressedData="True"),
    "gzip.mha": mha_bytes(NOISE, CompressedData="True", body=gzip.compress(RAW, mtime=0)),
}  # fmt: skip


def read(path):
    return READERS[path.suffix](path)


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_read(tmp_path, name):
    np.testing.assert_array_equal(stored(read(save(tmp_path / name, FILES[name]))), NOISE)


@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_refused(tmp_path, name):
    whole = FILES[name]
    path = tmp_path / f"cut-{name}"
    size = len(whole)
    for kept in (1, 5, 60, size // 5, size // 2, int(size * 0.9), *range(size - 12, size)):
        with pytest.raises(FileProblem):
            read(save(path, whole[:kept]))
    if name.startswith("raw"):
        with pytest.raises(FileProblem, match=r"Truncated file: .*[\d,]+ of 2,640 bytes"):
            read(save(path, whole[:-100]))


def test_itk_gives_other_voxels_for_a_half_file(tmp_path):
    """The control arm: why ITK does not decide."""
    content = mha_bytes(NOISE, CompressedData="True")
    path = save(tmp_path / "half.mha", content[: len(content) * 3 // 4])
    with pytest.raises(FileProblem, match="Truncated"):
        read_metaimage(path)
    try:
        silent = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError:
        return
    assert not np.array_equal(silent.transpose(), NOISE)


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("raw")])
def test_flipped_bits_are_refused_or_change_nothing(tmp_path, name):
    whole, refused = FILES[name], 0
    rng = np.random.default_rng(1)
    begin = whole.index(b"\n\n") if name.endswith("nrrd") else whole.index(b"LOCAL")
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.integers(begin + 6, len(whole))] ^= 1 << rng.integers(8)
        try:
            volume = read(save(tmp_path / name, damaged))
        except FileProblem:
            refused += 1
            continue
        np.testing.assert_array_equal(stored(volume), NOISE)
    assert refused >= 50


def test_bytes_behind_the_voxels_are_padding_or_a_wrong_header(tmp_path):
    for name in ("raw.nrrd", "raw.mha", "zlib.mha"):
        path = save(tmp_path / name, FILES[name] + bytes(160))
        np.testing.assert_array_equal(stored(read(path)), NOISE)
        for behind in (b"x", bytes(5000)):
            with pytest.raises(FileProblem, match="more bytes"):
                read(save(path, FILES[name] + behind))
    small = mha_bytes(NOISE, CompressedData="True", CompressedDataSize="10", body=zlib.compress(RAW) + bytes(5000))
    with pytest.raises(FileProblem, match="more bytes"):
        read(save(tmp_path / "small.mha", small))


@pytest.mark.parametrize("sizes", ["30000 30000 30000", "1099511627776 1099511627776 1099511627776", "2000 2000 1500"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_headers_that_declare_too_much_allocate_nothing(tmp_path, sizes, encoding):
    body = {"raw": bytes(2000), "gzip": gzip.compress(bytes(2000)), "bzip2": bz2.compress(bytes(2000)), "ascii": b"1 2"}
    paths = [save(tmp_path / "a.nrrd", nrrd_bytes(NOISE, sizes=sizes, encoding=encoding, body=body[encoding]))]
    if encoding != "bzip2":
        changes = {"CompressedData": str(encoding == "gzip"), "BinaryData": str(encoding != "ascii")}
        paths.append(save(tmp_path / "a.mha", mha_bytes(NOISE, DimSize=sizes, body=body[encoding], **changes)))
    for path in paths:
        tracemalloc.start()
        with pytest.raises(FileProblem):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bz2.compress])
def test_a_bomb_is_given_up_at_the_declared_size(tmp_path, pack):
    content = pack(RAW + bytes(60_000_000))
    if pack is zlib.compress:
        path = save(tmp_path / "bomb.mha", mha_bytes(NOISE, CompressedData="True", body=content))
    else:
        encoding = "gzip" if pack is gzip.compress else "bzip2"
        path = save(tmp_path / "bomb.nrrd", nrrd_bytes(NOISE, encoding=encoding, body=content))
    tracemalloc.start()
    with pytest.raises(FileProblem, match="more bytes than the"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_memory_is_asked_for_before_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.000001")
    for name in ("gzip.nrrd", "zlib.mha"):
        with pytest.raises(FileProblem, match="Too large for memory"):
            read(save(tmp_path / name, FILES[name]))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_plain_voxels_stay_in_the_file(tmp_path, monkeypatch, name, order):
    data = NOISE.astype(f"{order}i2")
    path = save(tmp_path / name, (nrrd_bytes if name.endswith("nrrd") else mha_bytes)(data))
    eager = read(path)
    assert eager.data.dtype == np.int16
    assert isinstance(eager.data, np.memmap)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    lazy = read(path)
    assert isinstance(lazy.data, np.memmap if data.dtype.isnative else LazyArray)
    np.testing.assert_array_equal(lazy.data[2:5, ::-1], eager.data[2:5, ::-1])
    monkeypatch.delenv(gate.LIMIT_VARIABLE)
    before = path.read_bytes()
    read(path).data[...] = 0
    assert path.read_bytes() == before


def test_shares_of_several_files_make_one_volume(tmp_path):
    shares = [save(tmp_path / f"{k}.raw", RAW[k * 660 : (k + 1) * 660]) for k in range(4)]
    meant = {"dtype": np.dtype("<i2"), "shape": NOISE.shape}
    found = read_stored(tmp_path / "a.nhdr", Stored(files=tuple(shares), encoding="raw", **meant))
    np.testing.assert_array_equal(found, NOISE)
    packed = [save(tmp_path / f"{k}.gz", gzip.compress(share.read_bytes())) for k, share in enumerate(shares)]
    found = read_stored(tmp_path / "a.nhdr", Stored(files=tuple(packed), encoding="deflate", **meant))
    np.testing.assert_array_equal(found, NOISE)
    swapped = np.frombuffer(RAW, "<i2").astype(">i2").tobytes()
    big = [save(tmp_path / f"{k}.big", swapped[k * 660 : (k + 1) * 660]) for k in range(4)]
    found = read_stored(
        tmp_path / "a.nhdr", Stored(files=tuple(big), encoding="raw", dtype=np.dtype(">i2"), shape=NOISE.shape)
    )
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, NOISE)
    for files in (shares[:3], [*shares[:3], save(tmp_path / "short", RAW[:500])], []):
        with pytest.raises(FileProblem):
            read_stored(tmp_path / "a.nhdr", Stored(files=tuple(files), encoding="raw", **meant))
