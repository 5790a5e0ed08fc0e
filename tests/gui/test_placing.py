"""Layers lie where the patient's space says: along the reference's axes, at distances that are true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.placing import factor_to, geometry_of, lies_at, placed_like, placement
from tests.core.watched import geometry

SHAPE = (4, 6, 5)


def layer(where: Geometry, frame: Geometry | None = None, *, leading: tuple[str, ...] = ()) -> Image:
    return Image(np.zeros((2,) * len(leading) + SHAPE), **placement(where, frame, leading=leading))


def crop_of(frame: Geometry) -> Geometry:
    """Other spacing, another first voxel, the same axes."""
    return Geometry(affine=frame.affine @ np.array([[2, 0, 0, 3], [0, 0.5, 0, -7], [0, 0, 1.5, 11], [0, 0, 0, 1.0]]),
                    anatomical=True)  # fmt: skip


def tilted() -> Geometry:
    affine = geometry(8).affine
    affine[:3, 0] += 0.3 * affine[:3, 1]
    return Geometry(affine=affine, anatomical=True)


@pytest.mark.parametrize("degrees", [0, 10, 40])
def test_alone_a_patient_lies_nose_up_at_its_own_place(degrees: float) -> None:
    where = geometry(degrees)
    x, y, z = where.origin
    for frame in (None, where):
        placed = layer(where, frame)
        np.testing.assert_allclose(placed.data_to_world((0, 0, 0)), (z, -y, -x), atol=1e-12)
        np.testing.assert_allclose(placed.scale, where.spacing)
    assert [str(unit) for unit in placed.units] == ["millimeter"] * 3
    assert placed.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize("frame", [geometry(0), geometry(10), tilted()])
def test_one_world_point_is_one_place_on_the_canvas(frame: Geometry) -> None:
    first, second = layer(frame), layer(crop_of(frame), frame)
    for index in ((0, 0, 0), (1, 2, 3), (3, 5, 4)):
        world = crop_of(frame).affine @ (*index, 1)
        on_first = np.linalg.solve(frame.affine, world)[:3]
        np.testing.assert_allclose(second.data_to_world(index), first.data_to_world(on_first), atol=1e-9)


def test_in_an_upright_frame_everything_lies_at_its_own_numbers() -> None:
    where = geometry(0, origin=(5.0, 6.0, 7.0))
    np.testing.assert_allclose(placement(where, geometry(0))["translate"], placement(where)["translate"], atol=1e-12)


def test_micrometres_lie_among_millimetres() -> None:
    frame = geometry(10)
    affine = np.diag([1000.0, 1000.0, 1000.0, 1.0]) @ crop_of(frame).affine
    fine = Geometry(affine=affine, unit="um", anatomical=True)
    assert (factor_to(fine, frame), factor_to(frame, fine)) == (1e-3, 1e3)
    np.testing.assert_allclose(
        np.array(placement(fine, frame)["translate"]) / 1000, placement(crop_of(frame), frame)["translate"]
    )
    assert factor_to(replace(fine, unit="pixel"), frame) == 1


def test_axes_before_z_have_no_place_and_no_unit() -> None:
    placed = layer(geometry(10), leading=("time", "channel"))
    assert placed.axis_labels == ("time", "channel", "z", "y", "x")
    np.testing.assert_allclose(placed.scale, (1, 1, *geometry(10).spacing))
    assert [str(unit) for unit in placed.units] == ["pixel", "pixel", *["millimeter"] * 3]
    assert lies_at(placed, geometry(10), None)


def test_without_a_patient_the_axes_are_the_files() -> None:
    where = Geometry.from_spacing((3.0, 2.0, 0.5), unit="um", origin=(7.0, 8.0, 9.0))
    placed = layer(where)
    assert placement(where)["translate"] == (7, 8, 9)
    np.testing.assert_allclose(geometry_of(placed).affine, where.affine)
    assert geometry_of(placed).unit == "um"


def test_what_rounding_has_left_hides_no_slice() -> None:
    """Found in a scan of 25 slices: napari's slider ended one before the last."""
    viewer = ViewerModel()
    where = Geometry.from_spacing((6.499999999999998, 0.859375, 0.859375), origin=(0.0, 0.0, 4.250000000000001))
    viewer.add_image(np.zeros((25, 4, 4)), **placement(where))
    assert viewer.dims.nsteps == (25, 4, 4)


def moved(change: str, value: Any) -> Layer:
    placed = layer(crop_of(geometry(10)), geometry(10))
    setattr(placed, change, value)
    return placed


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
@pytest.mark.parametrize(
    ("change", "value"),
    [("scale", (1, 1, 1)), ("translate", (0, 0, 0)), ("rotate", (0, 0, 10)), ("shear", (0.1, 0, 0)), ("units", "um")],
)
def test_what_a_person_has_moved_lies_there_no_more(change: str, value: Any) -> None:
    where, frame = crop_of(geometry(10)), geometry(10)
    assert lies_at(layer(where, frame), where, frame)
    assert not lies_at(layer(where, frame), where, None)
    assert not lies_at(moved(change, value), where, frame)


def test_a_layer_placed_like_another_lies_on_it() -> None:
    like = layer(crop_of(geometry(10)), geometry(10), leading=("time",))
    on_it = Image(np.zeros(SHAPE), **placed_like(like))
    np.testing.assert_allclose(on_it.data_to_world((1, 2, 3)), like.data_to_world((0, 1, 2, 3))[1:])
    assert on_it.units == like.units[1:]


def test_labels_of_a_series_have_its_time_axis() -> None:
    like = layer(crop_of(geometry(10)), geometry(10), leading=("time",))
    series = Image(np.zeros((2, *SHAPE)), **placed_like(like, leading=("time",)))
    np.testing.assert_allclose(series.data_to_world((1, 1, 2, 3)), like.data_to_world((1, 1, 2, 3)))
    assert series.axis_labels == ("time", "z", "y", "x")
    assert series.units == like.units
