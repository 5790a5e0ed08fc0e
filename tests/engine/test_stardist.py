"""StarDist folders become probability networks, filled from weights without a graph."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.replay import computed
from napari_vol3d.engine.stardist import build, stardist_network

BASE = {"n_dim": 3, "axes": "ZYXC", "n_channel_in": 1, "n_rays": 6, "n_classes": None, "grid": [1, 2, 2]}
UNET = {
    **BASE, "backbone": "unet", "unet_n_depth": 2, "unet_kernel_size": [3, 3, 3], "unet_n_filter_base": 2,
    "unet_n_conv_per_depth": 2, "unet_pool": [2, 2, 2], "unet_activation": "relu", "unet_last_activation": "relu",
    "unet_batch_norm": False, "unet_dropout": 0.0, "unet_prefix": "", "net_conv_after_unet": 3,
}  # fmt: skip
RESNET = {
    **BASE, "backbone": "resnet", "resnet_n_blocks": 2, "resnet_kernel_size": [3, 3, 3], "resnet_n_filter_base": 2,
    "resnet_n_conv_per_block": 2, "resnet_activation": "relu", "resnet_batch_norm": True, "net_conv_after_resnet": 3,
}  # fmt: skip


def write(folder, config, **changes):
    """Write a folder as StarDist does: no graph, but the weights, layer by layer."""
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(0)
    network = build({**config, **changes})
    network.save(folder / "weights_best.h5")
    (folder / "config.json").write_text(json.dumps(config))
    return network


@pytest.mark.parametrize("config", [UNET, {**UNET, "n_classes": 2, "unet_batch_norm": True}, RESNET])
def test_the_probabilities_come_out_on_the_scans_grid(tmp_path, config):
    network = write(tmp_path / "nuclei", config)
    target = tmp_path / "target.keras"
    report = adopt(Adopt(container="stardist", source=str(tmp_path / "nuclei"), target=str(target), output="prob"))
    scan = np.random.default_rng(0).normal(size=(1, 16, 16, 16, 1)).astype(np.float32)
    wanted = np.asarray(network(scan)[0]).repeat(2, 2).repeat(2, 3)
    np.testing.assert_allclose(keras.saving.load_model(target)(scan), wanted, atol=1e-5)
    assert (report.activation, report.scores, report.fixed_size) == ("sigmoid", 1, None)
    assert [each.name for each in report.outputs] == ["prob", "prob_class"][: 1 + (config["n_classes"] is not None)]
    assert report.outputs[0].stride == (1, 2, 2)


def test_the_layers_are_those_of_the_published_network():
    names = [layer.name for layer in build(UNET).layers if layer.weights]
    assert names[2:] == [
        "down_level_0_no_0", "down_level_0_no_1", "down_level_1_no_0", "down_level_1_no_1", "middle_0", "middle_2",
        "up_level_1_no_0", "up_level_1_no_2", "up_level_0_no_0", "up_level_0_no_2", "features", "prob", "dist",
    ]  # fmt: skip
    widths = {layer.name: layer.filters for layer in build(UNET).layers if layer.weights}
    assert [widths[n] for n in ("down_level_1_no_1", "middle_0", "middle_2", "up_level_1_no_2")] == [4, 8, 4, 2]


def test_biases_ahead_of_a_normalisation_are_found(tmp_path):
    network = write(tmp_path / "nuclei", RESNET, bias=True)
    scan = np.ones((1, 8, 8, 8, 1), np.float32)
    given = computed(stardist_network(tmp_path / "nuclei"), [scan])[0]
    np.testing.assert_allclose(given, network(scan)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backbone": "vgg"}, "backbone vgg"),
        ({"n_dim": 2}, "no StarDist 3D model"),
        ({"grid": [3, 3, 3]}, "powers of 2"),
        ({"unet_n_depth": 1000}, "unet_n_depth is 1000"),
        ({"unet_n_filter_base": 10**6}, "unet_n_filter_base is 1000000"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, changes, words):
    write(tmp_path / "nuclei", UNET)
    (tmp_path / "nuclei" / "config.json").write_text(json.dumps({**UNET, **changes}))
    with pytest.raises(ModelProblem, match=words):
        stardist_network(tmp_path / "nuclei")


def test_a_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(UNET))
    with pytest.raises(ModelProblem, match="no weights"):
        stardist_network(tmp_path)
