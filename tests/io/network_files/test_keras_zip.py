"""A .keras file is three members; copied without training it is the same network."""

from __future__ import annotations

import zipfile

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_zip import copy_without_training, is_keras, read_keras, without_training
from tests.hostile_models import conv, keras_file, network


def test_what_is_stored(tmp_path):
    found = read_keras(keras_file(tmp_path))
    assert found.config["class_name"] == "Functional"
    assert found.weights.layout == "weights"
    assert found.weights.parameters == 112
    assert found.version == "3.15.1"


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_half_a_model_is_told(tmp_path, missing):
    whole = keras_file(tmp_path)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "half.keras", "w") as new:
        for name in old.namelist():
            if name != missing:
                new.writestr(name, old.read(name))
    with pytest.raises(ModelProblem, match=f"holds no {missing}"):
        read_keras(tmp_path / "half.keras")


def test_other_archives_are_none():
    assert is_keras(["config.json", "metadata.json"])
    assert not is_keras(["config.json", "saved_model.pb"])


def test_training_is_taken_out_at_any_depth():
    trained = {"a": [{"compile_config": 1, "b": {"compile_config": 2, "c": 3}}], "compile_config": 4}
    assert without_training(trained) == {"a": [{"b": {"c": 3}}]}


def test_a_copy_without_training_keeps_the_rest(tmp_path):
    inner = {**network(conv()), "compile_config": {"loss": "mse"}}
    source, target = keras_file(tmp_path, network(inner)), tmp_path / "copy.keras"
    copy_without_training(source, target)
    before, after = read_keras(source), read_keras(target)
    assert after.config == without_training(before.config) != before.config
    assert (after.weights, after.version) == (before.weights, before.version)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target) as new:
        assert old.read("model.weights.h5") == new.read("model.weights.h5")
