"""Keras networks as JSON: what is on the list passes wherever it stands, and what is not is named."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate_layers import judge_network
from tests.hostile_models import FILTERS, conv, keras3, network


def by_slice(layer):
    return keras3("each", "TimeDistributed", {"layer": layer})


def test_layers_are_counted_at_any_depth():
    inner = {**network(conv("a"), conv("b")), "name": "inner", "inbound_nodes": []}
    seen = judge_network(network(conv(), inner), "net")
    assert dict(seen.contents) == {"Conv3D": 3, "InputLayer": 2}
    assert seen.fewest == 3 * 27 * FILTERS


def test_channels_count_where_they_are_said():
    wide = {**conv(), "build_config": {"input_shape": [None, 8, 8, 8, 10]}}
    assert judge_network(network(wide), "net").fewest == 27 * 10 * FILTERS
    first = {**conv(data_format="channels_first"), "build_config": {"input_shape": [None, 10, 8, 8, 8]}}
    assert judge_network(network(first), "net").fewest == 27 * 10 * FILTERS


def test_numbers_without_sense_stay_numbers_that_can_be_said():
    wide = {**conv(), "build_config": {"input_shape": [None, 8, 8, 8, 10**4000]}}
    assert len(str(judge_network(network(wide), "net").fewest)) < 30


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Conv3D", "config": {"name": "a", "kernel_initializer": {"class_name": "Zeros", "config": {}}}},
        {"class_name": "TFOpLambda", "config": {"name": "a", "function": "nn.relu"}},
        {"class_name": "Addons>InstanceNormalization", "config": {"name": "a"}},
        keras3("a", "InstanceNormalization", {}, module="somebody.layers"),
        keras3("a", "Relu", {}, module="keras.src.ops.nn"),
        keras3("a", "Conv3D", {}, module="keras.src.layers.convolutional.conv3d"),
        keras3("a", "Conv3D", {}, module="tensorflow.python.keras.layers.convolutional"),
        keras3("a", "Activation", {"activation": {"class_name": "function", "config": "silu", "module": "builtins"}}),
        keras3("a", "Conv3D", {"dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}}),
        keras3("a", "Functional", {"layers": []}, module="keras.src.engine.functional"),
        by_slice(keras3("b", "Conv2D", {"filters": 2, "kernel_size": [3, 3]})),
        {"class_name": "TimeDistributed", "config": {"layer": {"class_name": "UpSampling2D", "config": {"size": 2}}}},
        by_slice(network(keras3("b", "MaxPooling2D", {}))),
    ],
)
def test_what_keras_2_and_3_write_passes(layer):
    judge_network(network(conv(), layer), "net")


def test_a_sequential_network_of_the_oldest_kind_passes():
    seen = judge_network({"class_name": "Sequential", "config": [{"class_name": "Conv3D", "config": {}}]}, "net")
    assert dict(seen.contents) == {"Conv3D": 1}


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (network(conv(), keras3("x", "Conv2D", {})), "3D network: Conv2D"),
        (network(by_slice(conv()), keras3("y", "Conv2D", {})), "3D network: Conv2D"),
        (network(by_slice(keras3("y", "Conv1DTranspose", {}))), "Conv1DTranspose"),
        (network(by_slice(keras3("y", "Conv2D", {}, module="mine"))), "3D network: Conv2D"),
        (network(by_slice(keras3("y", "Conv2D", {"filters": 0}))), "filters of Conv2D"),
        (network(by_slice(by_slice(conv()))), "Slices of slices"),
        (network(conv(), keras3("x", "CoordinateChannel3D", {}, module="mine")), "Positions in a patch count: Coord"),
        (network(conv(), keras3("x", "CoordConv", {}, module="mine")), "Positions in a patch count: CoordConv"),
        (network(conv(activation="my_own")), "my_own"),
        (network(conv(), keras3("x", "Relu", {}, module="keras.src.opsy")), "Relu"),
        (network(conv(), keras3("x", "Conv3D", {}, module="kerasx.layers")), "kerasx"),
        (network(conv(kernel_initializer={"class_name": "MyInit", "config": {}})), "MyInit"),
        (network(conv(), {"module": "os", "config": {}}), "os"),
        (network(conv(), {"class_name": ["Lambda"], "config": {}}), "Lambda"),
        (network(conv(kernel_size=[4096] * 200_000)), "more than 6 numbers"),
        (network(conv(padding=[[[[1] * 9]]])), "more than 6 numbers"),
        (network(conv(filters=10**50)), "Absurd size: filters"),
        (network(keras3("x", "Dense", {"units": 10**50})), "Absurd size: units"),
        ([], "no class"),
        ({"class_name": "Conv3D", "config": {}}, "Conv3D"),
        ({"class_name": "Functional", "config": {"layers": []}}, "no layers"),
    ],
)
def test_what_is_not_on_the_list_is_named(config, word):
    with pytest.raises(ModelProblem, match=word):
        judge_network(config, "net")


def test_a_refusal_names_the_layer_and_what_is_known():
    with pytest.raises(ModelProblem) as refusal:
        judge_network(network(conv(), keras3("secret_3", "MyLayer", {}, module="my")), "net")
    assert "MyLayer" in refusal.value.message[:40]
    assert "'secret_3'" in refusal.value.message
    assert "InstanceNormalization" in refusal.value.hint


def test_a_class_of_its_own_hides_how_it_computes():
    with pytest.raises(ModelProblem, match="No graph of layers: net is a Segmenter of the module lab") as refusal:
        judge_network({"class_name": "Segmenter", "module": "lab", "config": {}}, "net")
    assert "SavedModel" in refusal.value.hint


def test_rounded_weights_are_called_so():
    policy = {"module": "keras.dtype_policies", "class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}
    with pytest.raises(ModelProblem, match="Quantised: weights, in layer 'x'") as refusal:
        judge_network(network(keras3("x", "Dense", {"units": 3, "dtype": policy, "name": "x"})), "net")
    assert "float32" in refusal.value.hint
