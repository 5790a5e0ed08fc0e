"""Zarr folders: whoever wrote them, a slice of the volume is the slice of the array; damage is one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.io import gate
from napari_vol3d.io.ome_zarr import read_zarr
from napari_vol3d.io.registry import is_volume_file, label_name, read_volume, stem

SHAPE = (7, 20, 18)
DATA = np.random.default_rng(0).integers(0, 4000, SHAPE, dtype=np.uint16)
SCALE, SHIFT = [2.5, 0.5, 0.25], [10.0, -20.0, 30.0]


def axes_of(names: str, unit: str | None = "micrometer") -> list[dict[str, str]]:
    kinds = {"t": "time", "c": "channel"}
    units = {"unit": unit} if unit else {}
    return [{"name": n, "type": kinds.get(n, "space"), **({} if n in kinds else units)} for n in names]


def write_image(path: Path, data=DATA, *, version: str = "0.5", axes: Any = None, **changes: Any) -> Path:
    """An OME-Zarr image with two levels as other programs write it; `changes` replace parts of its metadata."""
    axes = axes_of("zyx") if axes is None else axes
    extra = [1.0] * (data.ndim - 3)
    transforms = [
        {"type": "scale", "scale": extra + SCALE}, {"type": "translation", "translation": [0] * len(extra) + SHIFT},
    ]  # fmt: skip
    coarse = [{"type": "scale", "scale": extra + [2 * s for s in SCALE]}]
    image = {
        "axes": axes,
        "datasets": [
            {"path": "0", "coordinateTransformations": changes.pop("transforms", transforms)},
            {"path": "1", "coordinateTransformations": coarse},
        ],
        **changes.pop("image", {}),
    }  # fmt: skip
    metadata = {"multiscales": [image], **changes}
    attributes = {"ome": {"version": "0.5", **metadata}} if version == "0.5" else metadata
    kind: Any = 3 if version == "0.5" else 2
    group = zarr.create_group(LocalStore(path), zarr_format=kind, attributes=attributes)
    for name, level in (("0", data), ("1", data[..., ::2, ::2, ::2])):
        chunks = tuple(min(n, 8) for n in level.shape)
        group.create_array(name, shape=level.shape, dtype=level.dtype, chunks=chunks)[...] = level
    return path


def edit(file: Path, change) -> None:
    content = json.loads(file.read_bytes())
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


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
        ("tzyx", "tzyx", 0), ("tczyx", "tzyxc", 3), ("cxzy", "zyxc", 3),
    ],
)  # fmt: skip
def test_axes_in_every_order(tmp_path, names, held, channels):
    lengths = {"t": 1, "c": 3, "z": 4, "y": 6, "x": 5}
    data = np.random.default_rng(1).integers(0, 99, [lengths[n] for n in names], dtype=np.int16)
    spacings = {"z": 2.5, "y": 0.5, "x": 0.25}
    transforms = [{"type": "scale", "scale": [spacings.get(n, 7.0) for n in names]}]
    omero = {"channels": [{"label": f"dye {i}"} for i in range(3)]}
    volume = read_zarr(
        write_image(tmp_path / "a.zarr", data, axes=axes_of(names), transforms=transforms, omero=omero)
    )
    meant = data.transpose([names.index(n) for n in held])
    meant = meant[0] if held[0] == "t" else meant
    np.testing.assert_array_equal(volume.data, meant)
    np.testing.assert_array_equal(volume.data[1:3, ::-2, 4], meant[1:3, ::-2, 4])
    assert volume.geometry.spacing == (2.5, 0.5, 0.25)
    assert volume.channels == tuple(f"dye {i}" for i in range(channels))


def test_one_channel_is_no_channel(tmp_path):
    volume = read_zarr(write_image(tmp_path / "a.zarr", DATA[None], axes=axes_of("czyx")))
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.channels == ()


@pytest.mark.parametrize(
    ("unit", "factor", "name"),
    [
        ("micrometer", 1, "um"), ("millimeter", 1, "mm"), ("nanometer", 1e-3, "um"), ("meter", 1e3, "mm"),
        ("centimeter", 10, "mm"), ("parsec", 1, "pixel"), (None, 1, "pixel"),
    ],
)  # fmt: skip
def test_units(tmp_path, unit, factor, name):
    geometry = read_zarr(write_image(tmp_path / "a.zarr", axes=axes_of("zyx", unit))).geometry
    assert geometry.unit == name
    np.testing.assert_allclose(geometry.spacing, np.array(SCALE) * factor)
    np.testing.assert_allclose(geometry.origin, np.array(SHIFT[::-1]) * factor)


def test_axes_of_different_units(tmp_path):
    axes = axes_of("zyx")
    axes[0]["unit"], axes[1] = "millimeter", {"name": "y", "type": "space"}
    geometry = read_zarr(write_image(tmp_path / "a.zarr", axes=axes)).geometry
    assert geometry.unit == "um"
    np.testing.assert_allclose(geometry.spacing, (2500, 0.5, 0.25))


def test_transformations_of_image_and_level_are_applied_in_turn(tmp_path):
    image = {"coordinateTransformations": [{"type": "identity"}, {"type": "scale", "scale": [2, 2, 4]}]}
    geometry = read_zarr(write_image(tmp_path / "a.zarr", image=image)).geometry
    np.testing.assert_allclose(geometry.spacing, (5, 1, 1))
    np.testing.assert_allclose(geometry.origin, (120, -40, 20))


def test_an_image_without_transformations_has_no_size(tmp_path):
    geometry = read_zarr(write_image(tmp_path / "a.zarr", transforms=[])).geometry
    assert (geometry.spacing, geometry.unit) == ((1.0, 1.0, 1.0), "pixel")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_label_images_and_their_classes(tmp_path, version):
    label = {
        "colors": [{"label-value": 1, "rgba": [230, 159, 0, 255]}, {"label-value": 0, "rgba": [0, 0, 0, 0]}],
        "properties": [{"label-value": 1, "name": "kidney"}, {"label-value": 9, "name": "Ödem"}],
    }
    volume = read_zarr(write_image(tmp_path / "a.zarr", version=version, **{"image-label": label}))
    assert volume.is_labels is True
    kidney = LabelClass(id=1, name="kidney", color="#e69f00")
    assert volume.classes == (kidney, LabelClass(id=9, name="Ödem", color=default_color(9)))
    floats = write_image(tmp_path / "b.zarr", DATA.astype(np.float32), version=version, **{"image-label": label})
    assert read_zarr(floats).is_labels is False


def test_what_lies_under_labels_is_labels_and_opens_by_its_path(tmp_path):
    root = write_image(tmp_path / "scan.zarr")
    path = write_image(root / "labels" / "cells")
    assert is_volume_file(path)
    volume = read_volume(path)
    assert (volume.is_labels, volume.name) == (True, "cells")
    np.testing.assert_array_equal(volume.data, DATA)
    assert read_volume(root).is_labels is False
    assert (stem(root), label_name(root)) == ("scan", "scan_labels.nii.gz")


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
    ("shape", "names", "words"),
    [
        ((4, 5), "yx", "Not one volume: .*y \\(4\\), x \\(5\\)"), ((3, 4, 5, 6), "tzyx", "A time series: .*t \\(3\\)"),
        ((2, 4, 5), "cyx", "Not one volume"), ((2, 3, 4, 5, 6), "tczyx", "A time series"),
        ((4, 5, 6), "zyxc", "names 4"),
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
        (lambda p: shutil.rmtree(p / "0"), "Missing array: a.zarr has no level '0'"),
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


def test_missing_chunks_metadata_of_zarr_2(tmp_path):
    path = write_image(tmp_path / "a.zarr", version="0.4")
    edit(path / "0" / ".zarray", lambda content: content.pop("chunks"))
    with pytest.raises(FileProblem, match="chunks"):
        read_volume(path)


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
