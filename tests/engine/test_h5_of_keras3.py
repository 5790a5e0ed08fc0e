"""HDF5 files that Keras 3 wrote compute what the network computed, also where Keras 3 reads something else."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.h5_of_keras3 import is_of_keras_3
from tests.builders import chain

SIZE = (8, 8, 8)


def shrunk(features):
    return ops.mean(features, axis=(1, 2, 3), keepdims=True)


def refined(features):
    """One network, called with what it gave, at the end."""
    inner = chain((*SIZE, 4), layers.Conv3D(4, 3, padding="same", activation="tanh"))
    return inner(inner(features))


PARTS = {
    "operators": lambda x: 1 - 2.0 * x * x + x / 3.0,
    "functions": lambda x: ops.softmax(ops.concatenate([ops.relu(x), ops.sigmoid(x)], axis=-1), axis=-1),
    "several axes": lambda x: x - shrunk(x) + ops.max(x, axis=[1, 2, 3], keepdims=True),
    "parts": lambda x: x[..., :1] * x[:, :, :, :, 1:],
    "more axes": lambda x: x[:, 0, 0, 0][:, None, None, None, :] * x,
    "padding": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0], [0, 2], [0, 0]]),
    "reshaped": lambda x: ops.reshape(x, (-1, *SIZE, 2, 2)),
    "a norm over space": layers.LayerNormalization(axis=[1, 2, 3, 4]),
    "a norm over space without weights": layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False),
    "a unit": layers.UnitNormalization(axis=[1, 2, 3]),
    "one mean for all": layers.Normalization(axis=None),
    "a network inside": lambda x: keras.Sequential([layers.UnitNormalization(axis=[1, 4]), layers.ReLU()])(x),
    "a network called twice": refined,
}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_read_computes_what_was_written(tmp_path, name):
    keras.utils.set_random_seed(0)
    network = chain((*SIZE, 1), layers.Conv3D(4, 3, padding="same"), PARTS[name])
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(1, 0.3, weights.shape) for weights in network.get_weights()])
    for layer in network.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    network.save(path := tmp_path / "network.h5")
    read, said = open_foreign("h5", path)
    scan = rng.normal(size=(1, *SIZE, 1)).astype(np.float32)
    np.testing.assert_allclose(read(scan), network(scan), atol=1e-5)
    assert said == ()


@pytest.mark.parametrize(
    ("config", "so"),
    [
        (chain((*SIZE, 1), layers.ReLU()).get_config(), True),
        (keras.Sequential([layers.ReLU()]).get_config(), True),
        ({"layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8]}}]}, False),
        ({"layers": [{"class_name": "ReLU", "config": {"dtype": "float32"}}]}, False),
        ([{"class_name": "ReLU", "config": {}}], False),  # as the first Keras wrote a Sequential
    ],
)  # fmt: skip
def test_who_wrote_a_model_is_told(config, so):
    assert is_of_keras_3(config) is so
