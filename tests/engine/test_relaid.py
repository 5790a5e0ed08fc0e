"""Layers are called anew with channels last; those that can't be say which they are and why."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.engine.layout import FIRST, LAST, Held, Untranslatable
from napari_vol3d.engine.relaid import Relaid
from napari_vol3d.engine.replay import computed, replay

SHAPE = (2, 4, 4, 6)
CF = {"data_format": "channels_first"}
PARTS = {
    "batch normalisation": lambda: layers.BatchNormalization(axis=1, gamma_initializer="normal"),
    "group normalisation": lambda: layers.GroupNormalization(2, axis=1),
    "layer normalisation": lambda: layers.LayerNormalization(axis=1),
    "PReLU": lambda: layers.PReLU(shared_axes=[2, 3, 4], alpha_initializer="normal"),
    "PReLU, not shared": lambda: layers.PReLU(alpha_initializer="normal"),
    "softmax": lambda: layers.Softmax(axis=1),
    "pool": lambda: layers.AveragePooling3D(2, **CF),
    "transposed": lambda: layers.Conv3DTranspose(3, 2, strides=2, **CF),
    "zeros": lambda: layers.ZeroPadding3D(1, **CF),
    "means": lambda: lambda x: x - ops.mean(x, axis=(2, 3, 4), keepdims=True),
    "join": lambda: lambda x: layers.Concatenate(axis=1)([x, x * 2]),
}


def relaid(part, shape, order, edges):
    inputs = keras.Input(shape)
    network = keras.Model(inputs, part(inputs))
    new = keras.Input((*edges, shape[0] if order == FIRST else shape[-1]))
    held = replay(network, [Held(new, order, (None, *shape))], Relaid())[0]
    return network, keras.Model(new, held.value), held.order


@pytest.mark.parametrize("name", PARTS)
def test_channels_first_is_channels_last(name):
    network, new, order = relaid(PARTS[name](), SHAPE, FIRST, SHAPE[1:])
    scan = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    wanted = np.moveaxis(computed(network, [scan])[0], 1, -1)
    np.testing.assert_allclose(new(np.moveaxis(scan, 1, -1)), wanted, atol=1e-5)
    assert order == FIRST


def test_what_a_layer_learned_from_data_goes_along():
    given = np.random.default_rng(0).normal(7, 3, (2, 4, 4, 4, 2)).astype(np.float32)
    norm = layers.Normalization(axis=-1)
    norm.adapt(given)
    network, new, _ = relaid(norm, (4, 4, 4, 2), LAST, (None,) * 3)
    np.testing.assert_allclose(new(given), network(given), atol=1e-5)
    assert abs(np.mean(new(given))) < 1e-5


def test_names_are_given_once():
    shape = layers.Reshape((1, 1, 1, 2))
    stem, _, number = shape.name.rpartition("_")
    following = f"{stem}_{int(number) + 1}" if number.isdigit() else f"{shape.name}_1"
    inputs = keras.Input((4, 4, 4, 2))
    values = layers.Conv3D(2, 1, name="scan")(inputs)  # as the new network's input is called
    factors = shape(layers.Dense(2, name=following)(layers.GlobalAveragePooling3D()(values)))
    network = keras.Model(inputs, values * factors)
    new = keras.Input((None, None, None, 2), name="scan")
    held = replay(network, [Held(new, LAST, (None, 4, 4, 4, 2))], Relaid())[0]
    scan = np.random.default_rng(0).normal(size=(1, 4, 4, 4, 2)).astype(np.float32)
    np.testing.assert_allclose(keras.Model(new, held.value)(scan), computed(network, [scan])[0], atol=1e-5)


REFUSED = {
    "PReLU": (layers.PReLU(name="own"), LAST, "layer own has a weight of its own for each voxel"),
    "softmax": (layers.Softmax(axis=1, name="odd"), LAST, "the softmax of layer odd runs along z"),
    "join": (lambda x: layers.Concatenate(axis=2, name="side")([x, x]), LAST, "layer side joins pieces along an axis"),
    "dense": (layers.Dense(3, name="flat"), FIRST, "layer flat works along an axis of space"),
    "order": (layers.Conv3D(2, 1, name="turned"), FIRST, "layer turned takes its axes in another order"),
    "reshape": (layers.Reshape((2, 2, 2, 24), name="torn"), LAST, "layer torn gives voxels new places"),
    "slices": (layers.TimeDistributed(layers.Conv2D(2, 1), name="odd"), FIRST, "odd takes its slices along another"),
    "unknown": (layers.Masking(name="odd"), FIRST, r"layer odd \(Masking\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_called_so_says_why(name):
    part, order, words = REFUSED[name]
    with pytest.raises(Untranslatable, match=words):
        relaid(part, (4, 4, 4, 3), order, (None, None, None))


def test_a_layer_that_is_shared_stays_shared():
    shared = layers.Conv3D(2, 3, padding="same")
    _, new, _ = relaid(lambda x: layers.Add()([shared(x), shared(shared(x))]), (4, 4, 4, 2), LAST, (None,) * 3)
    assert sum(isinstance(layer, layers.Conv3D) for layer in new.layers) == 1
