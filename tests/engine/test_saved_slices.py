"""A TensorFlow graph that takes a volume apart into slices becomes layers that are one voxel thick."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.by_slice import full_kernel
from napari_vol3d.engine.saved_graph import network_of
from tests.engine.test_saved_graph import Plain

SIZE = (5, 12, 8, 1)


def random(*shape):
    return np.random.default_rng(1).normal(0, 0.4, shape).astype(np.float32)


def by_slice(function):
    """Do as Keras 2 does."""

    def called(volume):
        shape = tf.shape(volume)
        given = function(tf.reshape(volume, (-1, shape[2], shape[3], volume.shape[4])))
        behind = tf.shape(given)
        return tf.reshape(given, (-1, shape[1], behind[1], behind[2], given.shape[3]))

    return called


def transposed(slices):
    shape = tf.shape(slices)
    return tf.nn.conv2d_transpose(slices, random(3, 3, 2, 4), tf.stack([shape[0], 2 * shape[1], 2 * shape[2], 2]), 2)


def image_network(slices):
    fine = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(slices, random(3, 3, 4, 4), 1, "SAME"), random(4)))
    coarse = tf.nn.conv2d(tf.nn.max_pool2d(fine, 2, 2, "SAME"), random(3, 3, 4, 4), 1, "SAME")
    joined = tf.concat([transposed(coarse), fine], 3)
    return tf.nn.softmax(tf.nn.conv2d(joined, random(1, 1, 6, 3), 1, "SAME"))


def normalised(slices):
    mean, variance = tf.nn.moments(slices, [3], keepdims=True)
    return (slices - mean) * tf.math.rsqrt(variance + 1e-3) * random(4) + random(4)


PARTS = {
    "convolution": lambda x: tf.nn.conv2d(x, random(3, 1, 4, 2), 1, "SAME"),
    "dilated": lambda x: tf.nn.conv2d(x, random(3, 3, 4, 2), 1, "SAME", dilations=2),
    "stride": lambda x: tf.nn.conv2d(x, random(3, 3, 4, 2), (2, 1), "SAME"),
    "depthwise": lambda x: tf.nn.depthwise_conv2d(x, random(3, 3, 4, 2), [1] * 4, "SAME"),
    "transposed": transposed,
    "pools": lambda x: tf.nn.max_pool2d(tf.nn.avg_pool2d(x, 3, 1, "SAME"), (2, 1), (2, 1), "SAME"),
    "enlarged": lambda x: tf.compat.v1.image.resize_nearest_neighbor(x, 2 * tf.shape(x)[1:3], half_pixel_centers=True),
    "zeros": lambda x: tf.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))),
    "cropped": lambda x: x[:, 1:-2, 3:, :],
    "channels": lambda x: tf.concat([x[..., 1:3], tf.nn.elu(x)], 3),
    "normalised": normalised,
    "network": image_network,
}


@pytest.mark.parametrize("name", PARTS)
def test_slices_become_a_volume_of_any_size(name, tmp_path):
    module = Plain(by_slice(PARTS[name]))
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    network = network_of(tmp_path)
    scan = np.random.default_rng(0).normal(size=(2, *SIZE)).astype(np.float32)
    wanted = module.patches(scan)["scores"].numpy()
    np.testing.assert_allclose(network(scan), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert network.input_shape == (None, None, None, None, 1)
    assert (study(network).unknown, study(network).instance_statistics) == ((), False)


def test_what_is_normalised_over_a_slice_sees_all_of_it(tmp_path):
    def function(slices):
        mean, variance = tf.nn.moments(slices, [1, 2], keepdims=True)
        return (slices - mean) * tf.math.rsqrt(variance + 1e-3)

    module = Plain(by_slice(function))
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    network = network_of(tmp_path)
    scan = np.random.default_rng(0).normal(size=(2, *SIZE)).astype(np.float32)
    np.testing.assert_allclose(network(scan), module.patches(scan)["scores"], atol=1e-5)
    assert study(network).instance_statistics


def test_a_kernel_of_many_channels_stays_in_groups():
    few, many = full_kernel(random(3, 3, 4, 2)), full_kernel(random(3, 3, 100, 2))
    assert (few.shape, many.shape) == ((3, 3, 4, 8), (3, 3, 1, 200))
    image = np.random.default_rng(0).normal(size=(1, 6, 6, 4)).astype(np.float32)
    wanted = keras.ops.depthwise_conv(image, random(3, 3, 4, 2), padding="same")
    np.testing.assert_allclose(keras.ops.conv(image, few, padding="same"), wanted, atol=1e-5)
