"""The gate lets pass what people build with Keras, and says what it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models import gate
from napari_vol3d.models.card import sha256_of
from napari_vol3d.models.gate import examine, require_safe, root_of
from napari_vol3d.models.gate_names import FUNCTIONS, STAND_INS
from napari_vol3d.models.store import BUNDLED
from tests.hostile_models import h5_file, keras_file, network, saved_model, tfjs

ROOT = Path(__file__).resolve().parents[2]
REAL = (
    ("meshnet_t1_gwm/model5_gw_ae_anysize.keras", "keras", 5598), ("meshnet_t1_gwm/savedmodel", "saved_model", 5598),
    ("meshnet_t1_gwm/model5_gw_ae_64patch.keras", "keras", 5598), ("meshnet_t1_gwm/tfjs", "tfjs", 5598),
    ("meshnet_t1_gwm/model5_gw_ae_256fixed.h5", "h5", 5598), ("meshnet_t1_3class/tfjs/model.json", "tfjs", 87183),
    ("meshnet_t1_gwm/savedmodel/variables/variables.index", "saved_model", 5598),
    ("meshnet_t1_3class/model20chan3cls_256fixed.h5", "h5", 87183),
    ("deepbrain_mask/graph_v2_128fixed.keras", "keras", 685073),
    ("deepbrain_mask/graph_v2_anysize.keras", "keras", 685073),
    ("keras2_lesion_patch48/t2_ax_lesion.h5", "h5", 208865),
    ("refuse/classifier_64.h5", "h5", 339553),  # Keras' own layers in a sound file: what comes out is told later
)  # fmt: skip
ENDINGS = {".keras": "keras", ".h5": "h5", ".weights.h5": "weights", "_export": "saved_model", "_saved": "saved_model"}


@pytest.fixture(scope="module")
def friendly(tmp_path_factory) -> Path:
    """Networks in all containers that Keras writes, made by TensorFlow in a process of its own."""
    folder = tmp_path_factory.mktemp("friendly")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tests.friendly_models", folder]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    return folder


@pytest.mark.parametrize(("name", "container", "parameters"), REAL)
def test_real_models_pass(shared_data, name, container, parameters):
    source = examine(shared_data / "models" / name)
    assert (source.container, source.parameters) == (container, parameters)
    assert source.size == sum(path.stat().st_size for path in source.files)
    assert source.contents
    assert source.draft.title


def test_weights_of_a_2d_network_are_refused(shared_data):
    with pytest.raises(ModelProblem, match="2 dimensions"):
        examine(shared_data / "models" / "refuse" / "weights_only_2d.hdf5")


def test_the_bundled_model_passes_with_its_card():
    source = examine(BUNDLED / "hippocampus-t1")
    assert source.container == "vol3d"
    assert source.draft.name == "hippocampus-t1"
    assert dict(source.contents)["Conv3D"] == 22


@pytest.mark.parametrize("network", ["unet", "nested", "functions", "branches"])
@pytest.mark.parametrize("ending", list(ENDINGS))
def test_what_people_build_passes_in_every_container(friendly, network, ending):
    source = examine(friendly / f"{network}{ending}")
    assert source.container == ENDINGS[ending]
    whole = examine(friendly / f"{network}.h5").parameters
    assert whole <= source.parameters <= whole + 8  # seeds of drop-out, and numbers of the optimizer, count there too


@pytest.mark.parametrize(
    ("kind", "most"), [("float32", 0.0), ("float16", 2e-3), ("uint16", 1e-4), ("uint8", 2e-2)]
)
@pytest.mark.parametrize("network", ["unet", "nested", "branches"])
def test_a_network_that_went_to_the_browser_and_back_gives_the_same_scores(friendly, network, kind, most):
    assert examine(friendly / f"{network}_{kind}_web").container == "tfjs"
    apart = json.loads((friendly / "report.json").read_text())["apart"]
    assert apart[f"{network} {kind}"] <= most


def test_all_that_the_engine_has_stand_ins_for_is_on_the_list(friendly):
    report = json.loads((friendly / "report.json").read_text())
    assert set(report["functions"]) <= FUNCTIONS
    assert set(report["stand_ins"]) <= STAND_INS


def test_names_do_not_matter(tmp_path):
    path = keras_file(tmp_path).rename(tmp_path / "scan.nii.gz")
    assert examine(path).container == "keras"
    assert examine(h5_file(tmp_path).rename(tmp_path / "net.keras")).container == "h5"


def test_one_file_is_trusted_by_its_own_hash(tmp_path):
    path = keras_file(tmp_path)
    assert examine(path).sha256 == sha256_of(path)


def test_several_files_are_trusted_together_wherever_they_lie(tmp_path):
    source = examine(saved_model(tmp_path))
    shutil.copytree(source.path, tmp_path / "elsewhere" / "saved")
    again = examine(tmp_path / "elsewhere" / "saved")
    assert again.sha256 == source.sha256
    assert root_of(source) == source.path
    (again.path / "variables" / "variables.index").write_bytes(b"other")
    assert examine(again.path).sha256 != source.sha256


def test_what_is_not_part_of_the_model_does_not_matter(tmp_path):
    source = examine(tfjs(tmp_path))
    (source.path / "notes.txt").write_text("seen")
    assert examine(source.path) == source
    assert [path.name for path in source.files] == ["model.json", "group1-shard1of1.bin"]


def test_custom_losses_are_of_no_interest(tmp_path):
    loss = {"class_name": "function", "module": "my.losses", "config": "dice", "registered_name": "dice"}
    whole = network(*network()["config"]["layers"], compile_config={"loss": loss, "metrics": [loss]})
    assert examine(keras_file(tmp_path, whole)).container == "keras"

    def trained(file):
        file.attrs["training_config"] = json.dumps({"loss": "my_dice", "metrics": [{"class_name": "MyMetric"}]})

    assert examine(h5_file(tmp_path, write=trained)).container == "h5"


def test_a_file_that_passed_is_judged_again_only_when_it_changed(tmp_path, monkeypatch):
    judged = []
    judge = gate.judge_network
    monkeypatch.setattr(gate, "judge_network", lambda config, name: judged.append(name) or judge(config, name))
    path = keras_file(tmp_path)
    require_safe(path)
    require_safe(path)
    assert judged == ["net.keras"]
    keras_file(tmp_path, network(*network()["config"]["layers"], name="changed"))
    require_safe(path)
    assert len(judged) == 2


def test_what_is_not_there_is_said_in_one_sentence(tmp_path):
    for look in (examine, require_safe):
        with pytest.raises(ModelProblem, match=r"nothing\.keras"):
            look(tmp_path / "nothing.keras")
