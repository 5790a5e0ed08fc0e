"""TIFF stacks: axes, spacing and class names survive."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.registry import read_volume, write_labels
from napari_vol3d.io.tiff import read_tiff, write_tiff
from napari_vol3d.io.times import time_step, with_time_step

DATA = np.random.default_rng(0).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
CLASSES = (LabelClass(id=1, name="nucleus <a> & b", color="#e69f00"), LabelClass(id=70000, name="膜", color="#0080ff"))
GRAY = {"photometric": "minisblack"}


@pytest.mark.parametrize("kind", ["plain", "shaped", "imagej", "ome", "big", "big-endian", "zlib", "tiled"])
def test_each_kind_of_stack(tmp_path, kind):
    path = tmp_path / "a.tif"
    options = {
        "plain": {"metadata": None, **GRAY}, "shaped": GRAY, "imagej": {"imagej": True}, "ome": {"ome": True, **GRAY},
        "big": {"bigtiff": True, **GRAY}, "big-endian": {"byteorder": ">", **GRAY},
        "zlib": {"compression": "zlib", **GRAY}, "tiled": {"tile": (16, 16), **GRAY},
    }[kind]  # fmt: skip
    tifffile.imwrite(path, DATA, **options)
    volume = read_tiff(path)
    assert volume.data.dtype == np.uint16
    assert volume.data.dtype.isnative
    assert not volume.geometry.anatomical
    assert volume.is_labels is None
    np.testing.assert_array_equal(volume.data, DATA)


LENGTHS = {"Z": 5, "C": 3, "T": 6, "Y": 9, "X": 8}


OME_AXES = ("ZCYX", "CZYX", "TZYX", "ZTYX", "TCZYX", "TZCYX", "CTZYX", "ZTCYX", "CTYX")


@pytest.mark.parametrize(
    ("kind", "axes", "compression"),
    [
        *(("imagej", axes, None) for axes in ("ZCYX", "TZYX", "TZCYX", "TCYX")),
        *(("ome", axes, compression) for axes in OME_AXES for compression in (None, "zlib")),
    ],
)
def test_channels_come_after_the_voxels_and_time_last(tmp_path, monkeypatch, kind, axes, compression):
    data = np.random.default_rng(0).integers(0, 99, [LENGTHS[a] for a in axes], dtype=np.uint8)
    times = {"finterval": 2.5} if kind == "imagej" else {"TimeIncrement": 2500, "TimeIncrementUnit": "ms"}
    options = {kind: True, "compression": compression, **GRAY}
    tifffile.imwrite(tmp_path / "a.tif", data, **options, metadata={"axes": axes, **(times if "T" in axes else {})})
    if compression is None:
        monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")  # all of it stays in the file
    volume = read_tiff(tmp_path / "a.tif")
    order = [axes.index(a) for a in "ZYXCT" if a in axes]
    held = data.transpose(order) if "Z" in axes else data.transpose(order)[None]
    np.testing.assert_array_equal(volume.data, held)
    assert (volume.timed, volume.frames) == ("T" in axes, 6 if "T" in axes else 1)
    assert volume.channels == (("channel 1", "channel 2", "channel 3") if "C" in axes else ())
    assert time_step(volume) == (2.5 if "T" in axes else None)
    assert isinstance(volume.data, np.memmap) == (compression is None)


def test_colours_with_time(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (6, 5, 9, 8, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, ome=True, photometric="rgb", metadata={"axes": "TZYXS"})
    volume = read_tiff(tmp_path / "a.tif")
    assert (volume.channels, volume.timed) == (("red", "green", "blue"), True)
    np.testing.assert_array_equal(volume.data, data.transpose(1, 2, 3, 4, 0))


def test_one_page_is_one_slice_and_colours_are_channels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DATA[0])
    assert read_tiff(tmp_path / "a.tif").data.shape == (1, 24, 20)
    rgb = np.random.default_rng(0).integers(0, 255, (5, 9, 8, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", rgb, photometric="rgb")
    volume = read_tiff(tmp_path / "b.tif")
    assert volume.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(volume.data, rgb)


@pytest.mark.parametrize("axis", ["C", "T"])
def test_a_long_only_axis_is_the_slices_whatever_it_is_called(tmp_path, axis):
    for count in (2, 4, 5, 9):
        tifffile.imwrite(tmp_path / "a.tif", DATA[:count], imagej=True, metadata={"axes": f"{axis}YX"})
        volume = read_tiff(tmp_path / "a.tif")
        assert volume.data.shape == ((count, 24, 20) if count > 4 else (1, 24, 20, count))
        assert volume.timed == (axis == "T" and count <= 4)
        held = DATA[:count] if count > 4 else DATA[:count].transpose(1, 2, 0)[None]
        np.testing.assert_array_equal(volume.data, held)


def test_axes_that_are_not_clear_are_refused(tmp_path):
    data = np.zeros((2, 3, 4, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, **GRAY)
    tifffile.imwrite(tmp_path / "b.tif", data[0], **GRAY)
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((4, 8, 8), complex), **GRAY)
    for name in "abc":
        with pytest.raises(FileProblem):
            read_tiff(tmp_path / f"{name}.tif")
    with tifffile.TiffWriter(tmp_path / "d.tif") as file:
        file.write(DATA, **GRAY)
        file.write(DATA[:, :8], **GRAY)
    with pytest.raises(FileProblem, match="Several images"):
        read_tiff(tmp_path / "d.tif")


@pytest.mark.parametrize(
    ("unit", "per", "expected", "name"),
    [
        ("um", 0.5, 0.5, "um"), ("micron", 0.5, 0.5, "um"), ("\\u00B5m", 0.5, 0.5, "um"), ("mm", 0.5, 0.5, "mm"),
        ("cm", 0.5, 5.0, "mm"), ("nm", 400, 0.4, "um"), ("inch", 1, 25.4, "mm"), (None, 0.5, 0.5, "pixel"),
        ("furlong", 0.5, 0.5, "pixel"),
    ],
)  # fmt: skip
def test_imagej_spacing(tmp_path, unit, per, expected, name):
    metadata = {"spacing": 2 * per, "axes": "ZYX"} | ({"unit": unit} if unit else {})
    tifffile.imwrite(tmp_path / "a.tif", DATA, imagej=True, resolution=(1 / per, 1 / per), metadata=metadata)
    geometry = read_tiff(tmp_path / "a.tif").geometry
    assert geometry.unit == name
    np.testing.assert_allclose(geometry.spacing, (2 * expected, expected, expected), rtol=1e-6)


def test_dots_per_inch_are_no_spacing(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DATA, resolution=(300, 300), resolutionunit="INCH", metadata=None, **GRAY)
    tifffile.imwrite(tmp_path / "b.tif", DATA, imagej=True, resolution=(300, 300), resolutionunit="INCH")
    for name in "ab":
        geometry = read_tiff(tmp_path / f"{name}.tif").geometry
        assert (geometry.spacing, geometry.unit) == ((1.0, 1.0, 1.0), "pixel")


def test_mutated_files_are_refused_or_read(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mutated.tif"
    for kind in ("shaped", "ome"):
        write = {"shaped": {}, "ome": {"ome": True}}[kind]
        tifffile.imwrite(tmp_path / "a.tif", DATA[:3, :8, :8], compression="zlib", **write, **GRAY)
        whole = (tmp_path / "a.tif").read_bytes()
        for _ in range(300):
            damaged = bytearray(whole)
            for at in rng.integers(0, len(whole), size=rng.integers(1, 4)):
                damaged[at] = rng.integers(256)
            path.write_bytes(damaged)
            try:
                volume = read_tiff(path)
            except FileProblem:
                continue
            assert volume.data.ndim in (3, 4)


@pytest.mark.parametrize("top", [1, 255, 256, 65535, 65536, 2**31 - 1])
@pytest.mark.parametrize("name", ["labels.tif", "labels.ome.tiff"])
def test_labels_keep_ids_names_spacing_and_place(tmp_path, top, name):
    ids = np.zeros((5, 24, 20), np.int64)
    ids[1, 2, 3], ids[2, 3, 4] = top, 1
    geometry = Geometry.from_spacing((2.5, 0.3, 0.1), unit="um", origin=(7.0, 8.0, 9.5))
    volume = Volume(data=ids, geometry=geometry, name="a\x00b", classes=CLASSES)
    path = write_labels(tmp_path / name, volume)
    found = read_volume(path)
    assert found.is_labels is True
    assert found.classes == CLASSES
    assert found.data.dtype == np.min_scalar_type(top)
    assert found.geometry.unit == "um"
    np.testing.assert_array_equal(found.data, ids)
    np.testing.assert_array_equal(found.geometry.affine, geometry.affine)
    np.testing.assert_array_equal(tifffile.imread(path), ids)


@pytest.mark.parametrize("unit", ["mm", "um", "pixel"])
def test_images_and_their_channels_round_trip(tmp_path, unit):
    for dtype in (np.uint8, np.int16, np.uint32, np.float32, np.float64, bool, np.float16):
        for shape, channels in (((4, 6, 7), ()), ((4, 6, 7, 2), ("DAPI", "GFP")), ((1, 6, 7), ()), ((3, 1, 1), ())):
            data = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
            geometry = Geometry.from_spacing((3, 2, 1.5), unit=unit)
            volume = Volume(data=data, geometry=geometry, channels=channels)
            found = read_tiff(write_tiff(tmp_path / "a.tif", volume))
            np.testing.assert_array_equal(found.data, data)
            assert (found.channels, found.geometry.unit) == (channels, unit)
            assert found.geometry.spacing == (3, 2, 1.5)
            assert found.is_labels is None


@pytest.mark.parametrize("step", [None, 0.125])
@pytest.mark.parametrize("shape", [(4, 6, 7, 5), (1, 6, 7, 5), (1, 6, 7, 2), (4, 6, 7, 2, 5), (4, 6, 7, 1)])
def test_series_round_trip(tmp_path, step, shape):
    geometry = with_time_step(Geometry.from_spacing((3, 2, 1.5), unit="um"), step)
    data = np.random.default_rng(0).integers(0, 300, shape).astype(np.uint16)
    channels = ("DAPI", "GFP") if len(shape) == 5 else ()
    volume = Volume(data=data, geometry=geometry, channels=channels, timed=True)
    found = read_tiff(write_tiff(tmp_path / "a.tif", volume))
    several = shape[-1] > 1
    np.testing.assert_array_equal(found.data, data if several else data[..., 0])
    assert (found.timed, found.channels, time_step(found)) == (several, channels, step if several else None)
    order = np.arange(len(shape))[:2:-1].tolist()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), data.transpose(*order, 0, 1, 2).squeeze())


def test_labels_with_time(tmp_path):
    ids = np.random.default_rng(0).integers(0, 3, (5, 24, 20, 6)).astype(np.int64)
    ids[1, 2, 3, 5] = 70000
    volume = Volume(data=ids, geometry=Geometry.from_spacing((2, 1, 1)), classes=CLASSES, timed=True)
    found = read_volume(write_labels(tmp_path / "labels.tif", volume))
    assert (found.timed, found.is_labels, found.classes, found.data.dtype) == (True, True, CLASSES, np.uint32)
    np.testing.assert_array_equal(found.data, ids)


def test_what_tiff_cannot_hold_is_not_saved(tmp_path):
    volume = Volume(data=np.zeros((2, 3, 4), np.int64), geometry=Geometry.from_spacing((1, 1, 1)))
    with pytest.raises(SaveProblem, match="int64"):
        write_tiff(tmp_path / "a.tif", volume)
    assert list(tmp_path.iterdir()) == []


def test_real_stacks(shared_data):
    paths = sorted((shared_data / "microscopy").rglob("*.tif*"))
    assert len(paths) > 10
    for path in paths:
        volume = read_tiff(path)
        np.testing.assert_array_equal(volume.data, tifffile.imread(path), err_msg=path.name)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"metadata": None}, np.memmap), ({}, np.memmap), ({"ome": True}, np.memmap), ({"bigtiff": True}, np.memmap),
        ({"byteorder": "<", "imagej": True}, np.memmap), ({"byteorder": ">", "imagej": True}, LazyArray),
        ({"byteorder": ">"}, LazyArray),
    ],
)  # fmt: skip
def test_voxels_stay_in_a_file_that_is_stored_in_one_piece(tmp_path, monkeypatch, options, kind):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, DATA, **options, **({} if "imagej" in options else GRAY))
    box = Box(start=(2, -1, 3), stop=(5, 6, 99))
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    volume = read_tiff(path)
    assert isinstance(volume.data, kind)
    assert volume.data.dtype == np.uint16
    assert volume.data.dtype.isnative
    np.testing.assert_array_equal(volume.read(box), DATA[2:5, :6, 3:])
    np.testing.assert_array_equal(volume.data[:, ::-1], DATA[:, ::-1])
    tifffile.imwrite(path, DATA, compression="zlib", **GRAY)
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_tiff(path)


@pytest.mark.parametrize("axes", ["ZCYX", "CZYX"])
def test_channels_that_stay_in_the_file(tmp_path, axes):
    shape = [{"Z": 5, "C": 3, "Y": 9, "X": 8}[a] for a in axes]
    data = np.random.default_rng(0).integers(0, 99, shape, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, ome=True, **GRAY, metadata={"axes": axes})
    volume = read_tiff(tmp_path / "a.tif")
    assert isinstance(volume.data, np.memmap)
    np.testing.assert_array_equal(volume.data[1:3], data.transpose([axes.index(a) for a in "ZYXC"])[1:3])
