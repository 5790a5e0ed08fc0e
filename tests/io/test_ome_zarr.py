"""Zarr folders: whoever wrote them, a slice of the volume is the slice of the array; damage is one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.ome_zarr import label_paths, read_levels, read_zarr
from napari_vol3d.io.registry import is_volume_file, label_name, read_volume, stem
from napari_vol3d.io.times import time_step
from tests.io.zarr_phantom import DATA, SCALE, SHAPE, SHIFT, axes_of, edit, write_image


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_is_read_lazily_at_its_finest_level(tmp_path, version):
    volume = read_volume(write_image(tmp_path / "scan.ome.zarr", version=version))
    assert not isinstance(volume.data, np.ndarray)
    assert (volume.data.shape, volume.data.dtype, volume.data.ndim) == (SHAPE, np.uint16, 3)
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.geometry.spacing == tuple(SCALE)
    assert volume.geometry.origin == tuple(SHIFT[::-1])
    assert (volume.geometry.unit, volume.geometry.anatomical) == ("um", False)
    assert (volume.name, volume.is_labels, volume.classes) == ("scan", False, ())
    assert volume.source == tmp_path / "scan.ome.zarr"


def test_a_box_reads_its_own_chunks_only(tmp_path):
    path = write_image(tmp_path / "scan.zarr")
    volume = read_zarr(path)
    box = Box(start=(1, 2, 3), stop=(5, 8, 8))
    for chunk in (path / "0" / "c").rglob("*"):
        if chunk.is_file() and chunk.relative_to(path / "0" / "c") != Path("0/0/0"):
            chunk.write_bytes(b"no chunk")
    np.testing.assert_array_equal(volume.read(box), DATA[box.slices])
    with pytest.raises(FileProblem, match=r"Can't be read: scan\.zarr"):
        volume.read(box.grown((9, 9, 9)))


@pytest.mark.parametrize(
    ("names", "held", "channels"),
    [
        ("zyx", "zyx", 0), ("xyz", "zyx", 0), ("czyx", "zyxc", 3), ("zyxc", "zyxc", 3), ("zcyx", "zyxc", 3),
        ("tzyx", "zyxt", 0), ("tczyx", "zyxct", 3), ("cxzy", "zyxc", 3), ("zyxtc", "zyxct", 3),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [1, 2])
def test_axes_in_every_order(tmp_path, names, held, channels, times):
    lengths = {"t": times, "c": 3, "z": 4, "y": 6, "x": 5}
    data = np.random.default_rng(1).integers(0, 99, [lengths[n] for n in names], dtype=np.int16)
    spacings = {"z": 2.5, "y": 0.5, "x": 0.25}
    transforms = [{"type": "scale", "scale": [spacings.get(n, 7.0) for n in names]}]
    omero = {"channels": [{"label": f"dye {i}"} for i in range(3)]}
    volume = read_zarr(
        write_image(tmp_path / "a.zarr", data, axes=axes_of(names), transforms=transforms, omero=omero)
    )
    meant = data.transpose([names.index(n) for n in held])
    meant = meant[..., 0] if held[-1] == "t" and times == 1 else meant
    np.testing.assert_array_equal(volume.data, meant)
    np.testing.assert_array_equal(volume.data[1:3, ::-2, 4], meant[1:3, ::-2, 4])
    assert volume.geometry.spacing == (2.5, 0.5, 0.25)
    assert volume.channels == tuple(f"dye {i}" for i in range(channels))
    timed = "t" in names and times > 1
    assert (volume.timed, volume.frames) == (timed, times if timed else 1)
    for frame in range(volume.frames):
        one = meant[..., frame] if volume.timed else meant
        np.testing.assert_array_equal(volume.frame(frame).data[1:3, ::-2, 4], one[1:3, ::-2, 4])


@pytest.mark.parametrize(("unit", "step"), [("millisecond", 0.5), ("minute", 30000.0), (None, None), ("parsec", None)])
def test_the_step_of_a_series(tmp_path, unit, step):
    axes = [{"name": "t", "type": "time", **({"unit": unit} if unit else {})}, *axes_of("zyx")]
    transforms = [{"type": "scale", "scale": [500.0, *SCALE]}]
    volume = read_zarr(write_image(tmp_path / "a.zarr", np.stack([DATA, DATA]), axes=axes, transforms=transforms))
    assert time_step(volume) == step
    assert volume.geometry.spacing == tuple(SCALE)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_levels_lie_where_the_image_lies(tmp_path, version):
    path = write_image(tmp_path / "scan.zarr", version=version)
    finest, coarse = read_levels(path)
    assert isinstance(coarse.data, LazyArray)
    np.testing.assert_array_equal(finest.data, DATA)
    np.testing.assert_array_equal(coarse.data, DATA[::2, ::2, ::2])
    assert coarse.geometry.spacing == tuple(2 * s for s in SCALE)
    assert coarse.geometry.origin == finest.geometry.origin == tuple(SHIFT[::-1])
    assert len(read_levels(path / "0")) == 1


def test_levels_without_sizes_share_the_image_by_their_shapes(tmp_path):
    path = write_image(tmp_path / "a.zarr", DATA[:6], transforms=[], coarse=[])
    finest, coarse = read_levels(path)
    assert finest.geometry.spacing == (1, 1, 1)
    np.testing.assert_allclose(coarse.geometry.spacing, (2, 2, 2))


@pytest.mark.parametrize(
    "coarse",
    [
        [{"type": "scale", "scale": [3 * s for s in SCALE]}, {"type": "translation", "translation": SHIFT}],
        [{"type": "scale", "scale": [2 * s for s in SCALE]}],
    ],
)
def test_levels_that_show_something_else_are_refused(tmp_path, coarse):
    path = write_image(tmp_path / "a.zarr", coarse=coarse)
    with pytest.raises(FileProblem, match="Levels that do not fit"):
        read_levels(path)
    np.testing.assert_array_equal(read_zarr(path).data, DATA)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (np.zeros((4, 10, 9), np.uint8), "do not fit"), (np.zeros((2, 4, 10, 9), np.uint16), "names 3 axes"),
        (np.zeros((8, 40, 36), np.uint16), "do not fit"), (None, "Missing array"),
    ],
)  # fmt: skip
def test_levels_of_another_kind_are_refused(tmp_path, level, words):
    path = write_image(tmp_path / "a.zarr")
    shutil.rmtree(path / "1")
    if level is not None:
        zarr.create_array(LocalStore(path / "1"), data=level)
    with pytest.raises(FileProblem, match=words):
        read_levels(path)


def test_labels_of_an_image_are_listed(tmp_path):
    path = write_image(tmp_path / "scan.zarr")
    assert label_paths(path) == ()
    cells = write_image(path / "labels" / "cells")
    zarr.create_group(LocalStore(path / "labels"), attributes={"ome": {"labels": ["cells", "lost"]}}, overwrite=False)
    assert label_paths(path) == (cells,)
    edit(path / "labels" / "zarr.json", lambda c: c["attributes"]["ome"].update(labels=["../../other.zarr"]))
    write_image(tmp_path / "other.zarr")
    with pytest.raises(FileProblem, match="outside its folder"):
        label_paths(path)


def test_one_channel_is_no_channel(tmp_path):
    volume = read_zarr(write_image(tmp_path / "a.zarr", DATA[None], axes=axes_of("czyx")))
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.channels == ()


def test_what_lies_under_labels_is_labels_and_opens_by_its_path(tmp_path):
    root = write_image(tmp_path / "scan.zarr")
    path = write_image(root / "labels" / "cells")
    assert is_volume_file(path)
    volume = read_volume(path)
    assert (volume.is_labels, volume.name) == (True, "cells")
    np.testing.assert_array_equal(volume.data, DATA)
    assert read_volume(root).is_labels is False
    assert (stem(root), label_name(root)) == ("scan", "scan_labels.ome.zarr")


@pytest.mark.parametrize("kind", [2, 3])
def test_plain_arrays(tmp_path, kind):
    array = zarr.create_array(LocalStore(tmp_path / "a.zarr"), shape=SHAPE, dtype="uint16", zarr_format=kind)
    array[...] = DATA
    volume = read_volume(tmp_path / "a.zarr")
    np.testing.assert_array_equal(volume.data, DATA)
    assert (volume.is_labels, volume.geometry.unit, volume.channels) == (None, "pixel", ())


@pytest.mark.parametrize("kind", [2, 3])
def test_plain_arrays_whose_axes_are_named(tmp_path, kind):
    names = ["channel", "z", "y", "x"]
    told: dict[str, Any] = (
        {"attributes": {"_ARRAY_DIMENSIONS": names}} if kind == 2 else {"dimension_names": names}
    )
    data = np.stack([DATA, DATA + 1])
    zarr.create_array(LocalStore(tmp_path / "a.zarr"), data=data, zarr_format=kind, **told)
    volume = read_volume(tmp_path / "a.zarr")
    np.testing.assert_array_equal(volume.data, np.moveaxis(data, 0, -1))
    assert volume.channels == ("channel 1", "channel 2")
    zarr.create_array(LocalStore(tmp_path / "b.zarr"), data=data, zarr_format=kind)
    with pytest.raises(FileProblem, match="names no axes"):
        read_volume(tmp_path / "b.zarr")


@pytest.mark.parametrize(
    ("shape", "names", "words"),
    [
        ((4, 5), "yx", "Not one volume: .*y \\(4\\), x \\(5\\)"), ((2, 4, 5), "cyx", "Not one volume"),
        ((2, 3, 4, 5, 6), "ttzyx", "Not one volume"), ((4, 5, 6), "zyxc", "names 4"),
    ],
)  # fmt: skip
def test_what_is_no_single_volume_is_refused(tmp_path, shape, names, words):
    extra = {"transforms": [{"type": "scale", "scale": [1.0] * len(shape)}]}
    path = tmp_path / "a.zarr"
    data = np.zeros(shape, np.uint8)
    group = zarr.create_group(LocalStore(path))
    group.create_array("0", data=data)
    datasets = [{"path": "0", "coordinateTransformations": extra["transforms"]}]
    group.attrs["ome"] = {"multiscales": [{"axes": axes_of(names), "datasets": datasets}]}
    with pytest.raises(FileProblem, match=words):
        read_zarr(path)


def test_folders_and_files_that_are_no_zarr(tmp_path):
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "file.zarr").write_bytes(b"x")
    group = zarr.create_group(LocalStore(tmp_path / "group.zarr"))
    group.create_array("inner", data=DATA)
    for name, words in (
        ("empty", "No Zarr metadata"), ("file", "A file, not a folder"), ("none", "No such file"),
        ("group", r"No image in group\.zarr.* Open one of the folders in it: inner\."),
    ):  # fmt: skip
        with pytest.raises(FileProblem, match=words):
            read_volume(tmp_path / f"{name}.zarr")
    np.testing.assert_array_equal(read_volume(tmp_path / "group.zarr" / "inner").data, DATA)


def ome(change):
    return lambda path: edit(path / "zarr.json", lambda content: change(content["attributes"]["ome"]))


def level(change):
    return lambda path: edit(path / "0" / "zarr.json", change)


def first(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata["multiscales"][0]


def transform(**changes):
    return ome(lambda m: first(m)["datasets"][0]["coordinateTransformations"][0].update(changes))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (level(lambda c: c.pop("chunk_grid")), "Can't be read"), (level(lambda c: c.pop("shape")), "Can't be read"),
        (level(lambda c: c.update(data_type="string")), "Not plain numbers|Can't be read"),
        (level(lambda c: c.update(codecs=[{"name": "magic"}])), "Can't be read"),
        (level(lambda c: c.update(shape=[0, 4, 4])), "Damaged header"),
        (level(lambda c: c["chunk_grid"]["configuration"].update(chunk_shape=[10**6] * 3)), "Too large for memory"),
        (lambda p: shutil.rmtree(p / "0"), "Missing array: a.zarr has no '0'"),
        (lambda p: (p / "0" / "zarr.json").write_bytes(b"{"), "Can't be read"),
        (lambda p: (p / "zarr.json").write_bytes(b"\xff\xfe{"), "Can't be read"),
        (lambda p: (p / "zarr.json").write_bytes(b"[]"), "Can't be read"),
        (lambda p: (p / "zarr.json").write_bytes(b"{}"), "its metadata lacks 'node_type'"),
        (ome(lambda m: m.update(multiscales=[])), "Can't be read"),
        (ome(lambda m: first(m).pop("axes")), "its metadata lacks 'axes'"),
        (ome(lambda m: first(m).update(axes=None)), "Can't be read"),
        (ome(lambda m: first(m)["datasets"][0].update(path="../../b.zarr/0")), "outside its folder"),
        (ome(lambda m: first(m)["datasets"][0].update(path="/etc")), "outside its folder"),
        (transform(scale=[1, 0, 1]), "geometry"),
        (transform(scale=[1, 1]), "2 numbers for 3"),
        (transform(scale=["a"] * 3), "Can't be read"),
        (transform(type="affine"), "kind 'affine'"),
        (ome(lambda m: m.update({"image-label": {"colors": [{"rgba": [1, 2, 3, 4]}]}})), "lacks 'label-value'"),
    ],
)  # fmt: skip
def test_damage_is_one_sentence(tmp_path, damage, words):
    path = write_image(tmp_path / "a.zarr")
    damage(path)
    with pytest.raises(FileProblem, match=words) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_mutated_stores_are_refused_or_read(tmp_path):
    rng = np.random.default_rng(0)
    read, names = 0, {"0.4": (".zattrs", ".zgroup", "0/.zarray", "0/0.0.0"), "0.5": ("zarr.json", "0/zarr.json")}
    for version, files in names.items():
        path = write_image(tmp_path / f"{version}.zarr", DATA[:4, :8, :8], version=version)
        for file in (path / name for name in files):
            whole = file.read_bytes()
            for _ in range(60):
                damaged = bytearray(whole)
                for at in rng.integers(0, len(whole), size=rng.integers(1, 4)):
                    damaged[at] = rng.integers(256)
                file.write_bytes(damaged)
                try:
                    volume = read_zarr(path)
                    assert np.isfinite(volume.geometry.affine).all()
                    assert volume.read(Box(start=(0, 0, 0), stop=(4, 8, 8))).ndim in (3, 4)
                except FileProblem:
                    continue
                read += 1
            file.write_bytes(whole)
    assert read > 20  # mutations of names and of white space change nothing that counts
