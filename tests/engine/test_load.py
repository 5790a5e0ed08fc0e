"""Only what the card describes is loaded, and what is refused says why."""

from __future__ import annotations

import shutil

import h5py
import keras
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.load import load_network
from napari_vol3d.engine.rewrite import rewrite
from tests.builders import CLASSES, brightness_network, make_card, random_unet


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    network = random_unet()
    network.save(path)
    return path, network


def test_what_was_saved_is_loaded(saved):
    path, network = saved
    patch = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 1)).astype(np.float32)
    card = make_card(path)
    loaded = load_network(path, card)
    np.testing.assert_allclose(loaded.model(patch), network(patch), rtol=1e-4, atol=1e-4)
    assert (loaded.card, loaded.activation, loaded.anatomy) == (card, "none", study(network))


def test_it_is_made_faster_and_says_how(saved):
    path, network = saved
    loaded = load_network(path, make_card(path))
    assert loaded.rewrites == rewrite(network, (16, 16, 16)).done
    assert len(loaded.rewrites) == 2
    assert loaded.anatomy.halo == 9  # of what was saved: it is the same for what was made of it
    kept = {type(layer).__name__ for layer in loaded.model.layers}
    assert not kept & {"BatchNormalization", "Conv3DTranspose"}


@pytest.mark.parametrize("activation", ["none", "softmax", "sigmoid"])
def test_probabilities_are_what_the_outputs_stand_for(tmp_path, activation):
    path = tmp_path / "model.keras"
    brightness_network(scores=2, offsets=(0.0, -0.5)).save(path)
    classes = CLASSES[: 2 if activation == "sigmoid" else 1]
    loaded = load_network(path, make_card(path, output={"classes": classes, "activation": activation}))
    outputs = np.array([[0.0, np.log(3)], [1000, 1000], [0.25, 0.75]], np.float32)
    softmax = [[0.25, 0.75], [0.5, 0.5], [1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(-0.5))]]
    wanted = softmax if activation == "none" else outputs  # without overflow, or taken as they are
    np.testing.assert_allclose(loaded.probabilities(outputs), wanted, rtol=1e-6)


def test_other_bytes_than_the_cards_are_refused(saved):
    path, _ = saved
    card = make_card(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelProblem, match="changed"):
        load_network(path, card)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input": {"channels": ("t1", "t2")}}, "2 channel"),
        ({"output": {"activation": "sigmoid"}}, "2 scores"),
    ],
)
def test_a_card_that_promises_something_else_is_refused(saved, changes, words):
    path, _ = saved
    with pytest.raises(ModelProblem, match=words):
        load_network(path, make_card(path, **changes))


def test_a_network_for_pictures_is_refused(tmp_path):
    inputs = keras.Input((None, None, 1))
    keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs)).save(tmp_path / "flat.keras")
    with pytest.raises(ModelProblem, match="3D patches"):
        load_network(tmp_path / "flat.keras", make_card(tmp_path / "flat.keras"))


def test_a_network_with_two_inputs_is_refused(tmp_path):
    inputs = [keras.Input((None, None, None, 1)) for _ in range(2)]
    both = keras.layers.Conv3D(3, 1)(keras.layers.Concatenate()(inputs))
    keras.Model(inputs, both).save(tmp_path / "two.keras")
    with pytest.raises(ModelProblem, match="Tiny takes"):
        load_network(tmp_path / "two.keras", make_card(tmp_path / "two.keras"))


def test_a_network_with_many_heads_is_refused(tmp_path):
    random_unet(widths=(4, 6, 8), deep_supervision=1).save(tmp_path / "heads.keras")
    with pytest.raises(ModelProblem, match="Tiny gives"):
        load_network(tmp_path / "heads.keras", make_card(tmp_path / "heads.keras"))


def test_a_classifier_is_refused(shared_data, tmp_path):
    path = tmp_path / "classifier_64.h5"
    shutil.copyfile(shared_data / "models" / "refuse" / "classifier_64.h5", path)
    with pytest.raises(ModelProblem, match="scores a voxel"):
        load_network(path, make_card(path))


def test_weights_without_a_network_are_refused(shared_data, tmp_path):
    path = tmp_path / "weights_only_2d.hdf5"
    shutil.copyfile(shared_data / "models" / "refuse" / path.name, path)
    with pytest.raises(ModelProblem, match="can't be loaded"):
        load_network(path, make_card(path))


def test_a_lambda_is_never_run(tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "lambda.keras"
    inputs = keras.Input((None, None, None, 1))
    # Were it run, the file would be there: safe mode has to stop it before.
    code = keras.layers.Lambda(lambda x, where=str(marker): (open(where, "w").close(), x)[1])
    network = keras.Model(inputs, keras.layers.Conv3D(3, 1)(code(inputs)))
    network.save(path)
    marker.unlink(missing_ok=True)
    with pytest.raises(ModelProblem, match="can't be loaded"):
        load_network(path, make_card(path))
    assert not marker.exists()


@pytest.mark.parametrize("name", ["garbage.keras", "garbage.h5"])
@pytest.mark.parametrize("content", [b"", b"nothing like a model", b"PK\x03\x04" + bytes(200), b"\x89HDF\r\n\x1a\n"])
def test_garbage_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelProblem, match="can't be loaded"):
        load_network(path, make_card(path))


@pytest.mark.parametrize("share", [0.2, 0.6, 0.98])
def test_a_half_file_is_refused(saved, share):
    path, _ = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelProblem, match="can't be loaded"):
        load_network(path, make_card(path))


def test_weights_of_another_network_are_refused(tmp_path):
    small, large = tmp_path / "small.h5", tmp_path / "large.h5"
    brightness_network().save(small)
    random_unet().save(large)
    with h5py.File(small, "r+") as target, h5py.File(large) as source:
        target.attrs["model_config"] = source.attrs["model_config"]
    with pytest.raises(ModelProblem, match="can't be loaded"):
        load_network(small, make_card(small))
