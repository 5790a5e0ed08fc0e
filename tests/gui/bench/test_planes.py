"""Planes: what is across, what is down, and which way it runs."""

from __future__ import annotations

import pytest

from napari_vol3d.gui.bench.planes import Plane, plane_across


@pytest.mark.parametrize("axis", range(3))
def test_the_axis_across_a_plane_comes_first_in_its_order(axis: int) -> None:
    """Each plane cuts its own axis, and shows the other two, the earlier one down the screen."""
    plane = plane_across(axis)
    assert plane.order[0] == axis
    assert plane.order[1] < plane.order[2]
    assert sorted(plane.order) == [0, 1, 2]


def test_heads_are_up_and_the_patient_s_left_is_where_the_convention_has_it() -> None:
    """z rises to superior, y to posterior, x to left."""
    assert Plane.AXIAL.towards(anatomical=True) == ("down", "right")  # nose up, left on the right
    assert Plane.CORONAL.towards(anatomical=True) == ("up", "right")
    assert Plane.SAGITTAL.towards(anatomical=True) == ("up", "right")  # nose left
    assert Plane.AXIAL.towards(anatomical=True, neurological=True) == ("down", "left")
    assert Plane.SAGITTAL.towards(anatomical=True, neurological=True) == ("up", "right")


def test_a_microscope_knows_no_patient() -> None:
    """Nothing is mirrored, and the planes are called by their axes."""
    assert {plane.towards(anatomical=False, neurological=True) for plane in Plane} == {("down", "right")}
    assert [plane.title(anatomical=False) for plane in Plane] == ["XY", "XZ", "YZ", "3D"]
    assert Plane.CORONAL.title(anatomical=True) == "Coronal"


def test_each_plane_has_a_colour_of_its_own() -> None:
    """The crosshair's lines are told apart by them."""
    assert len({plane.color for plane in Plane}) == 4
