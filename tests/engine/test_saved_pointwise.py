"""Ops that compute each voxel by itself come back as Keras layers, or as operations of Keras."""

from __future__ import annotations

import pytest
from keras import layers, ops

from tests.saved_models import assert_same, conv, kinds, randomised, rebuilt

ACTIVATIONS = ("relu", "elu", "selu", "softplus", "softsign", "tanh", "silu", "relu6", "leaky_relu", "hard_sigmoid")


def activated(tensor):
    for name in ACTIVATIONS:
        tensor = layers.Activation(name)(conv(tensor, 3))
    return tensor


def combined(tensor):
    one, two = conv(tensor, 3), conv(tensor, 3)
    pairs = (layers.Subtract(), layers.Multiply(), layers.Maximum(), layers.Minimum(), layers.Average())
    quotient = one / (ops.square(two) + 1.0)
    return layers.Concatenate()([*(layer([one, two]) for layer in pairs), quotient, ops.exp(-ops.abs(two))])


def clipped(tensor):
    tensor = conv(tensor, 3)
    tensor = layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)(tensor)
    return ops.clip(ops.where(tensor > 0.5, tensor, 0.1), 0.0, 1.0)


FUNCTIONS = {
    "activations": activated, "pairs": combined, "clips": clipped,
    "ones": lambda t: layers.Concatenate()([conv(t, 2) + ops.ones_like(t), ops.zeros_like(t) + t]),
    "softmax": lambda t: layers.Softmax(axis=3)(conv(t, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_ops(name, tmp_path):
    network = randomised(FUNCTIONS[name])
    assert_same(network, rebuilt(network, tmp_path))


def test_a_volume_that_is_flattened_for_its_softmax(tmp_path):
    def function(tensor):
        flat = layers.Softmax()(layers.Reshape((8 * 12 * 16, 3))(conv(tensor, 3)))
        return layers.Reshape((8, 12, 16, 3))(flat)

    network = randomised(function, (8, 12, 16, 1))
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "Activation"]
    assert given.input_shape == (None, None, None, None, 1)
    assert_same(network, given)
