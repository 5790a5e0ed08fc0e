"""How a network ends is read off its graph, and checked on what it gives."""

from __future__ import annotations

from contextlib import nullcontext

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.outputs import activation_of, behind_labels, check_scores, settle_activation
from tests.builders import chain

SCAN = np.random.default_rng(0).normal(size=(1, 6, 6, 6, 1)).astype(np.float32)


def network(*parts):
    return chain((None, None, None, 1), *parts)


def settled(*parts):
    model = network(*parts)
    return settle_activation(model, np.asarray(model(SCAN)))


CONV = {"filters": 3, "kernel_size": 1}


@pytest.mark.parametrize(
    ("parts", "ending"),
    [
        ([layers.Conv3D(**CONV, activation="softmax")], "softmax"),
        ([layers.Conv3D(**CONV), layers.Softmax()], "softmax"),
        ([layers.Conv3D(**CONV), keras.ops.sigmoid], "sigmoid"),
        ([layers.Conv3D(**CONV, activation="softmax"), layers.UpSampling3D(2), layers.Cropping3D(1)], "softmax"),
        ([layers.Conv3D(**CONV, activation="sigmoid"), layers.Dropout(0.1)], "sigmoid"),
        ([layers.Conv3D(**CONV)], ""),
        ([layers.Conv3D(**CONV), layers.BatchNormalization()], ""),
        ([layers.Conv3D(**CONV, activation="relu")], "relu"),
        ([layers.Conv3D(**CONV), layers.LeakyReLU()], "leakyrelu"),
        ([layers.Conv3D(**CONV), layers.GlobalAveragePooling3D(keepdims=True)], "?"),
    ],
)
def test_the_ending_is_found(parts, ending):
    assert activation_of(network(*parts)) == ending


def test_several_heads_that_end_alike_end_so():
    inputs = keras.Input((None, None, None, 1))
    heads = [layers.Conv3D(1, 1, activation="sigmoid")(inputs) for _ in range(2)]
    assert activation_of(keras.Model(inputs, layers.Concatenate()(heads))) == "sigmoid"


def test_many_scores_stay_logits():
    _, activation, unsure, changes = settled(layers.Conv3D(3, 1))
    assert (activation, unsure, changes) == ("none", (), ())


def test_what_the_graph_hides_is_guessed_from_the_numbers():
    class Hidden(layers.Layer):
        def call(self, inputs):
            return keras.ops.softmax(inputs * 2)

    _, activation, unsure, _ = settled(layers.Conv3D(3, 1), Hidden())
    assert (activation, unsure) == ("softmax", ("activation",))


def test_one_number_without_bounds_gets_a_sigmoid():
    model, activation, unsure, changes = settled(layers.Conv3D(1, 1))
    assert (activation, unsure, len(changes)) == ("sigmoid", ("activation",), 1)
    assert 0 <= np.min(model(SCAN)) <= np.max(model(SCAN)) <= 1


def test_a_number_that_is_no_score_is_refused():
    with pytest.raises(ModelProblem, match="ends in relu"):
        settled(layers.Conv3D(1, 1, use_bias=False, kernel_initializer="ones"), layers.Rescaling(9.0),
                layers.Activation("relu"))  # fmt: skip


def test_a_softmax_that_sums_to_something_else_is_refused():
    with pytest.raises(ModelProblem, match="does not run along the scores"):
        settled(layers.Conv3D(3, 1), layers.Softmax(axis=1))


def test_the_sigmoid_that_is_added_has_a_name_of_its_own():
    """A layer called "activation", as Keras names them, may lie in the file already."""
    parts = layers.Conv3D(4, 1), layers.Activation("relu", name="activation"), layers.Conv3D(1, 1, name="probability")
    ended, activation, _, _ = settled(*parts)
    assert activation == "sigmoid"
    assert len({layer.name for layer in ended.layers}) == len(ended.layers) == 5


@pytest.mark.parametrize(("ending", "stride", "fits"), [("relu", 1, True), ("relu", 4, False), ("softmax", 2, True)])
def test_features_on_a_coarse_grid_are_no_scores(ending, stride, fits):
    with nullcontext() if fits else pytest.raises(ModelProblem, match="features, not scores: it ends in relu"):
        check_scores(ending, (1, stride, stride))


def test_of_labels_the_scores_behind_them_are_taken():
    scores = chain((None, None, None, 1), layers.Conv3D(3, 1, activation="softmax"))
    given = scores.inputs[0]
    labels = ops.cast(ops.expand_dims(ops.argmax(scores.outputs[0], axis=-1), -1), "float32")
    for end in (labels, scores.outputs[0], ops.cast(scores.outputs[0], "float32")):
        found = behind_labels(keras.Model(given, end).outputs[0])
        assert found.shape[-1] == 3
        assert keras.Model(given, found).count_params() == scores.count_params()
    deepest = keras.Model(given, ops.argmax(scores.outputs[0], axis=2)).outputs[0]  # a place, and no class
    assert behind_labels(deepest) is deepest


def test_a_tanh_is_named():
    assert settled(layers.Conv3D(1, 1, activation="tanh"))[3] == (
        "A sigmoid was added behind its tanh: above 0 is the object.",
    )
