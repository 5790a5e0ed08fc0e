"""What others stored is opened as it was, and what can't be opened says why, without a path."""

from __future__ import annotations

import shutil
import warnings

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.foreign import open_foreign, steepen
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.replay import computed

ANY = (None, None, None)


def opened(container, path):
    return open_foreign(container, path)[0]


def adopted(tmp_path, container, source):
    copy = tmp_path / f"copy{source.suffix}"
    shutil.copy(source, copy)
    report = adopt(Adopt(container=container, source=str(copy), target=str(tmp_path / "target.keras")))
    return report, keras.saving.load_model(tmp_path / "target.keras")


def patch(edge=24, channels=1):
    return np.random.default_rng(0).normal(size=(1, edge, edge, edge, channels)).astype(np.float32)


# ---- real models, by others


@pytest.mark.parametrize(
    ("folder", "stored", "free", "size"),
    [
        ("meshnet_t1_gwm", "model5_gw_ae_256fixed.h5", "model5_gw_ae_anysize.keras", 256),
        ("meshnet_t1_gwm", "model5_gw_ae_64patch.keras", "model5_gw_ae_anysize.keras", 64),
        ("deepbrain_mask", "graph_v2_128fixed.keras", "graph_v2_anysize.keras", 128),
    ],
)
def test_a_real_model_of_one_size_is_freed(tmp_path, shared_data, folder, stored, free, size):
    models = shared_data / "models" / folder
    report, network = adopted(tmp_path, "h5" if stored.endswith("h5") else "keras", models / stored)
    assert (report.fixed_size, report.patch_size) == (None, (size,) * 3)
    assert (report.reach, report.activation) == {"meshnet_t1_gwm": (46, "none"), "deepbrain_mask": (35, "sigmoid")}[
        folder
    ]
    wanted = keras.saving.load_model(models / free, compile=False)
    np.testing.assert_allclose(network(patch()), wanted(patch()), atol=1e-4)


def test_a_real_model_with_channels_first_is_turned(tmp_path, shared_data):
    source = shared_data / "models" / "keras2_lesion_patch48" / "t2_ax_lesion.h5"
    report, network = adopted(tmp_path, "h5", source)
    assert (report.channels, report.scores, report.activation, report.fixed_size) == (1, 1, "sigmoid", None)
    original = keras.saving.load_model(source, compile=False)
    scan = patch(22)  # Keras adds biases along x where there are as many voxels as filters
    wanted = computed(original, [np.moveaxis(scan, -1, 1)])[0]
    np.testing.assert_allclose(network(scan), np.moveaxis(wanted, 1, -1), atol=1e-4)


def test_a_real_classifier_is_refused(tmp_path, shared_data):
    with pytest.raises(ModelProblem, match="The output is 1 number a scan, not a score a voxel"):
        adopted(tmp_path, "h5", shared_data / "models" / "refuse" / "classifier_64.h5")


@pytest.mark.parametrize("container", ["h5", "weights"])
def test_real_weights_without_a_model_are_refused(tmp_path, shared_data, container):
    with pytest.raises(ModelProblem, match="weights without a model"):
        adopted(tmp_path, container, shared_data / "models" / "refuse" / "weights_only_2d.hdf5")


# ---- what can't be opened


def test_damage_is_said(tmp_path):
    whole = tmp_path / "whole.keras"
    keras.Sequential([keras.Input((*ANY, 1)), layers.Conv3D(2, 1)]).save(whole)
    halves = {"half.keras": whole.read_bytes()[:2000], "none.keras": b"", "half.h5": b"\x89HDF\r\n\x1a\n"}
    for name, content in halves.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelProblem, match="it is damaged, or not all of it is there") as refused:
            opened("h5" if name.endswith("h5") else "keras", tmp_path / name)
        assert str(tmp_path) not in str(refused.value)


@keras.saving.register_keras_serializable(package="Somebody")
class Unheard(layers.Layer):
    """A layer that only this test knows."""

    def call(self, inputs):
        return inputs * 2


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_strangers_layer_is_named(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"model{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.Sequential([keras.Input((*ANY, 1)), layers.Conv3D(2, 1), Unheard()]).save(path)
    monkeypatch.delitem(keras.saving.get_custom_objects(), "Somebody>Unheard")
    with pytest.raises(ModelProblem, match="Unheard, which is not part of Keras"):
        opened(suffix[1:], path)


def test_a_lambda_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((*ANY, 1)), layers.Conv3D(2, 1), layers.Lambda(lambda x: x * 2)]).save(path)
    with pytest.raises(ModelProblem, match="a Lambda layer, which is a program"):
        opened("keras", path)


def learning(path):
    inputs = keras.Input((8, 8, 8, 1))
    values = layers.BatchNormalization(moving_mean_initializer="ones", name="norm")(inputs, training=True)
    model = keras.Model(inputs, layers.Conv3D(2, 1)(values))
    model.save(path)
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_batch_normalisation_uses_what_predict_uses(tmp_path, suffix):
    model = learning(tmp_path / f"model{suffix}")
    report, network = adopted(tmp_path, suffix[1:], tmp_path / f"model{suffix}")
    np.testing.assert_allclose(network(patch(8)), model.predict(patch(8), verbose=0), atol=1e-5)
    assert not report.instance_statistics
    assert any("stored averages" in change for change in report.changes)


def test_batch_normalisation_of_keras_2_takes_each_patch_as_it_was_told(tmp_path):
    # There an argument of the call counts more than `predict`.
    model = learning(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace("batch_shape", "batch_input_shape")
    wanted = model(patch(8), training=True)
    report, network = adopted(tmp_path, "h5", tmp_path / "model.h5")
    np.testing.assert_allclose(network(patch(8)), wanted, atol=1e-5)
    assert report.instance_statistics


def test_a_saved_model_that_learns_on_is_refused_in_plain_words(tmp_path):
    learning(tmp_path / "model.keras").export(tmp_path / "saved", verbose=False)
    with pytest.raises(ModelProblem, match=r"learns on as it runs: layer norm\w* changes its weights"):
        opened("saved_model", tmp_path / "saved")


@pytest.mark.parametrize(
    ("attribute", "old", "new", "words"),
    [
        ("model_config", '"strides"', '"steps"', "Keras can't read how layer first is set"),
        ("model_config", '"filters": 2', '"filters": 3', "the weights of layer first are not those that"),
    ],
)
def test_what_keras_says_at_length_is_one_sentence(tmp_path, attribute, old, new, words):
    path = tmp_path / "model.h5"
    keras.Sequential([keras.Input((8, 8, 8, 1)), layers.Conv3D(2, 1, name="first")]).save(path)
    with h5py.File(path, "r+") as file:
        file.attrs[attribute] = file.attrs[attribute].replace(old, new)
    with pytest.raises(ModelProblem, match=words):
        opened("h5", path)


def test_a_hard_sigmoid_inside_a_layer_is_refused():
    inputs = keras.Input((4, 8, 8, 1))
    model = keras.Model(inputs, layers.ConvLSTM2D(2, 3, recurrent_activation="hard_sigmoid", name="memory")(inputs))
    with pytest.raises(ModelProblem, match="hides a hard sigmoid"):
        steepen(model)
