"""Layers of add-ons compute what their add-on did, and plain Keras layers take their places."""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import ndtr

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.replay import computed
from napari_vol3d.engine.stand_ins import STAND_INS, ContribInstanceNormalization

RNG = np.random.default_rng(0)
VALUES = RNG.normal(2, 3, (2, 4, 5, 6, 4)).astype(np.float32)


def filled(layer, shape=(None, None, None, None, 4)):
    layer.build(shape)
    layer.set_weights([RNG.normal(1, 0.3, weight.shape) for weight in layer.weights])
    return layer


def test_instance_normalisation_of_addons_is_per_channel():
    layer = filled(STAND_INS["Addons>InstanceNormalization"].from_config(
        {"name": "norm", "groups": -1, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True}
    ))  # fmt: skip
    gamma, beta = layer.get_weights()
    mean, variance = VALUES.mean((1, 2, 3), keepdims=True), VALUES.var((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(layer(VALUES), (VALUES - mean) / np.sqrt(variance + 1e-3) * gamma + beta, atol=1e-4)


def test_group_normalisation_of_addons_keeps_its_groups():
    layer = filled(STAND_INS["Addons>GroupNormalization"].from_config({"name": "norm", "groups": 2, "axis": -1}))
    parts = VALUES.reshape(2, 4, 5, 6, 2, 2)
    mean, variance = parts.mean((1, 2, 3, 5), keepdims=True), parts.var((1, 2, 3, 5), keepdims=True)
    gamma, beta = layer.get_weights()
    wanted = ((parts - mean) / np.sqrt(variance + 1e-3)).reshape(VALUES.shape) * gamma + beta
    np.testing.assert_allclose(layer(VALUES), wanted, atol=1e-4)


@pytest.mark.parametrize("axis", [None, -1])
def test_instance_normalisation_of_keras_contrib_adds_to_the_deviation(axis):
    layer = filled(ContribInstanceNormalization(axis=axis, epsilon=0.5))
    over = (1, 2, 3, 4) if axis is None else (1, 2, 3)
    gamma, beta = layer.get_weights()
    wanted = (VALUES - VALUES.mean(over, keepdims=True)) / (VALUES.std(over, keepdims=True) + 0.5) * gamma + beta
    np.testing.assert_allclose(layer(VALUES), wanted, atol=1e-4)


@pytest.mark.parametrize("first", [False, True])
def test_what_is_written_needs_no_add_on(tmp_path, first):
    order = {"data_format": "channels_first" if first else "channels_last"}
    inputs = keras.Input((1, 8, 8, 8) if first else (8, 8, 8, 1))
    norm = ContribInstanceNormalization(axis=1 if first else -1, name="norm")
    values = norm(layers.Conv3D(3, 3, padding="same", **order)(inputs))
    network = keras.Model(inputs, layers.Conv3D(2, 1, **order)(values))
    norm.set_weights([np.array([1.0, 2.0, 0.5]), np.array([0.1, -0.2, 0.3])])
    path, target = tmp_path / "model.h5", tmp_path / "target.keras"
    network.save(path)
    with h5py.File(path, "r+") as file:
        graph = file.attrs["model_config"]
        file.attrs["model_config"] = graph.replace("ContribInstanceNormalization", "InstanceNormalization")
    report = adopt(Adopt(container="h5", source=str(path), target=str(target)))
    scan = RNG.normal(size=(1, 8, 8, 8, 1)).astype(np.float32)
    wanted = computed(network, [np.moveaxis(scan, -1, 1) if first else scan])[0]
    given = keras.saving.load_model(target, custom_objects={})(scan)
    np.testing.assert_allclose(given, np.moveaxis(wanted, 1, -1) if first else wanted, atol=1e-4)
    assert (report.instance_statistics, report.fixed_size) == (True, None)
    assert b"ContribInstanceNormalization" not in target.read_bytes()


def test_names_that_the_file_has_too_do_no_harm(tmp_path):
    inputs = keras.Input((8, 8, 8, 1))
    values = ContribInstanceNormalization(axis=-1, name="norm")(layers.Conv3D(2, 3, padding="same")(inputs))
    for number in range(60):  # some of them is what Keras calls its next addition
        values = layers.ReLU(name=f"add_{number}" if number else "add")(values)
    network = keras.Model(inputs, values)
    network.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        graph = file.attrs["model_config"]
        file.attrs["model_config"] = graph.replace("ContribInstanceNormalization", "InstanceNormalization")
    keras.backend.clear_session()  # and counts anew, as a process of its own does
    source, target = str(tmp_path / "model.h5"), str(tmp_path / "target.keras")
    assert adopt(Adopt(container="h5", source=source, target=target)).fixed_size is None


def test_a_namesake_of_keras_contribs_is_refused():
    with pytest.raises(ModelProblem, match="InstanceNormalization of layer mine is not that of keras-contrib"):
        STAND_INS["InstanceNormalization"].from_config({"name": "mine", "axis": -1, "epsilon": 1e-5})


@pytest.mark.parametrize("approximate", [True, False])
def test_gelu_of_addons_is_approximate_where_it_says_so(approximate):
    layer = STAND_INS["Addons>GELU"].from_config({"name": "act", "trainable": True, "approximate": approximate})
    inner = np.sqrt(2 / np.pi) * (VALUES + 0.044715 * VALUES**3)
    wanted = VALUES * ((1 + np.tanh(inner)) / 2 if approximate else ndtr(VALUES))
    np.testing.assert_allclose(layer(VALUES), wanted, atol=1e-5)


@pytest.mark.parametrize(("name", "function"), [("Swish", "silu"), ("Addons>Mish", "mish")])
def test_activations_are_keras_own(name, function):
    layer = STAND_INS[name].from_config({"name": "act"})
    np.testing.assert_array_equal(layer(VALUES), getattr(keras.activations, function)(VALUES))
