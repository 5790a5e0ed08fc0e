"""A file is told by its content, and a model of another kind is named, with a way on."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate import examine
from napari_vol3d.models.gate_kinds import recognise
from tests.hostile_models import h5_file, keras_file, package, saved_model, tfjs
from tests.io.test_zip_files import many_members

OTHERS = (
    ("net.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"),
    ("net.tflite", b"\x1c\0\0\0TFL3" + b"\0" * 99, "Lite"),
    ("net.onnx", b"\x08\x07\x12\x07pytorch" + b"\0" * 99, "ONNX"),
    ("frozen.pb", b"\n\x10\n\x01x\x12\x0bPlaceholder", "frozen"),
    ("net.safetensors", (40).to_bytes(8, "little") + b'{"a":' + b" " * 90, "safetensors"),
    ("net.ckpt.data-00000-of-00001", b"\0" * 99, "checkpoint"), ("readme.txt", b"hello", "a text file"),
    ("x.json", b'{"a": 1}', "a text file"), ("x.bin", b"\1\2\3\4" * 99, "no format known"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "content", "word"), OTHERS)
def test_other_kinds_are_named(tmp_path, name, content, word):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelProblem, match=word) as refusal:
        examine(path)
    assert "Keras" in refusal.value.hint or ".keras" in refusal.value.hint


@pytest.mark.parametrize("name", ["arch.json", "model.json"])
def test_layers_without_weights_are_told_apart(tmp_path, name):
    """As `to_json` writes them; in a folder too, beside the weights."""
    (tmp_path / name).write_text(json.dumps({"class_name": "Functional", "config": {"layers": []}}))
    for path in [tmp_path / name, *[tmp_path] * (name == "model.json")]:
        with pytest.raises(ModelProblem, match="Layers without weights") as refusal:
            examine(path)
        assert "model.save" in refusal.value.hint


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(ModelProblem, match="The folder is empty") as refusal:
        examine(tmp_path)
    assert ".keras" in refusal.value.hint


def test_a_scan_in_hdf5_is_no_model(tmp_path):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["image"] = np.zeros((4, 4, 4))
    with pytest.raises(ModelProblem, match="without a Keras network"):
        examine(tmp_path / "scan.h5")


def test_a_scan_is_no_model(shared_data):
    with pytest.raises(ModelProblem, match="NIfTI"):
        examine(shared_data / "scans" / "t1_crop.nii.gz")


@pytest.mark.parametrize(
    ("make", "inside", "container"),
    [
        (keras_file, "", "keras"), (h5_file, "", "h5"), (saved_model, "", "saved_model"),
        (saved_model, "saved_model.pb", "saved_model"), (saved_model, "variables/variables.index", "saved_model"),
        (tfjs, "", "tfjs"), (tfjs, "model.json", "tfjs"), (package, "", "bioimageio"),
        (package, "rdf.yaml", "bioimageio"),
    ],
)  # fmt: skip
def test_the_model_and_any_file_of_it_are_the_same(tmp_path, make, inside, container):
    path = make(tmp_path)
    assert recognise(path / inside if inside else path).container == container


def test_a_zipped_saved_model_is_one(tmp_path):
    folder = saved_model(tmp_path)
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
    source = examine(tmp_path / "net.zip")
    assert (source.container, source.parameters) == ("saved_model", 108)
    assert source.files == (tmp_path / "net.zip",)


def test_a_folder_of_models_is_asked_which(tmp_path):
    keras_file(tmp_path)
    with pytest.raises(ModelProblem, match=r"net\.keras"):
        examine(tmp_path)


def stardist(folder, **changes):
    config = {
        "n_dim": 3, "n_rays": 96, "n_channel_in": 1, "axes": "ZYXC", "grid": [1, 2, 2], "backbone": "resnet",
        "resnet_n_blocks": 1, "resnet_n_conv_per_block": 1, "resnet_n_filter_base": 4, "resnet_kernel_size": [3, 3, 3],
        "resnet_activation": "relu", **changes,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    with h5py.File(folder / "weights_best.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"conv"])
        file["conv/conv/kernel:0"] = np.zeros((3, 3, 3, 1, 32), np.float32)
    return folder


def test_a_stardist_folder_is_one(tmp_path):
    source = examine(stardist(tmp_path))
    assert (source.container, source.parameters) == ("stardist", 864)
    assert [path.name for path in source.files] == ["config.json", "weights_best.h5"]
    assert source.draft.classes[0].name == "nucleus"
    assert source.draft.intensity.kind == "quantile"
    assert "probability" in source.notes[0]
    assert examine(tmp_path / "config.json").container == "stardist"


def test_a_stardist_folder_for_images_is_refused(tmp_path):
    with pytest.raises(ModelProblem, match="2 dimensions"):
        examine(stardist(tmp_path, n_dim=2))


@pytest.mark.parametrize("channels", ["many", 10_000_000, 0, -1, True, 1.5, None])
def test_a_stardist_folder_says_how_many_channels_it_wants(tmp_path, channels):
    with pytest.raises(ModelProblem, match="n_channel_in"):
        examine(stardist(tmp_path, n_channel_in=channels))


@pytest.mark.parametrize("name", ["config.json", "model.json"])
def test_a_pipe_in_a_folder_is_never_opened(tmp_path, name):
    """Opened to be read, it would wait for a writer for ever."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelProblem, match="pipe"):
        examine(tmp_path)


@pytest.mark.parametrize("name", ["net.zip", "net.keras"])
def test_a_list_of_members_without_end_is_never_read(tmp_path, name):
    path = many_members(tmp_path / name, 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ModelProblem, match="Too many files"):
            examine(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
