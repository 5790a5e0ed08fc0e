"""Sizes, units, classes: what the metadata of a Zarr image say, in all their spellings."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.ngff import Axes, channel_names, describe_labels, read_geometry, tell_axes
from napari_vol3d.io.ome_zarr import read_zarr
from napari_vol3d.io.times import with_time_step
from tests.io.zarr_phantom import DATA, SCALE, SHIFT, axes_of, write_image


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


@pytest.mark.parametrize(
    ("names", "shape", "order", "timed", "channel"),
    [
        ("zyx", (4, 5, 6), (0, 1, 2), False, None), ("tczyx", (1, 1, 4, 5, 6), (2, 3, 4), False, None),
        ("tczyx", (2, 1, 4, 5, 6), (2, 3, 4, 0), True, None), ("tczyx", (1, 3, 4, 5, 6), (2, 3, 4, 1), False, 1),
        ("tczyx", (2, 3, 4, 5, 6), (2, 3, 4, 1, 0), True, 1), ("xyzct", (6, 5, 4, 3, 2), (2, 1, 0, 3, 4), True, 3),
    ],
)  # fmt: skip
def test_places_of_the_axes(tmp_path, names, shape, order, timed, channel):
    found = tell_axes(tmp_path, axes_of(names), shape)
    assert found == Axes(order=order, timed=timed)
    assert found.channel == channel


@pytest.mark.parametrize("names", ["yx", "zyxw", "tzyxt", "cczyx", "tyx"])
def test_other_axes_are_no_volume(tmp_path, names):
    with pytest.raises(FileProblem, match="Not one volume"):
        tell_axes(tmp_path, axes_of(names), (2,) * len(names))


def test_channels_are_named_by_the_file_or_by_number():
    assert channel_names(["DAPI", "GFP"], 2) == ("DAPI", "GFP")
    assert channel_names(["DAPI", ""], 2) == channel_names(["DAPI"], 2) == ("channel 1", "channel 2")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("timed", [False, True])
def test_what_is_described_is_what_is_read(tmp_path, version, timed):
    geometry = Geometry.from_spacing((2.5, 0.5, 0.25), unit="mm", origin=(7.0, -8.0, 9.5))
    volume = Volume(data=None, geometry=with_time_step(geometry, 1.5), timed=timed)
    told = describe_labels("a.ome.zarr", volume, {"0": (1, 1, 1), "1": (1, 2, 4)}, version=version, image="../..")
    ome = told["ome"] if version == "0.5" else told
    (image,) = ome["multiscales"]
    assert (image["name"], ome["image-label"]["source"]) == ("a", {"image": "../.."})
    axes = tell_axes(tmp_path, image["axes"], (3, 4, 5, 6) if timed else (4, 5, 6))
    for level, steps in enumerate(((1, 1, 1), (1, 2, 4))):
        found, known = read_geometry(tmp_path, image, axes, level)
        assert (known, found.unit, found.origin) == (True, "mm", geometry.origin)
        assert found.spacing == tuple(n * s for n, s in zip(steps, geometry.spacing, strict=True))
