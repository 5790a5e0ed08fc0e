"""Normalisations are recognised in whatever way they are written, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.saved_graph import network_of
from tests.engine.test_saved_graph import Plain
from tests.saved_models import EDGES, assert_same, conv, kinds, randomised, rebuilt, scores

GAMMA, BETA = np.array([1.0, 2.0, 0.5, 3.0], np.float32), np.array([0.1, -1.0, 2.0, 0.3], np.float32)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.GroupNormalization(groups=2), lambda: layers.GroupNormalization(groups=-1, epsilon=1e-5),
        lambda: layers.GroupNormalization(groups=1, scale=False), lambda: layers.LayerNormalization(center=False),
        lambda: layers.LayerNormalization(),
    ],
    ids=["groups", "instances", "whole", "not centred", "voxels"],
)  # fmt: skip
def test_normalisations_of_keras(layer, tmp_path):
    network = randomised(lambda t: layers.Add()([layer()(conv(t, 4)), conv(t, 4)]))
    given = rebuilt(network, tmp_path)
    wanted = type(layer()).__name__
    assert kinds(given).count(wanted) == 1
    assert not study(given).unknown
    assert_same(network, given)


def by_moments(tensor):
    mean, variance = tf.nn.moments(tensor, [1, 2, 3], keepdims=True)
    return tf.nn.batch_normalization(tensor, mean, variance, BETA, GAMMA, 1e-4)


def by_roots(tensor):
    mean = tf.reduce_mean(tensor, [1, 2, 3], keepdims=True)
    variance = tf.reduce_mean(tf.square(tensor - mean), [1, 2, 3], keepdims=True)
    return (tensor - mean) / tf.sqrt(variance + 1e-3) * GAMMA


def by_weights(tensor):
    # As Keras 2 computes groups.
    shape = tf.shape(tensor)
    parts = tf.reshape(tensor, tf.stack([shape[0], shape[1], shape[2], shape[3], 2, 2]))
    mean, variance = tf.nn.weighted_moments(parts, [1, 2, 3, 5], tf.ones_like(parts), keepdims=True)
    one = tf.reshape(GAMMA, (1, 1, 1, 1, 2, 2))
    return tf.reshape(tf.nn.batch_normalization(parts, mean, variance, None, one, 1e-3), shape)


def by_fused_op(tensor):
    # As Keras 2 normalises the channels of each voxel.
    shape = tf.shape(tensor)
    flat = tf.reshape(tensor, tf.stack([1, tf.reduce_prod(shape[:4]), 4, 1]))
    ones = tf.ones(tf.shape(flat)[1:2])
    done = tf.raw_ops.FusedBatchNormV3(
        x=flat, scale=ones, offset=tf.zeros_like(ones), mean=[], variance=[], epsilon=1e-3, data_format="NCHW",
        is_training=True,
    ).y  # fmt: skip
    return tf.reshape(done, shape) * GAMMA + BETA


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (by_moments, "GroupNormalization"), (by_roots, "GroupNormalization"), (by_weights, "GroupNormalization"),
        (by_fused_op, "LayerNormalization"),
    ],
)  # fmt: skip
def test_normalisations_by_hand(function, wanted, tmp_path):
    module = Plain(function)
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    given = network_of(tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", wanted]
    scan = tf.random.stateless_normal((2, *EDGES, 1), (3, 4))
    np.testing.assert_allclose(scores(given, scan)[0], module.patches(scan)["scores"], atol=1e-4)


@pytest.mark.parametrize(
    ("function", "whole"),
    [
        (lambda t: (t - ops.mean(t, (1, 2, 3), keepdims=True)) / (ops.std(t, (1, 2, 3), keepdims=True) + 0.01), True),
        (lambda t: t - ops.mean(t, (1, 2, 3), keepdims=True) * 0.5, True),
        (lambda t: t / ops.sqrt(ops.mean(ops.square(t), -1, keepdims=True) + 0.1), False),  # of each voxel alone
    ],
    ids=["epsilon of the deviation", "half the mean", "root mean square"],
)
def test_what_looks_like_one_is_left_as_it_is(function, whole, tmp_path):
    network = randomised(lambda t: function(conv(t, 4)))
    given = rebuilt(network, tmp_path)
    assert not {"GroupNormalization", "LayerNormalization"} & set(kinds(given))
    assert study(given).instance_statistics is whole
    assert_same(network, given)


def test_a_gelu_is_an_activation(tmp_path):
    network = randomised(lambda t: layers.Activation("gelu")(conv(t, 3)))
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "Activation"]
    assert_same(network, given)
