"""Pools and convolutions of `keras.ops` become layers, and the network what it would have been with them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.rebuild import rebuild
from napari_vol3d.engine.replay import computed

KERNEL = np.random.default_rng(0).normal(size=(3, 3, 3, 4, 6)).astype(np.float32)


def network(middle, shape=(None, None, None, 1)):
    given = keras.Input(shape)
    features = layers.Conv3D(4, 3, padding="same")(given)
    return keras.Model(given, layers.Conv3D(2, 1, activation="softmax")(middle(features)))


@pytest.mark.parametrize(
    ("middle", "multiple", "halo"),
    [
        (lambda x: layers.UpSampling3D(2)(ops.max_pool(x, 2, 2)), 2, 2),
        (lambda x: layers.UpSampling3D(2)(ops.average_pool(x, 2, padding="same")), 2, 2),
        (lambda x: ops.max_pool(x, 3, 1, padding="same"), 1, 2),
        (lambda x: ops.relu(ops.conv(x, KERNEL, 1, "same")), 1, 2),
        (lambda x: ops.conv(x, KERNEL, 1, "same", dilation_rate=2), 1, 3),
        (lambda x: layers.UpSampling3D(2)(ops.conv(x, KERNEL, 2, "same")), 2, 3),
        (lambda x: ops.log_softmax(x, axis=-1), 1, 1),
        (lambda x: ops.normalize(x, axis=-1), 1, 1),
    ],
)
@pytest.mark.parametrize("edge", [None, 16])
def test_the_same_scores_and_a_network_that_is_understood(middle, multiple, halo, edge):
    original = network(middle, (edge, edge, edge, 1))
    rebuilt = rebuild(original)
    found = study(rebuilt.network)
    assert (found.multiple, found.halo, found.instance_statistics, found.unknown) == (multiple, halo, False, ())
    assert rebuilt.fixed is None
    scan = np.random.default_rng(2).normal(size=(1, 16, 16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(computed(rebuilt.network, [scan])[0], computed(original, [scan])[0], atol=1e-5)


def test_channels_that_come_first():
    given = keras.Input((1, 16, 12, 20))
    features = layers.Conv3D(4, 3, padding="same", data_format="channels_first")(given)
    pooled = ops.max_pool(features, 2, 2, data_format="channels_first")
    scores = layers.Conv3D(2, 1, data_format="channels_first")(pooled)
    original = keras.Model(given, layers.UpSampling3D(2, data_format="channels_first")(scores))
    rebuilt = rebuild(original)
    scan = np.random.default_rng(2).normal(size=(1, 16, 12, 20, 1)).astype(np.float32)
    wanted = np.moveaxis(computed(original, [np.moveaxis(scan, -1, 1)])[0], 1, -1)
    np.testing.assert_allclose(computed(rebuilt.network, [scan])[0], wanted, atol=1e-5)


def test_a_kernel_that_the_scan_makes_is_refused():
    given = keras.Input((16, 16, 16, 1))
    mean = ops.reshape(ops.mean(given), (1, 1, 1, 1, 1))
    with pytest.raises(ModelProblem, match="a kernel is computed from the scan"):
        rebuild(keras.Model(given, ops.conv(given, mean, 1, "same")))
