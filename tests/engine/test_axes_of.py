"""The order of a network's axes is that of its first layer that has one, whatever turns them before."""

from __future__ import annotations

import pytest
from keras import layers, ops

from napari_vol3d.engine.axes_of import order_of
from tests.builders import chain

LAST = {"data_format": "channels_last"}
FIRST = {"data_format": "channels_first"}


@pytest.mark.parametrize(
    ("shape", "parts", "order"),
    [
        ((8, 8, 8, 1), [layers.Conv3D(2, 1)], "nzyxc"),
        ((2, 8, 8, 8), [layers.ReLU(), layers.Conv3D(2, 1, **FIRST)], "nczyx"),
        ((2, 8, 8, 8), [layers.Permute((2, 3, 4, 1)), layers.Conv3D(2, 1, **LAST)], "nczyx"),
        ((8, 8, 8, 2), [lambda x: ops.transpose(x, (0, 4, 1, 2, 3)), layers.MaxPooling3D(2, **FIRST)], "nzyxc"),
        ((8, 8, 8), [layers.Reshape((8, 8, 8, 1)), layers.Conv3D(2, 1)], "nzyx"),
        ((8, 8, 8, 1), [layers.Permute((3, 2, 1, 4)), layers.Conv3D(2, 1)], "nzyxc"),  # space is never turned
        ((8, 8, 8, 3), [layers.Softmax()], "nzyxc"),
    ],
)
def test_the_order_is_found(shape, parts, order):
    assert order_of(chain(shape, *parts)) == order


def test_models_inside_are_asked_too():
    part = chain((1, 8, 8, 8), layers.Conv3D(2, 1, **FIRST))
    assert order_of(chain((1, 8, 8, 8), part)) == "nczyx"
