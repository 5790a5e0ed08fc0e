"""Axes keep their letters wherever a network moves them, and what tears them apart is noticed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import KerasTensor, layers, ops

from napari_vol3d.engine.layout import FIRST, LAST, new_axis, order_of_shape, regrouped, same_as, turn_of

edges = st.integers(2, 9)


@given(z=edges, y=edges, x=edges, c=st.integers(1, 9))
def test_flattened_space_comes_apart_again(z, y, x, c):
    voxels = z * y * x
    assert regrouped(LAST, (None, z, y, x, c), (None, voxels, c)) == "nvc"
    assert regrouped(FIRST, (None, c, z, y, x), (None, c, voxels)) == "ncv"
    assert regrouped("nvc", (None, voxels, c), (None, z, y, x, c)) == LAST
    assert regrouped(LAST, (None, z, y, x, c), (None, z, y, x, c)) == LAST


@pytest.mark.parametrize(
    ("order", "old", "new"),
    [
        (LAST, (None, 4, 4, 4, 2), (None, 2, 2, 2, 16)),  # space to depth
        (LAST, (None, 4, 4, 4, 2), (None, 128)),
        (LAST, (None, 4, 6, 5, 3), (None, 24, 5, 3)),
        (FIRST, (None, 2, 4, 4, 4), (None, 64, 2)),
    ],
)
def test_voxels_that_change_places_are_noticed(order, old, new):
    assert math.prod(old[1:]) == math.prod(new[1:])
    assert regrouped(order, old, new) is None


def test_a_single_channel_comes_and_goes():
    assert regrouped(LAST, (None, 4, 5, 6, 1), (None, 4, 5, 6)) == "nzyx"
    assert regrouped("nzyx", (None, 4, 5, 6), (None, 4, 5, 6, 1)) == LAST
    assert regrouped(LAST, (None, 4, 5, 6, 1), (None, 120)) == "nv"


def test_an_axis_is_found_where_it_went():
    assert [new_axis(FIRST, axis) for axis in (1, 2, -1)] == [(4,), (1,), (3,)]
    assert new_axis("nvc", 1) == (1, 2, 3)
    assert new_axis("nc", -1) == (1,)
    assert [same_as(order) for order in (LAST, FIRST, "nvc", "nc", "")] == [True, False, False, True, True]
    assert [order_of_shape((1,) * rank) for rank in (5, 2, 3)] == [LAST, "nc", ""]


@pytest.mark.parametrize(
    "turn",
    [
        layers.Permute((4, 1, 3, 2)), lambda x: ops.transpose(x, (0, 4, 2, 1, 3)), ops.transpose,
        lambda x: ops.moveaxis(x, -1, 1), lambda x: ops.moveaxis(x, (1, -1), (3, 2)), lambda x: ops.swapaxes(x, 1, -1),
    ],
)  # fmt: skip
def test_axes_go_where_the_layer_puts_them(turn):
    turned = turn(KerasTensor((2, 3, 4, 5, 6)))
    axes = turn_of(turned._keras_history.operation, 5)
    assert np.zeros((2, 3, 4, 5, 6)).transpose(axes).shape == tuple(turned.shape)
