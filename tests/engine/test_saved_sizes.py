"""Sizes within a graph are told without running it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.saved_sizes import filled, fits, made_up_sizes, resolved, view_of

SOURCE = "scan:0"


def graph_of(function, shape=(None, None, None, None, 1)):
    with tf.Graph().as_default() as graph:
        scan = tf.compat.v1.placeholder(tf.float32, shape, name="scan")
        tf.identity(function(scan), name="end")
    return graph.as_graph_def()


def half(scan):
    small = tf.nn.max_pool3d(scan, 2, 2, "VALID", name="small")
    target = tf.stack([tf.shape(small)[0], tf.reduce_prod(tf.shape(small)[1:4]) * 3 // 3], name="target")
    return tf.reshape(small, target, name="flat") * tf.constant([2.0], name="two")


def test_shapes_and_settled_values_for_each_size():
    view = view_of(graph_of(half), SOURCE, ["end:0"], [(1, 4, 6, 8, 1), (2, 8, 4, 2, 1)])
    assert view.shapes["small:0"] == ((1, 2, 3, 4, 1), (2, 4, 2, 1, 1))
    assert [value.tolist() for value in view.values("target:0")] == [[1, 24], [2, 8]]
    assert view.constant("target:0") is None
    assert view.constant("two:0").tolist() == [2.0]
    assert view.length("small:0", 4) == 1
    assert view.length("small:0", 1) is None
    assert view.source == SOURCE


def test_who_only_asks_for_the_size_is_no_reader():
    view = view_of(graph_of(half), SOURCE, ["end:0"], [(1, 4, 6, 8, 1)])
    assert view.readers["small:0"] == 1
    assert view.op(view.outputs[0]) == "Mul"


def test_what_is_passed_on_is_followed_to_where_it_was_made():
    def function(scan):
        passed = tf.stop_gradient(tf.identity_n([scan, tf.abs(scan, "inner")])[1])
        return tf.cast(tf.cast(passed, tf.float16), tf.float32)

    graph = graph_of(function)
    assert resolved({node.name: node for node in graph.node}, "end") == "inner:0"


def test_true_and_false_are_not_passed_on_as_numbers():
    graph = graph_of(lambda scan: tf.cast(scan > 0, tf.float32, name="cast"))
    assert resolved({node.name: node for node in graph.node}, "end") == "cast:0"


def test_sizes_are_made_up_for_what_is_open():
    assert filled((None, None, 5, None, 1), 2, (7, 8)) == (2, 7, 5, 8, 1)
    fixed = graph_of(half, (None, 8, 8, 8, 1))
    assert made_up_sizes(fixed, SOURCE, (None, 8, 8, 8, 1)) == [(3, 8, 8, 8, 1)]
    one, two = made_up_sizes(graph_of(half), SOURCE, (None,) * 4 + (1,))
    assert all(a != b for a, b in zip(one[:4], two[:4], strict=True))


def test_sizes_are_searched_where_the_graph_is_particular():
    def function(scan):
        up = tf.repeat(tf.nn.max_pool3d(scan[:, 3:], 4, 4, "VALID"), 4, 1)
        return tf.concat([scan[:, 3:, :1, :1], up[:, :, :1, :1]], 4)

    graph = graph_of(function)
    sizes = made_up_sizes(graph, SOURCE, (None, None, None, None, 1))
    assert all((size[1] - 3) % 4 == 0 for size in sizes)
    assert len(sizes) == 2
    assert not fits(graph, SOURCE, (1, 8, 8, 8, 1))


def test_a_graph_whose_sizes_depend_on_numbers_is_refused():
    graph = graph_of(lambda scan: tf.boolean_mask(scan, scan > 0))
    with pytest.raises(ModelProblem, match="Sizes within this SavedModel"):
        view_of(graph, SOURCE, ["end:0"], [(1, 4, 4, 4, 1)])


def test_looking_leaves_the_graph_as_it_was():
    graph = graph_of(half)
    before = graph.SerializeToString(deterministic=True)
    view = view_of(graph, SOURCE, ["end:0"], [(1, 4, 6, 8, 1)])
    assert view.node("small:0").attr["no_such_attribute"].i == 0
    assert graph.SerializeToString(deterministic=True) == before
    assert np.array_equal(view.constant("two:0"), [2.0])
