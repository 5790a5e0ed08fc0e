"""Functions that Keras 2 called compute what TensorFlow's of the same names do."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.engine.keras2_functions import FUNCTIONS, index_of
from napari_vol3d.models import gate_names

X = np.random.default_rng(0).normal(size=(1, 4, 6, 8, 2)).astype(np.float32)
CASES = [
    ("math.add_n", tf.add_n, ([X, 2 * X, X],), {}),
    ("math.reciprocal", tf.math.reciprocal, (X,), {}),
    ("math.divide_no_nan", tf.math.divide_no_nan, (X,), {"y": np.where(X > 0, X, 0)}),
    ("math.reduce_min", tf.reduce_min, (X,), {"axis": [1, 2], "keepdims": True}),
    ("nn.log_softmax", tf.nn.log_softmax, (X,), {}),
    ("nn.softsign", tf.nn.softsign, (X,), {}),
    ("nn.batch_normalization", tf.nn.batch_normalization, (X,),
     {"mean": 0.5, "variance": 2.0, "offset": 0.1, "scale": 3.0, "variance_epsilon": 0.5}),
    ("split", tf.split, (X,), {"num_or_size_splits": [1, 3, 4], "axis": 3}),
    ("unstack", tf.unstack, (X,), {"axis": -1}),
    ("stack", tf.stack, ([X, X + 1],), {"axis": -1}),
    ("squeeze", tf.squeeze, (X,), {"axis": [0]}),
    ("reshape", tf.reshape, (X,), {"shape": [-1, 24, 16]}),
    ("transpose", tf.transpose, (X,), {"perm": [0, 4, 1, 2, 3]}),
    ("repeat", tf.repeat, (X,), {"repeats": 2, "axis": 1}),
    ("tile", tf.tile, (X,), {"multiples": [1, 1, 2, 1, 1]}),
    ("pad", tf.pad, (X,), {"paddings": [[0, 0], [1, 2], [0, 1], [1, 1], [0, 0]], "mode": "CONSTANT"}),
    ("pad", tf.pad, (X,), {"paddings": [[0, 0], [1, 2], [0, 1], [1, 1], [0, 0]], "mode": "REFLECT"}),
    ("linalg.matmul", tf.matmul, (X,), {"b": X, "transpose_b": True}),
    ("nn.max_pool3d", tf.nn.max_pool3d, (X,), {"ksize": 2, "strides": [1, 2, 2, 1, 1], "padding": "SAME"}),
    ("nn.avg_pool3d", tf.nn.avg_pool3d, (X,), {"ksize": [2, 2, 2], "strides": 2, "padding": "VALID"}),
    ("cast", tf.cast, (X > 0,), {"dtype": "float32"}),
    ("where", tf.where, (X > 0,), {"x": X, "y": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "args", "kwargs"), CASES)
def test_as_tensorflow_computes_it(name, function, args, kwargs):
    given, wanted = FUNCTIONS[name](*args, name=None, **kwargs), function(*args, **kwargs)
    for one, other in zip(tf.nest.flatten(given), tf.nest.flatten(wanted), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_gate_lets_these_pass_and_no_others():
    assert set(FUNCTIONS) == gate_names.FUNCTIONS


def test_slices_are_read_as_they_were_written():
    spec = [{"class_name": "__ellipsis__"}, {"start": 1, "stop": -1, "step": None}, None, 0]
    assert index_of(spec) == (Ellipsis, slice(1, -1), None, 0)
    with pytest.raises(ValueError, match="A slice of a tensor"):
        index_of([["mean", 0, 0]])
