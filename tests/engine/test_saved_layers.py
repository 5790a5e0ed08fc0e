"""Ops that are one Keras layer each come back as that layer."""

from __future__ import annotations

import pytest
import tensorflow as tf
from keras import layers, ops

from napari_vol3d.engine.saved_graph import network_of
from tests.engine.test_saved_graph import Plain
from tests.saved_models import EDGES, assert_same, conv, kinds, randomised, rebuilt, scores


def pooled(tensor):
    tensor = layers.MaxPooling3D(3, strides=1, padding="same")(tensor)
    tensor = layers.AveragePooling3D(3, strides=1, padding="same")(tensor)
    return layers.AveragePooling3D((1, 2, 2))(layers.MaxPooling3D((2, 2, 1))(tensor))


def summed(tensor):
    tensor = conv(tensor, 4)
    parts = [ops.mean(tensor, -1, keepdims=True), ops.max(tensor, -1, keepdims=True)]
    whole = [layers.GlobalMaxPooling3D(keepdims=True), layers.GlobalAveragePooling3D(keepdims=True)]
    return layers.Concatenate()([*parts, *(tensor * layer(tensor) for layer in whole)])


def padded(tensor):
    tensor = layers.ZeroPadding3D(((1, 2), (3, 0), (1, 1)))(tensor)
    tensor = ops.pad(tensor, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)), mode="reflect")
    return ops.pad(tensor, ((0, 0), (1, 0), (0, 0), (0, 0), (0, 0)), constant_values=2.0)


def chosen(tensor):
    tensor = conv(tensor, 6)
    twice = ops.repeat(tensor[..., 2:4], 2, -1)
    return layers.Concatenate()([ops.split(tensor, 3, axis=-1)[1], tensor[..., :1], twice])


FUNCTIONS = {"pools": pooled, "sums": summed, "pads": padded, "channels": chosen}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_ops(name, tmp_path):
    network = randomised(FUNCTIONS[name])
    assert_same(network, rebuilt(network, tmp_path))


def test_pooling_is_pooling(tmp_path):
    given = rebuilt(randomised(pooled), tmp_path)
    assert sorted(kinds(given)) == ["AveragePooling3D"] * 2 + ["InputLayer"] + ["MaxPooling3D"] * 2


def test_a_normalisation_that_is_one_op(tmp_path):
    numbers = [tf.constant([1.0, 2.0, 0.5, 3.0]) * factor for factor in (1.0, 0.1, 0.3, 1.2)]

    def function(tensor):
        return tf.raw_ops.FusedBatchNormV3(
            x=tensor, scale=numbers[0], offset=numbers[1], mean=numbers[2], variance=numbers[3], epsilon=0.01,
            data_format="NDHWC", is_training=False,
        ).y  # fmt: skip

    module = Plain(function)
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    given = network_of(tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "BatchNormalization"]
    scan = tf.random.stateless_normal((1, *EDGES, 1), (3, 4))
    assert abs(scores(given, scan)[0] - module.patches(scan)["scores"].numpy()).max() < 1e-5
