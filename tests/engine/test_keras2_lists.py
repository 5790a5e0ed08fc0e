"""A Sequential that was written as a list of its layers is read as the same network."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.keras2_lists import recorded
from napari_vol3d.engine.replay import computed

INPUT = {"batch_input_shape": [None, 8, 8, 8, 1], "dtype": "float32"}
FIRST = {"name": "first", "filters": 3, "kernel_size": [3, 3, 3], "padding": "same", "activation": "relu"}
LAST = {"name": "last", "filters": 2, "kernel_size": [1, 1, 1]}


def listed(*configs):
    return {"class_name": "Sequential", "config": [{"class_name": "Conv3D", "config": each} for each in configs]}


def inside(network):
    """Give the description of a network that has another inside."""
    scan = {"class_name": "InputLayer", "name": "scan", "inbound_nodes": [], "config": {**INPUT, "name": "scan"}}
    calls = [[["scan", 0, 0, {}]]]
    config = {
        "name": "outer", "layers": [scan, {**network, "name": "inner", "inbound_nodes": calls}],
        "input_layers": [["scan", 0, 0]], "output_layers": [["inner", 1, 0]],
    }  # fmt: skip
    return {"class_name": "Model", "config": config}


@pytest.mark.parametrize("wrapped", [lambda network: network, inside], ids=["alone", "inside"])
def test_a_list_of_layers_is_read_with_its_weights(tmp_path, wrapped):
    shape = (8, 8, 8, 1)
    chain = [layers.Conv3D(3, 3, padding="same", activation="relu", name="first"), layers.Conv3D(2, 1, name="last")]
    twin = keras.Sequential([keras.Input(shape), *chain], name="inner")
    outer = wrapped is inside
    saved = keras.Model(scan := keras.Input(shape, name="scan"), twin(scan)) if outer else twin
    saved.save(path := tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(wrapped(listed({**FIRST, **INPUT}, LAST))).encode()
        file.attrs["keras_version"] = "2.1.6"
    patch = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    found = open_foreign("h5", path)[0]
    np.testing.assert_allclose(computed(found, [patch])[0], twin(patch), atol=1e-6)
    assert found.of_keras_2


def test_other_descriptions_stay_as_they_are():
    record = {"class_name": "Sequential", "config": {"name": "net", "layers": [{"class_name": "ReLU", "config": {}}]}}
    assert recorded(record) == record
    assert recorded([1, "x", None]) == [1, "x", None]


def test_the_first_layer_of_a_record_may_tell_the_input_too(tmp_path):
    """Keras 2.2.3 to 2.3 wrote so."""
    twin = keras.Sequential([keras.Input((8, 8, 8, 1)), layers.Conv3D(3, 3, padding="same", activation="relu")])
    twin.save(path := tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(recorded(listed({**FIRST, **INPUT})))
    patch = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(computed(open_foreign("h5", path)[0], [patch])[0], twin(patch), atol=1e-6)
