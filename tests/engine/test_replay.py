"""Calls are made anew in their order, models inside included, at any size, and by whoever is asked to."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.engine.backends import library_errors
from napari_vol3d.engine.replay import computed, is_nested, layers_of, nodes_of, replay
from tests.builders import random_unet


def twice_inside():
    """A model that calls another one twice."""
    inner = keras.Input((8, 8, 8, 2))
    part = keras.Model(inner, layers.Conv3D(2, 3, padding="same", name="inside")(inner), name="part")
    inputs = keras.Input((8, 8, 8, 2))
    return keras.Model(inputs, [layers.Add(name="sum")([part(inputs), part(part(inputs))]), part(inputs)])


def test_the_numbers_are_those_of_the_network_at_sizes_it_was_not_declared_for():
    network = twice_inside()
    scan = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 2)).astype(np.float32)
    for given, wanted in zip(computed(network, [scan]), network(scan), strict=True):
        np.testing.assert_allclose(given, wanted, atol=1e-6)
    assert [each.shape for each in computed(network, [scan[:, :5]])] == [(1, 5, 8, 8, 2)] * 2


def test_each_call_is_seen_once_and_sources_first():
    seen = []
    replay(twice_inside(), ["scan"], lambda layer, args, kwargs, node: seen.append(layer.name) or layer.name)
    assert seen.count("inside") == 4
    assert seen.index("sum") > seen.index("inside")


def test_layers_inside_are_found_once():
    network = twice_inside()
    assert [layer.name for layer in layers_of(network) if layer.weights] == ["inside"]
    assert [is_nested(layer) for layer in network.layers] == [False, True, False]


def test_all_outputs_are_reached():
    network = random_unet(widths=(3, 4, 5), deep_supervision=1)
    assert {node.operation.name for node in nodes_of(network)} == {layer.name for layer in network.layers}


def test_dropout_that_is_always_on_stays_off():
    inputs = keras.Input((4, 4, 4, 1))
    network = keras.Model(inputs, layers.Dropout(0.5)(inputs, training=True))
    np.testing.assert_array_equal(computed(network, [np.ones((1, 4, 4, 4, 1), np.float32)])[0], 1)


def test_what_keras_raises_at_a_call_names_the_layer():
    inputs = keras.Input((None, None, None, 1))
    pooled = layers.UpSampling3D(2)(layers.MaxPooling3D(2)(inputs))
    network = keras.Model(inputs, layers.Concatenate(name="join")([inputs, pooled]))
    with pytest.raises(library_errors()) as raised:
        computed(network, [np.ones((1, 5, 5, 5, 1), np.float32)])
    assert raised.value.__notes__ == ["layer join (Concatenate)"]
