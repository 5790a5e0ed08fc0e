"""A layer whose kernel has a length of its own for each filter becomes the layer with the kernel that comes of it."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.rebuild import rebuild
from napari_vol3d.engine.replay import computed
from napari_vol3d.models.gate import examine
from tests.engine.test_keras2 import CONV, SCAN, keras_2_record, patch

RNG = np.random.default_rng(3)
KERNEL, BIAS = RNG.normal(size=(3, 3, 3, 1, 3)).astype(np.float32), RNG.normal(size=3).astype(np.float32)
LENGTHS = np.array([0.5, 2.0, -1.5], np.float32)


def written(path, used=True):
    """Write what Keras 2.15 does of `WeightNormalization(Conv3D(3, 3, activation="relu"))`."""
    inner = {"class_name": "Conv3D", "config": {"name": "conv", **CONV, "activation": "relu", "use_bias": True}}
    records = [SCAN, keras_2_record("Addons>WeightNormalization", "norm", [("scan", 0)], layer=inner, data_init=True)]
    config = {"name": "model", "layers": records, "input_layers": [["scan", 0, 0]], "output_layers": [["norm", 0, 0]]}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"scan", b"norm"]
        group.create_group("scan").attrs["weight_names"] = np.zeros(0, "S1")
        arrays = {"g": LENGTHS, "kernel": KERNEL, "bias": BIAS, "initialized": np.array(used)}
        layer = group.create_group("norm")
        layer.attrs["weight_names"] = [name.encode() for name in arrays]
        for name, values in arrays.items():
            layer[name] = values
    return path


def test_the_kernel_is_folded(tmp_path):
    examine(path := written(tmp_path / "net.h5"))
    network, _ = open_foreign("h5", path)
    made = rebuild(network).network
    (conv,) = [layer for layer in made.layers if isinstance(layer, layers.Conv3D)]
    folded = KERNEL / np.linalg.norm(KERNEL.reshape(-1, 3), axis=0) * LENGTHS
    np.testing.assert_allclose(conv.kernel, folded, rtol=1e-5)
    wanted = np.maximum(keras.ops.conv(patch(8), folded, padding="same") + BIAS, 0)
    np.testing.assert_allclose(made(patch(8)), wanted, atol=1e-5)
    np.testing.assert_allclose(computed(network, [patch(8)])[0], wanted, atol=1e-5)


def test_what_was_never_trained_is_told(tmp_path):
    with pytest.raises(ModelProblem, match="Layer norm was never trained"):
        rebuild(open_foreign("h5", written(tmp_path / "net.h5", used=False))[0])
