"""A grid over a layer's voxels lies where napari puts these voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_vol3d.gui.bench.lying import affine_of, common, shown_at, spacing_of

PLACES: list[dict[str, Any]] = [
    {},
    {"scale": (2.0, 0.5, 1.5), "translate": (-7.0, 3.0, 11.0)},
    {"scale": (2.0, 0.5, 1.5), "translate": (1.0, 2.0, 3.0), "rotate": (20, 30, 40), "shear": (0.1, 0.2, 0.3)},
    {"affine": [[0, 2, 0, 5], [1, 0, 0.2, 6], [0, 0, -3, 7], [0, 0, 0, 1]]},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("place", PLACES)
def test_points_of_a_grid_lie_where_the_voxels_lie(place: dict[str, Any]) -> None:
    layer = Image(np.zeros((8, 9, 10)), **place)
    matrix = affine_of(layer, (1.0, 2.0, 0.5), (2.0, 3.0, 1.0))
    for index in ((0, 0, 0), (1, 2, 3)):
        wanted = layer.data_to_world(np.add((1, 2, 0.5), np.multiply((2, 3, 1), index)))
        np.testing.assert_allclose(matrix[:3, :3] @ index + matrix[:3, 3], wanted)


def test_axes_before_z_are_left_out() -> None:
    layer = Image(np.zeros((3, 8, 9, 10)), scale=(9, 2, 3, 4), translate=(1, 5, 6, 7))
    wanted = [[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]]
    np.testing.assert_allclose(affine_of(layer, (0, 0, 0), (1, 1, 1)), wanted)
    assert spacing_of(layer) == pytest.approx((2, 3, 4))
    assert len(common(layer)["units"]) == len(common(layer)["axis_labels"]) == 3


def test_the_time_point_follows_the_slider() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((4, 5, 6, 7)), scale=(2.0, 1, 1, 1))
    viewer.dims.set_point(0, 4.0)
    assert shown_at(layer, viewer.dims) == (2,)
    assert shown_at(Image(np.zeros((5, 6, 7))), viewer.dims) == ()
