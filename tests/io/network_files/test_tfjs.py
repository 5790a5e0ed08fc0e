"""TensorFlow.js models become Keras .h5 files with the same weights, bit for bit."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.tfjs import read_tfjs, to_h5
from tests.hostile_models import conv, network, tfjs


def arrays(path):
    """All arrays of a Keras .h5 file, in its own order."""
    found = []
    with h5py.File(path) as file:
        group = file["model_weights"]
        for layer in group.attrs["layer_names"]:
            found += [group[layer][name][...] for name in group[layer].attrs["weight_names"]]
    return found


@pytest.mark.parametrize(
    ("folder", "twin"),
    [("meshnet_t1_gwm", "model5_gw_ae_256fixed.h5"), ("meshnet_t1_3class", "model20chan3cls_256fixed.h5")],
)
def test_real_models_have_the_weights_of_their_twins(shared_data, tmp_path, folder, twin):
    models = shared_data / "models" / folder
    to_h5(models / "tfjs" / "model.json", tmp_path / "net.h5")
    found, truth = arrays(tmp_path / "net.h5"), arrays(models / twin)
    assert len(found) == len(truth) == 20
    for mine, theirs in zip(found, truth, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def edit(path, **changes):
    content = json.loads((path / "model.json").read_text())
    content.update(changes)
    (path / "model.json").write_text(json.dumps(content))
    return path / "model.json"


def test_what_keras_reads_is_there(tmp_path):
    to_h5(tfjs(tmp_path) / "model.json", tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert json.loads(file.attrs["model_config"])["class_name"] == "Functional"
        assert file.attrs["backend"] == "tensorflow"
        assert list(file["model_weights"].attrs["layer_names"]) == [b"input", b"conv"]
        assert file["model_weights/conv/conv/kernel"].shape == (3, 3, 3, 1, 4)


def test_models_that_the_browser_itself_saved(tmp_path):
    """Their topology leaves out a level, and their version is not one of Keras."""
    config = network(conv())
    topology = {"class_name": "Model", "config": config["config"], "keras_version": "tfjs-layers 4.22.0"}
    to_h5(edit(tfjs(tmp_path), modelTopology=topology), tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert file.attrs["keras_version"] == "2.0.0"
        assert json.loads(file.attrs["model_config"])["class_name"] == "Model"


def test_layers_whose_names_have_slashes_get_their_weights(tmp_path):
    model = tfjs(tmp_path, config=network(conv(name="block1/conv")))
    content = json.loads((model / "model.json").read_text())
    for entry in content["weightsManifest"][0]["weights"]:
        entry["name"] = entry["name"].replace("conv/", "block1/conv/", 1)
    (model / "model.json").write_text(json.dumps(content))
    to_h5(model / "model.json", tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert list(file["model_weights"].attrs["layer_names"]) == [b"input", b"block1/conv"]
        assert file["model_weights/block1/conv/block1/conv/kernel"].shape == (3, 3, 3, 1, 4)


def test_layers_that_are_called_for_each_slice_get_their_weights(tmp_path):
    inner = {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4, "kernel_size": [3, 3]}}
    wrapped = {"class_name": "TimeDistributed", "config": {"name": "each", "layer": network(inner)}}
    to_h5(tfjs(tmp_path, config=network(wrapped)) / "model.json", tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert list(file["model_weights/each"].attrs["weight_names"]) == [b"conv/kernel", b"conv/bias"]


def test_names_beyond_one_attribute_are_cut_in_pieces(tmp_path):
    many = [{"class_name": "Activation", "config": {"name": f"{k:04d}" + "x" * 60}} for k in range(1500)]
    to_h5(tfjs(tmp_path, config=network(conv(), *many)) / "model.json", tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        attributes = file["model_weights"].attrs
        assert "layer_names" not in attributes
        assert sum(len(attributes[f"layer_names{k}"]) for k in range(2)) == 1502


def test_graph_models_are_refused_with_a_way_on(tmp_path):
    path = edit(tfjs(tmp_path), format="graph-model", modelTopology={"node": []})
    with pytest.raises(ModelProblem, match="graph model"):
        read_tfjs(path)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": "elsewhere/bias"}, "No layer"), ({"dtype": "string"}, "Not numbers"), ({"shape": [-4]}, "shape"),
        ({"shape": [3]}, "claims"), ({"quantization": {"dtype": "uint4"}}, "Not numbers"),
        ({"shape": "x"}, "shape x"),
        ({"shape": [True, "3", 2.7]}, "shape"), ({"shape": [1] * 40}, "shape"),
        ({"quantization": {"dtype": "uint8", "scale": "inf"}}, "does not describe"),
        ({"quantization": {"dtype": "uint8", "scale": 1, "min": []}}, "does not describe"),
    ],
)  # fmt: skip
def test_weights_that_are_not_as_described(tmp_path, changes, word):
    with pytest.raises(ModelProblem, match=word):
        to_h5(tfjs(tmp_path, **changes) / "model.json", tmp_path / "net.h5")
    assert not (tmp_path / "net.h5").exists()
