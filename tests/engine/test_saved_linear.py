"""Layers with a kernel come back with their stride, padding, dilation, groups and bias."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.engine.saved_linear import select_channels, spatial
from napari_vol3d.engine.saved_rules import Value
from tests.saved_models import assert_same, conv, kinds, randomised, rebuilt

FUNCTIONS = {
    "strides": lambda t: layers.Conv3DTranspose(2, 4, strides=(4, 2, 1), padding="same")(conv(t, 3, strides=(4, 2, 1))),
    "valid": lambda t: layers.Conv3DTranspose(2, 5, strides=2)(conv(t, 3, 4, padding="valid", strides=2)),
    "small kernel": lambda t: layers.Conv3DTranspose(2, 1, strides=2)(conv(t, 3, 1, strides=2)),
    "output padding": lambda t: layers.Conv3DTranspose(2, 3, strides=2, padding="same", output_padding=0)(t),
    "dilated": lambda t: conv(conv(t, 3, dilation_rate=2, padding="valid"), 2, dilation_rate=(1, 2, 3)),
    "groups": lambda t: conv(conv(t, 4), 8, groups=4),
    "no bias": lambda t: layers.Conv3DTranspose(2, 2, strides=2, use_bias=False)(conv(t, 3, use_bias=False)),
    "dense": lambda t: layers.Dense(2, activation="softmax")(layers.Dense(5, use_bias=False)(conv(t, 3))),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_layers_with_a_kernel(name, tmp_path):
    network = randomised(FUNCTIONS[name])
    given = rebuilt(network, tmp_path)
    assert_same(network, given, (16, 12, 20))
    plain = [kind for kind in kinds(network) if kind in kinds(given)]
    assert plain == kinds(network)
    pairs = zip(network.get_weights(), given.get_weights(), strict=True)
    assert all(np.array_equal(wanted, found) for wanted, found in pairs)


@pytest.mark.parametrize(("first", "wanted"), [(False, (2, 3, 4)), (True, (3, 4, 5))])
def test_the_numbers_of_space(first, wanted):
    assert spatial((1, 2, 3, 4, 5), first=first) == wanted


def test_channels_are_selected_exactly():
    scan = np.random.default_rng(0).normal(size=(1, 2, 3, 4, 3)).astype(np.float32)
    given = keras.Input((None, None, None, 3))
    chosen = select_channels(Value(tensor=given), (2, 0, 0), -1, "chosen")
    assert np.array_equal(keras.Model(given, chosen.tensor)(scan), scan[..., [2, 0, 0]])
