"""Upsamplings, shuffles and choices of channels come back as one layer, however they are written."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.saved_graph import network_of
from tests.engine.test_saved_graph import Plain
from tests.saved_models import EDGES, kinds, scores


def stacked(tensor):
    for axis in (1, 2, 3):
        lengths = [tf.shape(tensor)[each] * (1 + (each == axis)) for each in range(5)]
        tensor = tf.reshape(tf.stack([tensor, tensor], axis + 1), lengths)
    return tensor


def times_ones(tensor):
    n, z, y, x, c = tf.unstack(tf.shape(tensor))
    spread = tf.reshape(tensor, [n, z, 1, y, 1, x, 1, c]) * tf.ones((1, 1, 2, 1, 2, 1, 2, 1))
    return tf.reshape(spread, [n, 2 * z, 2 * y, 2 * x, 4])


def gathered(tensor):
    for axis in (1, 2, 3):
        tensor = tf.gather(tensor, tf.range(2 * tf.shape(tensor)[axis]) // 2, axis=axis)
    return tensor


def from_depth(tensor):
    tensor = tf.tile(tensor, (1, 1, 1, 1, 4)) * np.arange(1, 17, dtype=np.float32)
    n, z, y, x, _ = tf.unstack(tf.shape(tensor))
    parts = tf.transpose(tf.reshape(tensor, [n, z, y, x, 2, 2, 2, 2]), (0, 1, 4, 2, 5, 3, 6, 7))
    return tf.reshape(parts, [n, 2 * z, 2 * y, 2 * x, 2])


def to_depth(tensor):
    n, z, y, x, _ = tf.unstack(tf.shape(tensor))
    parts = tf.transpose(tf.reshape(tensor, [n, z // 2, 2, y // 2, 2, x // 2, 2, 4]), (0, 1, 3, 5, 2, 4, 6, 7))
    return tf.reshape(parts, [n, z // 2, y // 2, x // 2, 32])


def shuffled(tensor):
    shape = tf.shape(tensor)
    parts = tf.reshape(tensor, tf.concat([shape[:4], [2, 2]], 0))
    return tf.reshape(tf.transpose(parts, (0, 1, 2, 3, 5, 4)), shape)


MOVES = {
    "stacked": (stacked, "UpSampling3D"), "times ones": (times_ones, "UpSampling3D"),
    "gathered": (gathered, "UpSampling3D"), "from depth": (from_depth, "Conv3DTranspose"),
    "to depth": (to_depth, "Conv3D"), "shuffled": (shuffled, "Conv3D"),
    "reversed": (lambda t: tf.reverse(t, [4]), "Conv3D"), "chosen": (lambda t: tf.gather(t, [2, 0], axis=4), "Conv3D"),
    "tiled": (lambda t: tf.tile(t, (1, 1, 1, 1, 3)), "Conv3D"),
    "each second": (lambda t: t[:, ::2, ::2, ::2], "Conv3D"),
    "more channels": (lambda t: tf.pad(t, [[0, 0]] * 4 + [[1, 2]]), "Conv3D"),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_a_move_is_one_layer(name, tmp_path):
    function, kind = MOVES[name]
    module = Plain(lambda t: tf.nn.relu(function(t)))
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    given = network_of(tmp_path)
    assert kinds(given)[2:][-2] == kind
    assert not study(given).instance_statistics  # it can be cut into tiles
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    np.testing.assert_allclose(scores(given, scan)[0], module.patches(scan)["scores"], atol=1e-5)
