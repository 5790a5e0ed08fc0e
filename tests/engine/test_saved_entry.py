"""What a SavedModel takes and gives in other ways comes back as one batch of patches in, and scores out."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.saved_graph import network_of
from tests.saved_models import EDGES, conv, exported, randomised, scores

FREE = (None, None, None)
SCAN = np.random.default_rng(0).normal(size=EDGES).astype(np.float32)


class Module(tf.Module):
    """Three scores a voxel of a volume (batch, z, y, x, 1), with something before and behind."""

    def __init__(self, before, behind, shape, kind=tf.float32):
        super().__init__()
        self.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 1, 3), (1, 2)) * 0.3)
        spec = tf.TensorSpec(shape, kind, name="scan")
        self.call = tf.function(lambda scan: behind(self.scores(before(scan))), input_signature=[spec])

    def scores(self, scan):
        return tf.nn.conv3d(scan, self.kernel, [1, 1, 1, 1, 1], "SAME")


def same(tensor):
    return tensor


def stored(folder, before=same, behind=same, shape=(None, *FREE, 1), kind=tf.float32):
    module = Module(before, lambda t: found if isinstance(found := behind(t), dict) else {"end": found}, shape, kind)
    tf.saved_model.save(module, str(folder), signatures=module.call.get_concrete_function())
    return module, network_of(folder)


@pytest.mark.parametrize(
    ("before", "behind", "shape"),
    [
        (lambda s: s[..., None], tf.nn.softmax, (None, *FREE)), (lambda s: s[None], lambda t: t[0], (*FREE, 1)),
        (lambda s: s[None, ..., None], lambda t: tf.nn.softmax(t)[0], FREE),
    ],
    ids=["no channel", "no batch", "neither"],
)  # fmt: skip
def test_missing_axes_are_added(before, behind, shape, tmp_path):
    module, given = stored(tmp_path, before, behind, shape)
    assert given.input_shape == (None, *FREE, 1) or given.input_shape == (1, *FREE, 1)
    scan = SCAN[..., None] if shape[-1] == 1 else SCAN if len(shape) == 3 else SCAN[None]
    wanted = np.asarray(module.call(scan)["end"]).reshape(1, *EDGES, 3)
    np.testing.assert_allclose(scores(given, SCAN[None, ..., None])[0], wanted, atol=1e-5)


@pytest.mark.parametrize(
    "behind",
    [
        lambda t: tf.argmax(t, -1), lambda t: tf.cast(tf.argmax(tf.nn.softmax(t), -1), tf.uint8)[..., None],
        lambda t: tf.one_hot(tf.argmax(t, 4), 3),
    ],
    ids=["argmax", "bytes", "one hot"],
)  # fmt: skip
def test_of_labels_the_scores_come_back(behind, tmp_path):
    module, given = stored(tmp_path, behind=behind)
    wanted = np.argmax(module.scores(SCAN[None, ..., None]), -1)
    np.testing.assert_array_equal(scores(given, SCAN[None, ..., None])[0].argmax(-1), wanted)


def test_labels_beside_scores_are_left(tmp_path):
    _, given = stored(tmp_path, behind=lambda t: {"classes": tf.argmax(t, -1), "logits": t, "p": tf.nn.softmax(t)})
    assert given.output_names == ["logits", "p"]


def test_labels_beside_what_is_no_score_of_theirs_are_not_left(tmp_path):
    _, given = stored(tmp_path, behind=lambda t: {"classes": tf.argmax(tf.reverse(t, [-1]), -1), "features": t})
    assert given.output_names == ["classes", "features"]


def test_whole_numbers_go_in_as_they_are(tmp_path):
    module, given = stored(tmp_path, lambda s: tf.cast(s, tf.float32) / 255.0, tf.nn.softmax, kind=tf.uint8)
    scan = np.random.default_rng(0).integers(0, 255, (1, *EDGES, 1)).astype(np.uint8)
    np.testing.assert_allclose(scores(given, scan.astype(np.float32))[0], module.call(scan)["end"], atol=1e-5)


def test_16_bits_that_no_cpu_computes_with(tmp_path):
    policy = keras.config.dtype_policy()

    def function(tensor):
        coarse = layers.MaxPooling3D(2)(conv(tensor, 4, activation="relu"))
        return layers.Activation("softmax", dtype="float32")(conv(layers.UpSampling3D(2)(coarse), 2))

    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = randomised(function)
    finally:
        keras.config.set_dtype_policy(policy)
    single = randomised(function)
    given = network_of(exported(half, tmp_path))
    scan = SCAN[None, ..., None]
    np.testing.assert_allclose(scores(given, scan)[0], scores(single, scan)[0], atol=1e-3)


def test_16_bits_that_end_in_labels(tmp_path):
    def halved(scan):
        return tf.cast(scan, tf.float32)

    def labelled(found):
        return tf.argmax(tf.cast(tf.cast(found, tf.float16) * 2, tf.float16), -1)

    module, given = stored(tmp_path, halved, labelled, kind=tf.float16)
    scan = SCAN[None, ..., None].astype(np.float16)
    labels = np.argmax(scores(given, scan.astype(np.float32))[0], -1)
    assert np.mean(labels == module.call(scan)["end"]) > 0.99


def test_numbers_of_the_whole_scan_are_each_scans_own(tmp_path):
    def standardised(scan):
        return (scan - tf.reduce_mean(scan)) / tf.math.reduce_std(scan)

    module, given = stored(tmp_path, standardised)
    pair = np.stack([SCAN, 3 * SCAN + 1])[..., None]
    wanted = np.concatenate([module.call(scan[None])["end"] for scan in pair])
    np.testing.assert_allclose(scores(given, pair)[0], wanted, atol=1e-4)


def test_dropout_that_stays_on_is_named(tmp_path):
    with pytest.raises(ModelProblem, match="Random numbers are drawn"):
        stored(tmp_path, behind=lambda t: tf.nn.dropout(t, 0.5))


class Switched(Module):
    """Gives its scores where what is beside the scan has a value, and the opposite where not."""

    def __init__(self, name, kind, infers):
        super().__init__(same, same, (None, *FREE, 1))
        self.infers = tf.cast(infers, kind)
        spec = tf.TensorSpec((None, *FREE, 1), tf.float32, name="scan")
        self.call = tf.function(self.switched, input_signature=[spec, tf.TensorSpec((), kind, name=name)])

    def switched(self, scan, value):
        return {"end": self.scores(scan) * (2.0 * tf.cast(tf.equal(value, self.infers), tf.float32) - 1.0)}


@pytest.mark.parametrize(
    ("name", "kind", "infers"),
    [
        ("is_inference", tf.bool, True), ("test_mode", tf.bool, True), ("training", tf.bool, False),
        ("flag", tf.bool, False), ("keep_prob", tf.float32, 1), ("dropout_rate", tf.float32, 0),
        ("learning_phase", tf.int32, 0),
    ],
)  # fmt: skip
def test_what_is_beside_the_scan_is_set_so_that_the_network_infers(name, kind, infers, tmp_path):
    module = Switched(name, kind, infers)
    tf.saved_model.save(module, str(tmp_path), signatures=module.call.get_concrete_function())
    scan = SCAN[None, ..., None]
    np.testing.assert_allclose(scores(network_of(tmp_path), scan)[0], module.scores(scan), atol=1e-5)


def test_a_number_that_may_be_anything_is_not_made_up(tmp_path):
    module = Switched("temperature", tf.float32, 1)
    tf.saved_model.save(module, str(tmp_path), signatures=module.call.get_concrete_function())
    with pytest.raises(ModelProblem, match="wants a number beside the scan: temperature"):
        network_of(tmp_path)
