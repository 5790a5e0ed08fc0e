"""Hostile models are refused for the right reason, touch nothing, and cost nothing; the same without malice pass."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_zip import copy_without_training
from napari_vol3d.models.gate import examine, require_safe
from tests import hostile_crafted, hostile_models
from tests.hostile_models import HOSTILE

CHEAP_BYTES = 48 << 20
# A SavedModel that writes when it is loaded, made and loaded by TensorFlow itself.
AT_LOAD = """
import pathlib, sys, tensorflow as tf
class Evil(tf.saved_model.experimental.TrackableResource):
    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="evil")
    def _initialize(self):
        tf.raw_ops.WriteFile(filename=sys.argv[2], contents="x")
    def _destroy_resource(self):
        pass
class Net(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 4, 4, 4, 1])])
    def __call__(self, x):
        return tf.nn.conv3d(x, tf.ones([3, 3, 3, 1, 1]), [1] * 5, "SAME") + 0 * float(self.evil.resource_handle is None)
net = Net()
net.evil = Evil()
tf.saved_model.save(net, sys.argv[1])
assert not pathlib.Path(sys.argv[2]).exists()
tf.saved_model.load(sys.argv[1])
"""


def listing(folder: Path) -> list[tuple[str, int, int]]:
    found = [(path, path.lstat()) for path in sorted(folder.rglob("*"))]
    return [(str(path), status.st_size, status.st_mtime_ns) for path, status in found]


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_models_are_refused_and_nothing_happens(name, tmp_path):
    maker, word = HOSTILE[name]
    folder = tmp_path / "there"
    folder.mkdir()
    marker = tmp_path / "marker"
    path = maker(folder, marker)
    before = listing(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(ModelProblem) as refusal:
            examine(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert word.lower() in str(refusal.value).lower()
    assert str(tmp_path) not in str(refusal.value).replace(str(path), "")
    assert not marker.exists()
    assert listing(tmp_path) == before
    assert peak < CHEAP_BYTES


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 100
    assert HOSTILE["networks_that_double"][0] is hostile_crafted.networks_that_double


@pytest.mark.parametrize(
    ("make", "container"),
    [
        ("keras_file", "keras"), ("h5_file", "h5"), ("saved_model", "saved_model"), ("tfjs", "tfjs"),
        ("package", "bioimageio"),
    ],
)
def test_without_malice_the_same_models_pass(make, container, tmp_path):
    source = examine(getattr(hostile_models, make)(tmp_path))
    assert source.container == container
    assert source.parameters in (108, 112)


@pytest.mark.parametrize("name", ["lambda_in_keras", "unknown_layer", "bomb_in_the_config", "external_storage"])
def test_none_is_run_as_a_model_of_ours(name, tmp_path):
    maker, word = HOSTILE[name]
    with pytest.raises(ModelProblem, match=f"(?i){word}"):
        require_safe(maker(tmp_path, tmp_path / "marker"))


def test_a_saved_model_that_writes_at_load_is_refused_before_it_is_loaded(tmp_path):
    """The payload is real: TensorFlow itself runs it when it loads the folder, and the gate does not."""
    folder, marker = tmp_path / "saved", tmp_path / "marker"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", AT_LOAD, folder, marker], check=True, capture_output=True, env=environment)
    assert marker.exists()
    marker.unlink()
    with pytest.raises(ModelProblem, match=r"WriteFile|resource"):
        examine(folder)
    assert not marker.exists()


def nested_with_a_loss(folder: Path, marker: Path) -> Path:
    loss = hostile_models.lambda_layer(marker)
    inner = {**hostile_models.network(hostile_models.conv()), "compile_config": {"loss": loss}, "name": "inner_net"}
    return hostile_models.keras_file(folder, hostile_models.network(inner))


def test_how_a_nested_network_was_trained_is_taken_out_and_never_loaded(tmp_path):
    path = nested_with_a_loss(tmp_path, tmp_path / "marker")
    assert examine(path).container == "keras"
    with pytest.raises(ModelProblem, match="Lambda"):  # this file is not to be loaded as it is
        require_safe(path)
    target = tmp_path / "plain.keras"
    copy_without_training(path, target)
    require_safe(target)
    assert b"compile_config" not in zipfile.ZipFile(target).read("config.json")
    assert not (tmp_path / "marker").exists()
