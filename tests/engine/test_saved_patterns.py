"""Several ops that are one layer come back as that layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from napari_vol3d.engine.saved_graph import network_of
from tests.saved_models import EDGES, assert_same, conv, kinds, randomised, rebuilt, scores


@pytest.mark.parametrize("size", [(2, 2, 2), (1, 3, 2)])
def test_repeated_voxels_are_one_layer(size, tmp_path):
    network = randomised(lambda t: layers.UpSampling3D(size)(conv(t, 2)))
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "UpSampling3D"]
    assert tuple(given.layers[-1].size) == size
    assert_same(network, given)


class Repeats(tf.Module):
    """Repeats voxels as Keras 2 does where sizes are fixed: one by one."""

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 6, 8, 2), tf.float32)])
    def patches(self, scan):
        for axis in (1, 2, 3):
            parts = tf.split(scan, scan.shape[axis], axis)
            scan = tf.concat([part for part in parts for _ in range(2)], axis)
        return {"scores": scan}


def test_repeating_one_by_one_is_upsampling(tmp_path):
    module = Repeats()
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    given = network_of(tmp_path)
    assert kinds(given) == ["InputLayer", "UpSampling3D"]
    scan = np.random.default_rng(0).normal(size=(1, 5, 3, 2, 2)).astype(np.float32)
    assert np.array_equal(scores(given, scan)[0], scan.repeat(2, 1).repeat(2, 2).repeat(2, 3))


def test_prelu_with_a_slope_for_each_channel(tmp_path):
    network = randomised(lambda t: layers.PReLU(shared_axes=(1, 2, 3))(conv(t, 4)))
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "PReLU"]
    assert_same(network, given)


def test_prelu_with_a_slope_for_each_place_keeps_the_size(tmp_path):
    network = randomised(lambda t: layers.PReLU()(conv(t, 4)), (*EDGES, 1))
    given = rebuilt(network, tmp_path)
    assert given.input_shape == (None, *EDGES, 1)
    assert_same(network, given)


def test_cropping_in_space_and_of_channels(tmp_path):
    def function(tensor):
        tensor = layers.Cropping3D(((1, 2), (0, 1), (3, 0)))(conv(tensor, 4))
        return tensor[:, 1:, :, :-2, 1:3]

    network = randomised(function)
    given = rebuilt(network, tmp_path)
    assert "Cropping3D" in kinds(given)
    assert_same(network, given)


def test_cropping_to_the_size_of_another_tensor(tmp_path):
    class Centre(layers.Layer):
        def call(self, pair):
            large, small = pair
            start = (tf.shape(large) - tf.shape(small)) // 2
            return tf.slice(large, [0, start[1], start[2], start[3], 0], tf.concat([tf.shape(small)[:4], [3]], 0))

    def function(tensor):
        small = conv(conv(tensor, 2, padding="valid"), 2, 5, padding="valid")
        return layers.Concatenate()([small, Centre()([conv(tensor, 3), small])])

    network = randomised(function)
    given = rebuilt(network, tmp_path)
    assert {"Cropping3D", "Concatenate"} <= set(kinds(given))
    assert_same(network, given, (12, 14, 13))


def test_a_row_of_channels_gets_axes_of_space(tmp_path):
    def function(tensor):
        row = layers.GlobalAveragePooling3D()(tensor)
        return layers.Multiply()([tensor, layers.Reshape((1, 1, 1, 1))(row)])

    network = randomised(function)
    given = rebuilt(network, tmp_path)
    assert isinstance(given, keras.Model)
    assert_same(network, given)


class Chosen(tf.Module):
    """A PReLU that is written as a choice."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None, 1), tf.float32, name="scan")])
    def call(self, scan):
        volume = tf.nn.conv3d(scan, np.linspace(-1, 1, 81, dtype=np.float32).reshape(3, 3, 3, 1, 3), [1] * 5, "SAME")
        return {"end": tf.nn.bias_add(tf.where(volume > 0, volume, [0.1, 0.5, -0.2] * volume), [0.1, 0.2, 0.3])}


def test_a_choice_by_the_sign_is_a_prelu(tmp_path):
    module = Chosen()
    tf.saved_model.save(module, str(tmp_path), signatures=module.call)
    given = network_of(tmp_path)
    assert "PReLU" in kinds(given)
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    np.testing.assert_allclose(scores(given, scan)[0], module.call(scan)["end"], atol=1e-4)
