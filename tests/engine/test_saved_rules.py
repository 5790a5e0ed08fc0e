"""Names of layers and orders of axes."""

from __future__ import annotations

import keras
import pytest

from napari_vol3d.engine.saved_rules import Value, channels_at, in_order, layer_name, short_name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("StatefulPartitionedCall/functional_1/conv3d_1/convolution", "conv3d_1"),
        ("StatefulPartitionedCall/model/bn/batchnorm/add_1", "bn"), ("Relu", "Relu"),
        ("model/up_sampling3d/Repeat_2/Reshape_1", "up_sampling3d"), ("a/strange name:1/x", "strange_name_1"),
    ],
)  # fmt: skip
def test_a_layer_is_named_after_its_scope(name, wanted):
    assert layer_name(name) == wanted


def test_people_see_the_end_of_a_name():
    assert short_name("StatefulPartitionedCall/model/conv/Sin") == "conv/Sin"


def test_axes_of_the_graph_in_a_tensor_that_is_channels_last():
    tensor = keras.Input((2, 3, 4, 7))
    assert [Value(tensor=tensor, first=True).axis(axis) for axis in range(-5, 0)] == [0, 4, 1, 2, 3]
    assert [Value(tensor=tensor).axis(axis) for axis in range(5)] == [0, 1, 2, 3, 4]


def test_the_order_is_changed_only_where_it_has_to_be():
    value = Value(tensor=keras.Input((2, 3, 4, 7)), first=True)
    assert in_order(value, first=True) is value
    assert in_order(value, first=False).tensor.shape == (None, 7, 2, 3, 4)
    assert channels_at(value, 0) is value
    assert channels_at(value, -1).tensor.shape[-1] == 4
    row = Value(tensor=keras.Input((7,)))
    assert in_order(row, first=True) is row
