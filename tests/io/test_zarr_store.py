"""Arrays in folders: types, codecs, memory, and folders that are not what they should be."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.ome_zarr import read_zarr
from napari_vol3d.io.registry import read_volume
from napari_vol3d.io.zarr_store import inner, is_node, kind_of
from tests.io.zarr_phantom import DATA, SHAPE, edit, write_image


@pytest.mark.parametrize("dtype", ["?", "i1", ">u2", "<i4", "u8", "f2", ">f4", "f8"])
def test_types_and_byte_orders_of_zarr_2(tmp_path, dtype):
    data = (DATA % 2).astype(dtype)
    array = zarr.create_array(LocalStore(tmp_path / "a.zarr"), shape=SHAPE, dtype=dtype, zarr_format=2)
    array[...] = data
    found = read_zarr(tmp_path / "a.zarr").data
    assert found.dtype == found[0].dtype == data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, data)


def test_shards_are_read(tmp_path):
    array = zarr.create_array(
        LocalStore(tmp_path / "a.zarr"), shape=SHAPE, dtype="uint16", chunks=(4, 5, 6), shards=(8, 10, 18)
    )
    array[...] = DATA
    np.testing.assert_array_equal(read_zarr(tmp_path / "a.zarr").data[2:6, 3:11], DATA[2:6, 3:11])


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"compressor": {"id": "base64"}}, r"Compression not supported: a\.zarr uses base64"),
        ({"compressor": {"id": "pickle", "protocol": 5}}, "Can't be read: .*pickle"),
        ({"filters": [{"id": "delta", "dtype": "<u2"}, {"id": "pickle", "protocol": 5}]}, "uses pickle|Can't be read"),
        ({"filters": [{"id": "pickle", "protocol": 5}], "dtype": "|O"}, "Not plain numbers|Can't be read"),
    ],
)
def test_codecs_that_could_run_code_are_refused_before_a_chunk_is_read(tmp_path, part, words):
    zarr.create_array(LocalStore(tmp_path / "a.zarr"), data=DATA, zarr_format=2)
    edit(tmp_path / "a.zarr" / ".zarray", lambda content: content.update(part))
    with pytest.raises(FileProblem, match=words):
        read_zarr(tmp_path / "a.zarr")


def test_a_folder_that_goes_away_is_said_and_not_zeros(tmp_path):
    path = write_image(tmp_path / "a.zarr")
    volume = read_zarr(path)
    shutil.rmtree(path)
    with pytest.raises(FileProblem, match="It is gone"):
        volume.read(Box.of(SHAPE))


def test_more_than_memory_opens_and_gives_a_corner(tmp_path, monkeypatch):
    store = LocalStore(tmp_path / "a.zarr")
    zarr.create_array(store, shape=(60_000, 60_000, 60_000), chunks=(64, 64, 64), dtype="uint16", fill_value=7)
    volume = read_volume(tmp_path / "a.zarr")
    assert volume.shape == (60_000,) * 3
    corner = volume.read(Box(start=(59_990,) * 3, stop=(70_000,) * 3))
    assert corner.shape == (10, 10, 10)
    assert (corner == 7).all()
    with pytest.raises(FileProblem, match=r"Too large for memory: a\.zarr needs 432,000\.0 GB"):
        np.asarray(volume.data)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.0001")
    with pytest.raises(FileProblem, match="Too large for memory"):  # one chunk
        read_volume(tmp_path / "a.zarr")



def test_missing_chunks_metadata_of_zarr_2(tmp_path):
    path = write_image(tmp_path / "a.zarr", version="0.4")
    edit(path / "0" / ".zarray", lambda content: content.pop("chunks"))
    with pytest.raises(FileProblem, match="chunks"):
        read_volume(path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_nodes_are_told_by_their_files(tmp_path, version):
    path = write_image(tmp_path / "a.zarr", version=version)
    assert (kind_of(path), kind_of(path / "0")) == ("group", "array")
    assert is_node(path)
    assert not is_node(tmp_path)
    assert inner(path, "0", "array") == path / "0"
    for name, words in (("7", "Missing array: a.zarr has no '7'"), ("../b.zarr", "outside its folder")):
        with pytest.raises(FileProblem, match=words):
            inner(path, name, "array")
