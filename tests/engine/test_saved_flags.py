"""Graphs of TensorFlow 1 come back as they compute when nothing is trained."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.engine.saved_graph import network_of
from tests.saved_models import EDGES, scores

v1 = tf.compat.v1
SHAPE = (None, None, None, None, 1)
SCAN = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)


def store(folder, build):
    """Store a graph with variables of TensorFlow 1; give its scores of a scan with all flags off."""
    with tf.Graph().as_default(), v1.Session() as session:
        scan = v1.placeholder(tf.float32, SHAPE, "scan")
        flags, end = build(scan)
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            variable.load(rng.uniform(0.1, 1, variable.shape).astype(np.float32), session)
        given = {flag: value for flag, value in flags.items() if flag.op.type == "Placeholder"}
        inputs = {"scan": scan, **{flag.op.name: flag for flag in given}}
        v1.saved_model.simple_save(session, str(folder), inputs, {"end": end})
        return session.run(end, {scan: SCAN, **given})


def layer(tensor, filters=4):
    number = len(v1.global_variables())
    kernel = v1.get_variable(f"kernel{number}", (3, 3, 3, tensor.shape[-1], filters), use_resource=False)
    return tf.nn.conv3d(tensor, kernel - 0.5, [1] * 5, "SAME")


def normalised(tensor, training):
    """Normalise a batch, and learn its mean in training, as `tf.layers` did."""
    mean, variance = (v1.get_variable(name, (4,), use_resource=False) for name in ("mean", "variance"))
    used = tf.cond(training, lambda: tf.nn.moments(tensor, [0, 1, 2, 3]), lambda: (mean + 0.0, variance + 0.0))
    v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, v1.assign_sub(mean, 0.1 * (mean - used[0])))
    return tf.nn.relu(tf.nn.batch_normalization(tensor, *used, None, None, 1e-3))


def by_default(scan):
    training = v1.placeholder_with_default(False, (), "training")
    return {training: False}, tf.nn.softmax(layer(normalised(layer(scan), training), 3))


def in_the_signature(scan):
    training = v1.placeholder(tf.bool, (), "training")
    return {training: False}, tf.nn.softmax(layer(normalised(layer(scan), training), 3))


def kept(scan):
    keep = v1.placeholder(tf.float32, (), "keep_prob")
    return {keep: 1.0}, tf.nn.softmax(layer(v1.nn.dropout(tf.nn.relu(layer(scan)), keep_prob=keep), 3))


def negated(scan):
    running = tf.logical_not(v1.placeholder_with_default(False, (), "training"))
    values = tf.nn.relu(layer(scan))
    return {}, layer(tf.cond(running, lambda: values * 2.0, lambda: tf.nn.dropout(values, 0.5)), 3)


@pytest.mark.parametrize("build", [by_default, in_the_signature, kept, negated])
@pytest.mark.parametrize("branches", ["new", "old"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_graph_with_a_flag_for_training(build, branches, tmp_path):
    (v1.enable_control_flow_v2 if branches == "new" else v1.disable_control_flow_v2)()
    try:
        wanted = store(tmp_path / "stored", build)
    finally:
        v1.enable_control_flow_v2()
    given = network_of(tmp_path / "stored")
    np.testing.assert_allclose(scores(given, SCAN)[0], wanted, atol=1e-4)
