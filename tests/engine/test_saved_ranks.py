"""Volumes that a graph flattens, or holds without their axis of channels, come back as volumes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.saved_graph import network_of
from tests.engine.test_saved_graph import Plain
from tests.saved_models import EDGES, scores

WEIGHTS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)


def flat(tensor):
    rows = tf.nn.softmax(tf.nn.bias_add(tf.matmul(tf.reshape(tensor, (-1, 4)), WEIGHTS), [0.1, 0.2, 0.3]))
    return tf.reshape(rows, tf.concat([tf.shape(tensor)[:4], [3]], 0))


def summed(tensor):
    one, two, three, four = tf.unstack(tensor, axis=-1)
    return tf.stack([one + two, tf.nn.relu(three), four], -1)


def without_channels(tensor):
    return tf.expand_dims(tf.sigmoid(tf.squeeze(tensor[..., 1:2], -1)), -1)


def of_blocks(tensor):
    inner = tf.compat.v1.space_to_batch_nd(tensor, [2, 2, 2], [[0, 0]] * 3)
    kernel = np.random.default_rng(2).normal(size=(3, 3, 3, 4, 4)).astype(np.float32)
    inner = tf.nn.conv3d(tf.nn.relu(inner), kernel, [1] * 5, "SAME")
    return tensor + tf.compat.v1.batch_to_space_nd(inner, [2, 2, 2], [[0, 0]] * 3)


FUNCTIONS = {
    "flat": flat, "one by one": summed, "without channels": without_channels, "blocks": of_blocks,
    "votes": lambda t: tf.reduce_mean(tf.stack([tf.nn.softmax(t), tf.nn.softmax(2 * t)]), 0),
    "letters": lambda t: tf.einsum("...c,ck->...k", t, WEIGHTS), "one channel": lambda t: t[..., 2],
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_stays_a_volume(name, tmp_path):
    module = Plain(FUNCTIONS[name])
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    given = network_of(tmp_path)
    assert not study(given).instance_statistics
    assert study(given).multiple == 1
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    (found,) = scores(given, scan)
    wanted = np.asarray(module.patches(scan)["scores"])
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4)


def test_a_fused_normalisation_of_a_flattened_volume(tmp_path):
    numbers = np.abs(WEIGHTS) + 0.2

    def function(tensor):
        n, z, y, x, c = tf.unstack(tf.shape(tensor))
        images = tf.reshape(tensor, [n, z, y * x, 4])
        options = {"mean": WEIGHTS[:, 1], "variance": numbers[:, 2], "is_training": False}
        scaled = tf.compat.v1.nn.fused_batch_norm(images, numbers[:, 0], WEIGHTS[:, 0], **options)[0]
        return tf.nn.relu(tf.reshape(scaled, [n, z, y, x, c]))

    module = Plain(function)
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    np.testing.assert_allclose(scores(network_of(tmp_path), scan)[0], module.patches(scan)["scores"], atol=1e-4)
