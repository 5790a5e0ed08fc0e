"""The crosshair: all views show its slices, whoever moved it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import FLAT, SHAPE, opened, slice_of, view_of


def assert_all_show(bench: Bench, scan: Image) -> None:
    """Each view shows the crosshair's slice."""
    index = [round(value) for value in scan.world_to_data(bench.point)]
    for axis, plane in enumerate(FLAT):
        expected = np.take(scan.data, index[axis], axis=axis)
        np.testing.assert_array_equal(slice_of(scan, view_of(bench, plane)), expected)


def test_all_views_follow_a_point(views: Bench, scan: Image) -> None:
    """Points at voxels, between them, and out of reach."""
    opened(views)
    rng = np.random.default_rng(1)
    for index in rng.uniform(0, np.asarray(SHAPE) - 1, (12, 3)):
        views.go_to(scan.data_to_world(index))
        np.testing.assert_allclose(scan.world_to_data(views.point), index, atol=1e-4)
        assert_all_show(views, scan)
    views.go_to((1e6, -1e6, 1e6))
    assert scan.world_to_data(views.point) == pytest.approx((SHAPE[0] - 1, 0, SHAPE[2] - 1))
    assert_all_show(views, scan)


@pytest.mark.parametrize("plane", FLAT)
def test_any_view_s_slider_moves_the_crosshair(views: Bench, scan: Image, plane: Plane) -> None:
    """Along the axis that it cuts, and along no other."""
    opened(views)
    before = views.point
    dims = view_of(views, plane).model.dims
    dims.set_current_step(plane.value, 3)
    after = views.point
    assert after[plane.value] == pytest.approx(scan.data_to_world((3, 3, 3))[plane.value])
    assert [a for axis, a in enumerate(after) if axis != plane.value] == [
        b for axis, b in enumerate(before) if axis != plane.value
    ]
    assert_all_show(views, scan)


def test_napari_gets_the_whole_point_when_the_movement_rests(
    qtbot: Any, viewer: Viewer, views: Bench, scan: Image
) -> None:
    """Other parts read `viewer.dims.point`; during the movement napari would slice for each axis again."""
    opened(views)
    target = scan.data_to_world((5, 6, 7))
    views.go_to(target)
    assert viewer.dims.point[0] == pytest.approx(target[0])
    qtbot.waitUntil(lambda: viewer.dims.point == pytest.approx(target))
    viewer.dims.point = scan.data_to_world((9, 3, 11))  # as other parts do it
    assert views.point == pytest.approx(scan.data_to_world((9, 3, 11)))
    assert_all_show(views, scan)


def test_time_is_the_same_in_all_views(viewer: Viewer, views: Bench) -> None:
    """The slider of time in any view turns all of them."""
    data = np.arange(4 * 5 * 6 * 7).reshape(4, 5, 6, 7)
    layer = viewer.add_image(data)
    opened(views)
    coronal = view_of(views, Plane.CORONAL)
    coronal.model.dims.set_current_step(0, 2)
    assert viewer.dims.current_step[0] == 2
    views.go_to((1, 3, 2, 4))
    for axis, plane in enumerate(FLAT):
        expected = np.take(data[1], (3, 2, 4)[axis], axis=axis)
        np.testing.assert_array_equal(slice_of(layer, view_of(views, plane)), expected)


def test_a_view_that_was_hidden_catches_up(views: Bench, scan: Image) -> None:
    """It is not sliced while nobody sees it."""
    opened(views)
    views.show_only(Plane.AXIAL)
    sagittal = view_of(views, Plane.SAGITTAL)
    before = sagittal.model.dims.point
    views.go_to(scan.data_to_world((2, 3, 4)))
    assert sagittal.model.dims.point == before
    views.show_only(None)
    assert_all_show(views, scan)
