"""HDF5: a slice of the volume is the slice of the dataset, whatever its axes; what is not in the file is not shown."""

from __future__ import annotations

import json
import os
import shutil

import h5py
import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.hdf5 import read_hdf5
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.parts import SeveralParts

SHAPE = (7, 20, 18)
DATA = np.random.default_rng(0).integers(0, 4000, SHAPE, dtype=np.uint16)


def write(path, data=DATA, name="data", attributes=None, **options):
    with h5py.File(path, "a") as file:
        dataset = file.create_dataset(name, data=data, **options)
        dataset.attrs.update(attributes or {})
    return path


def axistags(names):
    flags = {"c": 1, "t": 8}
    axes = [{"key": n, "typeFlags": flags.get(n, 2), "resolution": 0, "description": ""} for n in names]
    return {"axistags": json.dumps({"axes": axes})}


@pytest.mark.parametrize(
    "options",
    [
        {}, {"chunks": (4, 5, 6)}, {"chunks": (4, 5, 6), "compression": "gzip", "shuffle": True},
        {"chunks": (4, 5, 6), "compression": "gzip", "fletcher32": True}, {"chunks": True, "compression": "lzf"},
        {"chunks": (4, 5, 6), "scaleoffset": 0},
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", ">i2", ">u4", "i8", "<f4", ">f8"])
def test_types_and_packings(tmp_path, options, dtype):
    if "scaleoffset" in options and np.dtype(dtype).kind not in "iu":
        options = {}
    data = (DATA % 2 if dtype == "?" else DATA % 100).astype(dtype)
    volume = read_hdf5(write(tmp_path / "a.h5", data, **options))
    assert isinstance(volume.data, LazyArray)
    assert volume.data.dtype == volume.data[0].dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(volume.data, data)
    np.testing.assert_array_equal(volume.read(Box(start=(1, -2, 3), stop=(5, 8, 99))), data[1:5, :8, 3:])
    np.testing.assert_array_equal(volume.data[2, ::-3], data[2, ::-3])
    assert (volume.geometry.unit, volume.channels, volume.is_labels) == ("pixel", (), None)


@pytest.mark.parametrize(
    ("names", "held"),
    [
        ("zyx", "zyx"), ("xyz", "zyx"), ("czyx", "zyxc"), ("zyxc", "zyxc"), ("tzyx", "zyxt"), ("tzyxc", "zyxct"),
        ("tczyx", "zyxct"), ("xyzct", "zyxct"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["axistags", "labels"])
def test_axes_by_name(tmp_path, names, held, how):
    lengths = {"t": 2, "c": 3, "z": 4, "y": 6, "x": 5}
    data = np.random.default_rng(1).integers(0, 99, [lengths[n] for n in names])
    path = write(tmp_path / "a.h5", data, attributes=axistags(names) if how == "axistags" else {})
    if how == "labels":
        with h5py.File(path, "a") as file:
            for dimension, name in zip(file["data"].dims, names, strict=True):
                dimension.label = name
    volume = read_hdf5(path)
    meant = data.transpose([names.index(n) for n in held])
    np.testing.assert_array_equal(volume.data, meant)
    np.testing.assert_array_equal(volume.data[1:3, ::-2, 4], meant[1:3, ::-2, 4])
    assert volume.timed == ("t" in names)
    assert volume.channels == (("channel 1", "channel 2", "channel 3") if "c" in names else ())


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((4, 20, 30), (0, 1, 2)), ((1, 4, 20, 30), (1, 2, 3)), ((1, 1, 4, 20, 30), (2, 3, 4)), ((18, 20, 30, 3), None),
        ((3, 18, 20, 30), (1, 2, 3, 0)), ((1, 1, 1, 1, 1), (2, 3, 4)),
    ],
)  # fmt: skip
def test_axes_without_names(tmp_path, shape, order):
    data = np.random.default_rng(1).integers(0, 99, shape, dtype=np.uint8)
    volume = read_hdf5(write(tmp_path / "a.h5", data))
    meant = data if order is None else data.transpose(*order, *(k for k in range(len(shape)) if k not in order))
    np.testing.assert_array_equal(volume.data, meant.reshape(volume.data.shape))
    assert len(volume.channels) == (3 if 3 in shape else 0)


@pytest.mark.parametrize("shape", [(18, 20, 30, 40), (2, 3, 18, 20, 30), (1, 3, 18, 20, 30)])
def test_axes_that_are_not_clear_are_refused(tmp_path, shape):
    with pytest.raises(FileProblem, match="Axes that are not clear"):
        read_hdf5(write(tmp_path / "a.h5", np.zeros(shape, np.uint8)))


def test_spacing_of_dataset_or_group_above(tmp_path):
    path = write(tmp_path / "a.h5", name="volumes/raw", attributes={"element_size_um": [2.5, 0.5, 0.25]})
    geometry = read_hdf5(path).geometry
    assert (geometry.spacing, geometry.unit, geometry.anatomical) == ((2.5, 0.5, 0.25), "um", False)
    path = write(tmp_path / "b.h5", name="volumes/raw", attributes={"element_size_um": [0.0, 1.0, 1.0]})
    assert read_hdf5(path).geometry.unit == "pixel"
    for node in ("/", "volumes"):
        with h5py.File(path, "a") as file:
            file[node].attrs["element_size_um"] = [1.0, 2.0, len(node) + 2.0]
        assert read_hdf5(path).geometry.spacing == (1, 2, len(node) + 2)


@pytest.mark.parametrize("value", ["abc", [1.0, 2.0], [1.0, np.nan, 1.0], [-1.0, 1.0, 1.0], np.ones((200, 200))])
def test_what_is_no_spacing_is_left_out(tmp_path, value):
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_dataset("raw", data=DATA).attrs["element_size_um"] = value
    assert read_hdf5(tmp_path / "a.h5").geometry.unit == "pixel"


def test_several_datasets_are_asked_about(tmp_path):
    path = tmp_path / "a.h5"
    write(path, name="volumes/raw", chunks=(4, 5, 6))
    write(path, (DATA % 3).astype(np.uint8), name="volumes/labels/cells")
    write(path, np.arange(9), name="table")
    write(path, np.zeros((4, 4)), name="picture")
    with h5py.File(path, "a") as file:
        file["again"] = file["volumes/raw"]  # a hard link: the same dataset by a second name
        file["volumes/soft"] = h5py.SoftLink("/volumes/raw")
        file["volumes/round"] = file["volumes"]
    with pytest.raises(SeveralParts) as several:
        read_hdf5(path)
    found = {part.key: part.title for part in several.value.parts}
    assert found == {
        "again": "7 x 20 x 18, uint16, in chunks of 4 x 5 x 6", "volumes/labels/cells": "7 x 20 x 18, uint8"
    }  # fmt: skip
    labels = read_hdf5(path, "volumes/labels/cells")
    np.testing.assert_array_equal(labels.data, DATA % 3)
    with pytest.raises(FileProblem, match="No part 'nothing'"):
        read_hdf5(path, "nothing")


def test_is_labels_is_left_open_but_for_raw(tmp_path):
    for name, answer in (("raw", False), ("labels", None), ("exported_data", None)):
        assert read_hdf5(write(tmp_path / f"{name}.h5", name=f"a/{name}")).is_labels is answer


def test_a_file_without_a_volume(tmp_path):
    path = write(tmp_path / "a.h5", np.zeros((4, 4)))
    write(path, np.zeros((2, 2, 2), complex), name="complex")
    with pytest.raises(FileProblem, match=r"No volume in a\.h5"):
        read_hdf5(path)
    np.save(tmp_path / "b.npy", DATA)
    shutil.move(tmp_path / "b.npy", tmp_path / "b.h5")
    with pytest.raises(FileProblem, match="is a NumPy array"):
        read_hdf5(tmp_path / "b.h5")


def linked(path, kind):
    write(path.with_name("other.h5"))
    (path.with_name("raw.bin")).write_bytes(DATA.tobytes())
    with h5py.File(path, "a") as file:
        if kind == "link":
            file["data"] = h5py.ExternalLink("other.h5", "data")
        elif kind == "storage":
            file.create_dataset("data", SHAPE, np.uint16, external=[("raw.bin", 0, DATA.nbytes)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout(SHAPE, np.uint16)
            layout[...] = h5py.VirtualSource("other.h5", "data", shape=SHAPE)
            file.create_virtual_dataset("data", layout)


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_voxels_in_other_files_are_refused(tmp_path, kind):
    path = tmp_path / "a.h5"
    linked(path, kind)
    with pytest.raises(FileProblem, match=r"^Voxels in other files: a\.h5"):
        read_hdf5(path)
    write(path, name="own")
    with pytest.raises(SeveralParts, match="2 volumes"):
        read_hdf5(path)
    np.testing.assert_array_equal(read_hdf5(path, "own").data, DATA)
    with pytest.raises(FileProblem, match="Voxels in other files"):
        read_hdf5(path, "data")


def test_a_soft_link_through_another_file_is_no_volume(tmp_path):
    write(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["away"] = h5py.ExternalLink("other.h5", "/")
        file["data"] = h5py.SoftLink("/away/data")
    with pytest.raises(FileProblem, match="Voxels in other files"):
        read_hdf5(tmp_path / "a.h5")


def test_more_than_memory_opens_and_gives_a_corner(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        huge = file.create_dataset("data", (60_000,) * 3, np.uint16, chunks=(64, 64, 64), compression="gzip")
        huge[:64, :64, :64] = 7
    volume = read_hdf5(tmp_path / "a.h5")
    corner = volume.read(Box(start=(60, 60, 60), stop=(70, 70, 70)))
    assert (corner[:4, :4, :4] == 7).all()
    assert corner.sum() == 7 * 64
    with pytest.raises(FileProblem, match=r"Too large for memory: a\.h5 needs 432,000\.0 GB"):
        np.asarray(volume.data)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "0.0001")
    with pytest.raises(FileProblem, match="Too large for memory"):  # one chunk
        read_hdf5(tmp_path / "a.h5")


def test_the_file_is_closed_and_another_one_is_noticed(tmp_path):
    path = write(tmp_path / "a.h5", chunks=(4, 5, 6))
    volume = read_hdf5(path)
    with h5py.File(path, "r+"):  # would fail if a reader held it
        pass
    os.utime(path, ns=(1, 1))
    with pytest.raises(FileProblem, match=r"The file was changed: a\.h5"):
        volume.data[0]
    path.unlink()
    with pytest.raises(FileProblem, match="No such file"):
        volume.data[0]


def test_every_truncation_is_refused(tmp_path):
    path = write(tmp_path / "a.h5", chunks=(4, 5, 6), compression="gzip")
    whole = path.read_bytes()
    for length in range(1, len(whole), len(whole) // 40):
        path.write_bytes(whole[:length])
        with pytest.raises(FileProblem):
            read_hdf5(path)
    path.write_bytes(whole[:-1])
    with pytest.raises(FileProblem, match=r"^Truncated file"):
        read_hdf5(path)


def test_mutated_files_are_refused_or_read(tmp_path):
    rng, read = np.random.default_rng(0), 0
    whole = write(tmp_path / "a.h5", DATA[:4, :8, :8], chunks=(2, 4, 8), compression="gzip").read_bytes()
    path = tmp_path / "mutated.h5"
    for _ in range(150):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), size=rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            volume = read_hdf5(path)
            assert np.isfinite(volume.geometry.affine).all()
            found = volume.read(Box(start=(0, 0, 0), stop=(4, 8, 8)))
        except FileProblem:
            continue
        assert found.ndim in (3, 4)
        read += 1
    assert read > 20
