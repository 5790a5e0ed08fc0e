"""A .keras file that Keras 2 wrote becomes an .h5 with the same weights, models inside it too."""

from __future__ import annotations

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.replay import computed
from napari_vol3d.io.network_files.keras2_archive import is_of_keras_2, to_h5
from napari_vol3d.models.gate import examine
from tests.engine.test_keras2 import CONV, SCAN, keras_2_record, patch

POLICY = {"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "float32"},
          "registered_name": None}  # fmt: skip


def described(record, module="keras.layers"):
    return {"module": module, "registered_name": None, "build_config": {"input_shape": [None, 8, 8, 8, 1]}, **record}


def twin():
    inner = keras.Input((8, 8, 8, 3))
    inside = keras.Model(inner, layers.BatchNormalization()(layers.Conv3D(3, 3, padding="same")(inner)))
    inside.layers[2].set_weights([np.arange(1.0, 4.0) + number for number in range(4)])
    inputs = keras.Input((8, 8, 8, 1))
    first, last = layers.Conv3D(3, 3, padding="same"), layers.Conv3D(3, 3, padding="same")
    network = keras.Model(inputs, last(inside(layers.LeakyReLU(negative_slope=0.3)(first(inputs)))))
    return network, {"conv3d": first, "functional/layers/conv3d": inside.layers[1],
                     "functional/layers/batch_normalization": inside.layers[2], "conv3d_1": last}  # fmt: skip


def config():
    """The twin, as Keras 2.15 describes it."""
    inside = {
        "class_name": "Functional", "name": "inside", "inbound_nodes": [[["leaky", 0, 0, {}]]],
        "config": {
            "name": "inside", "input_layers": [["inner", 0, 0]], "output_layers": [["norm", 0, 0]],
            "layers": [keras_2_record("InputLayer", "inner", [], batch_input_shape=[None, 8, 8, 8, 3]),
                       keras_2_record("Conv3D", "deep/conv", [("inner", 0)], **CONV, trainable=False),
                       keras_2_record("BatchNormalization", "norm", [("deep/conv", 0)], axis=[4], epsilon=1e-3)],
        },
    }  # fmt: skip
    records = [
        described(SCAN), described(keras_2_record("Conv3D", "first", [("scan", 0)], **CONV, dtype=POLICY)),
        described(keras_2_record("LeakyReLU", "leaky", [("first", 0)], alpha=0.3)),
        described(inside, "keras.src.engine.functional"),
        described(keras_2_record("Conv3D", "last", [("inside", 1)], **CONV)),
    ]  # fmt: skip
    inside = {"name": "two", "layers": records, "input_layers": [["scan", 0, 0]], "output_layers": [["last", 0, 0]]}
    return {"module": "keras.src.engine.functional", "class_name": "Functional", "config": inside,
            "registered_name": "Functional", "compile_config": {"loss": "my_own_loss"}}  # fmt: skip


def write(path, parts, separator="/"):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, layer in parts.items():
            for number, values in enumerate(layer.get_weights()):
                place = name.replace("functional/layers/", f"functional/layers{separator}")
                file[f"layers{separator}{place}/vars/{number}"] = values
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config()))
        file.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        file.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


@pytest.mark.parametrize("separator", ["/", "\\"])  # Windows wrote the other one
def test_weights_find_their_layers(tmp_path, separator):
    network, parts = twin()
    path = write(tmp_path / "two.keras", parts, separator)
    assert is_of_keras_2(path)
    assert dict(examine(path).contents)["Conv3D"] == 3
    wanted = computed(network, [patch(8)])[0]
    assert np.ptp(wanted) > 0.1
    to_h5(path, tmp_path / "made.h5")
    examine(tmp_path / "made.h5")
    read, _ = open_foreign("h5", tmp_path / "made.h5")
    np.testing.assert_allclose(computed(read, [patch(8)])[0], wanted, atol=1e-6)


@pytest.mark.parametrize("nested", [False, True])
def test_weights_of_what_is_called_for_each_slice_find_it(tmp_path, nested):
    image, inputs = keras.Input((8, 8, 1)), keras.Input((8, 8, 8, 1))
    flat = layers.Conv2D(3, 3, padding="same")
    inner = keras.Model(image, flat(image)) if nested else flat
    network = keras.Model(inputs, layers.TimeDistributed(inner)(inputs))
    record = keras_2_record("Conv2D", "flat", [("image", 0)] * nested, **{**CONV, "kernel_size": [3, 3], "strides": 1})
    if nested:
        first = keras_2_record("InputLayer", "image", [], batch_input_shape=[None, 8, 8, 1])
        ends = {"input_layers": [["image", 0, 0]], "output_layers": [["flat", 0, 0]]}
        record = {"class_name": "Functional", "config": {"name": "inner", "layers": [first, record], **ends}}
    written = config()
    written["config"] |= {
        "layers": [SCAN, keras_2_record("TimeDistributed", "each", [("scan", 0)], layer=record)],
        "output_layers": [["each", 0, 0]],
    }
    with zipfile.ZipFile(tmp_path / "two.keras", "w") as file:
        with h5py.File(tmp_path / "w.h5", "w") as weights:
            for number, values in enumerate(flat.get_weights()):
                inside = "layers/conv2d/" if nested else ""
                weights[f"layers/time_distributed/layer/{inside}vars/{number}"] = values
        file.writestr("config.json", json.dumps(written))
        file.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        file.write(tmp_path / "w.h5", "model.weights.h5")
    examine(tmp_path / "two.keras")
    to_h5(tmp_path / "two.keras", tmp_path / "made.h5")
    read, _ = open_foreign("h5", tmp_path / "made.h5")
    np.testing.assert_allclose(computed(read, [patch(8)])[0], computed(network, [patch(8)])[0], atol=1e-6)


def test_the_gate_judges_it_as_it_is_read(tmp_path):
    source = examine(write(tmp_path / "two.keras", twin()[1]))
    assert (source.container, dict(source.contents)["Conv3D"]) == ("keras", 3)
    assert source.notes == ("Written by Keras 2.15.0.",)


def test_missing_weights_are_told(tmp_path):
    parts = twin()[1]
    del parts["conv3d_1"]
    to_h5(write(tmp_path / "two.keras", parts), tmp_path / "made.h5")
    with pytest.raises(ModelProblem, match="can't be loaded"):
        open_foreign("h5", tmp_path / "made.h5")


def test_those_of_keras_3_are_others(tmp_path):
    twin()[0].save(tmp_path / "three.keras")
    assert not is_of_keras_2(tmp_path / "three.keras")
