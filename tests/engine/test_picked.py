"""What takes parts, repeats or widens gives the same numbers as layers do, and a network of it can be tiled."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.keras2_functions import hard_sigmoid
from napari_vol3d.engine.outputs import activation_of
from napari_vol3d.engine.rebuild import rebuild
from tests.builders import chain

ANY = (None, None, None)
PARTS = {
    "first channels": lambda x: x[..., :2],
    "one channel": lambda x: x[..., 1:2],
    "one without its axis": lambda x: x[..., -1],
    "channels turned round": lambda x: x[..., ::-1],
    "space cut": lambda x: layers.ZeroPadding3D(2)(x)[:, 2:-2, 1:-3, 2:-2, :],
    "space and channels": lambda x: layers.ZeroPadding3D(1)(x)[:, 1:-1, 1:-1, 1:-1, 2:],
    "split": lambda x: ops.multiply(*ops.split(x, 2, axis=-1)),
    "split at places": lambda x: ops.concatenate(ops.split(x, [1, 3], axis=-1)[::-1], axis=-1),
    "channels repeated": lambda x: x * ops.repeat(x[..., :1], 4, axis=4),
    "voxels repeated": lambda x: ops.repeat(layers.MaxPooling3D((1, 2, 1))(x), 2, axis=2),
    "zeros around": lambda x: layers.Conv3D(2, 3)(ops.pad(x, [[0, 0], [1, 1], [1, 1], [1, 1], [0, 0]])),
    "channels of zeros": lambda x: ops.pad(x, [[0, 0]] * 4 + [[1, 2]]),
    "a product": lambda x: layers.EinsumDense("bzyxc,cd->bzyxd", (None, None, None, 3), bias_axes="d")(x),
}


def network(part, *after):
    return chain((*ANY, 1), layers.Conv3D(4, 3, padding="same"), part, *after)


@pytest.mark.parametrize("name", PARTS)
def test_the_numbers_are_the_same_and_nothing_is_unknown(name):
    model = network(PARTS[name])
    rebuilt = rebuild(model).network
    scan = np.random.default_rng(0).normal(size=(1, 8, 6, 10, 1)).astype(np.float32)
    wanted, found = np.asarray(model(scan)), np.asarray(rebuilt(scan))
    np.testing.assert_allclose(found, wanted.reshape(found.shape), atol=1e-5)
    assert study(rebuilt).unknown == ()


@pytest.mark.parametrize("name", ["first channels", "space cut", "split", "voxels repeated", "zeros around"])
def test_channels_may_come_first(name):
    ends = layers.Permute((2, 3, 4, 1)), layers.Permute((4, 1, 2, 3))
    model = chain((4, *ANY), ends[0], layers.Conv3D(4, 1), PARTS[name], ends[1])
    rebuilt = rebuild(model).network
    scan = np.random.default_rng(0).normal(size=(1, 8, 6, 10, 4)).astype(np.float32)
    wanted = np.asarray(model(np.moveaxis(scan, -1, 1)))
    np.testing.assert_allclose(rebuilt(scan), np.moveaxis(wanted, 1, -1), atol=1e-5)


def test_a_volume_without_channels_gets_them():
    model = chain(ANY, lambda x: x[..., None], layers.Conv3D(2, 3, padding="same"))
    scan = np.random.default_rng(0).normal(size=(1, 8, 6, 10)).astype(np.float32)
    np.testing.assert_allclose(rebuild(model).network(scan[..., None]), model(scan), atol=1e-5)


def test_what_hangs_on_the_length_is_called_as_it_was():
    model = network(lambda x: ops.pad(x[:, ::1, :, :, :], [[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]], mode="reflect"))
    rebuilt = rebuild(chain((*ANY, 1), model, layers.Conv3D(2, (3, 1, 1)))).network
    assert study(rebuilt).unknown == ("Pad",)


@pytest.mark.parametrize(
    ("activation", "part", "ending"),
    [
        ("sigmoid", lambda x: x[..., 0], "sigmoid"), ("softmax", lambda x: x[..., 1], "?"),
        ("softmax", lambda x: x[..., 1:2], "?"), ("linear", lambda x: x[..., :2], ""),
        ("sigmoid", lambda x: x[..., :2], "sigmoid"),
    ],
)  # fmt: skip
def test_what_is_picked_of_probabilities_stays_probabilities(activation, part, ending):
    model = chain((*ANY, 1), layers.Conv3D(3, 1, activation=activation), part)
    assert activation_of(rebuild(model).network) == ending


def test_a_convolution_that_learned_is_no_choice():
    model = chain((*ANY, 1), layers.Conv3D(3, 1, activation="sigmoid"), layers.Conv3D(1, 1, use_bias=False))
    assert activation_of(model) == ""


def test_a_product_that_ends_in_the_hard_sigmoid_of_keras_2_is_stored_as_steep(tmp_path):
    product = layers.EinsumDense("bzyxc,cd->bzyxd", (None, None, None, 3), activation=hard_sigmoid)
    model, path = network(product), tmp_path / "net.keras"
    rebuild(model).network.save(path)
    scan = 3 * np.random.default_rng(0).normal(size=(1, 8, 6, 10, 1)).astype(np.float32)
    np.testing.assert_allclose(keras.saving.load_model(path)(scan), model(scan), atol=1e-5)
