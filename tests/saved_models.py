"""SavedModels of random networks, and what they are compared by."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from napari_vol3d.engine.saved_graph import network_of

FREE = (None, None, None, 1)
EDGES = (8, 12, 16)


def conv(tensor, filters, size=3, **options):
    return layers.Conv3D(filters, size, **{"padding": "same", **options})(tensor)


def randomised(function, shape=FREE, seed=0):
    """Give a functional network with random weights and statistics."""
    given = keras.Input(shape)
    network = keras.Model(given, function(given))
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        numbers = rng.normal(scale=0.3, size=weight.shape)
        numbers = np.abs(numbers) + 0.5 if "variance" in weight.path else numbers
        weight.assign(numbers + 1 if "gamma" in weight.path else numbers)
    return network


def exported(network, folder):
    """Store a network as Keras 3 exports it."""
    network.export(str(folder), verbose=False)
    return folder


def saved(network, folder):
    """Store a network as TensorFlow saves an object."""
    tf.saved_model.save(network, str(folder))
    return folder


def scores(network, scan):
    outputs = keras.tree.flatten(network(scan, training=False))
    return [np.asarray(keras.ops.convert_to_numpy(output)) for output in outputs]


def rebuilt(network, tmp_path, store=exported):
    """Give a network as it comes back from a SavedModel, and from the .keras file that is written of it."""
    found = network_of(store(network, tmp_path / "stored"))
    found.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)


def assert_same(wanted, given, edges=EDGES):
    """Compare two networks on random numbers of another size than the ones that were tried before."""
    scan = np.random.default_rng(7).normal(size=(1, *edges, wanted.input_shape[-1])).astype(np.float32)
    pairs = list(zip(scores(wanted, scan), scores(given, scan), strict=True))
    for one, two in pairs:
        assert np.abs(one).max() > 1e-3
        np.testing.assert_allclose(two, one, rtol=0, atol=1e-4 * max(1.0, float(np.abs(one).max())))
    return pairs


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]
