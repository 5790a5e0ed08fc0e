"""Models of others become models of ours: the same network through every container, nothing left behind."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models import gate
from napari_vol3d.models.card import CARD_NAME, sha256_of
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.gate import examine
from napari_vol3d.models.library import WEIGHTS_NAME, state_of
from napari_vol3d.models.store import find_model
from napari_vol3d.models.trust import is_trusted
from napari_vol3d.pipeline import child
from napari_vol3d.pipeline.adopt import adopt, drop, keep, look
from tests.builders import finish

CONTAINERS = {
    "tfjs": "meshnet_t1_gwm/tfjs", "saved_model": "meshnet_t1_gwm/savedmodel",
    "h5": "meshnet_t1_gwm/model5_gw_ae_256fixed.h5", "keras": "meshnet_t1_gwm/model5_gw_ae_64patch.keras",
}  # fmt: skip
ANY_SIZE = "meshnet_t1_gwm/model5_gw_ae_anysize.keras"


def scores_of(weights):
    """What Keras alone makes of a patch with the network in a file."""
    import keras

    patch = np.random.default_rng(0).random((1, 21, 18, 24, 1), np.float32)
    return np.asarray(keras.saving.load_model(weights, compile=False, safe_mode=True)(patch))


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def adopted(path, **more):
    return finish(adopt(finish(look(path))[1], **more))[1]


@pytest.mark.parametrize("container", CONTAINERS)
def test_one_network_through_every_container(shared_data, own, container):
    path = shared_data / "models" / CONTAINERS[container]
    adoption = adopted(path)
    facts = adoption.facts
    assert adoption.source.container == container
    assert (facts.channels, facts.scores, facts.fixed_size, facts.multiple) == (1, 3, None, 1)
    assert (facts.reach, facts.parameters, facts.activation) == (46, 5598, "none")
    np.testing.assert_allclose(scores_of(adoption.weights), scores_of(shared_data / "models" / ANY_SIZE), atol=1e-5)
    model = keep(adoption, adoption.draft)
    assert state_of(model) == ""
    assert model.origin == "added"
    assert model.card.source.sha256 == adoption.source.sha256
    assert is_trusted(adoption.source.sha256)
    assert find_model(model.card.name) == model
    assert not adoption.weights.parent.exists()
    assert not list(child._alive)  # its engine is gone


def test_one_file_gives_one_network_whoever_adds_it(shared_data, own):
    one, other = (adopted(shared_data / "models" / ANY_SIZE) for _ in range(2))
    assert sha256_of(one.weights) == sha256_of(other.weights)
    drop(one)
    drop(other)


def test_a_model_with_a_card_of_ours_keeps_it(own, tmp_path):
    bundled = find_model("hippocampus-t1")
    copy = shutil.copytree(bundled.folder, tmp_path / "copy")
    adoption = adopted(copy, said=CardDraft(name="mine"))
    assert adoption.guessed == ()
    card = keep(adoption, adoption.draft).card
    assert (card.validation, card.training, card.inference) == (
        bundled.card.validation, bundled.card.training, bundled.card.inference,
    )  # fmt: skip
    assert card.input == bundled.card.input
    assert card.output == bundled.card.output


def test_what_is_dropped_leaves_nothing(shared_data, own):
    adoption = adopted(shared_data / "models" / CONTAINERS["keras"])
    drop(adoption)
    assert not adoption.weights.parent.exists()
    assert not own.exists()


def test_what_labels_no_voxels_is_refused(shared_data, own):
    with pytest.raises(ModelProblem, match="1 number a scan"):
        adopted(shared_data / "models" / "refuse" / "classifier_64.h5")
    assert not own.exists()
    assert not list(child._alive)


def test_files_that_change_after_they_were_looked_at(tmp_path, own, shared_data):
    copy = shutil.copyfile(shared_data / "models" / CONTAINERS["keras"], tmp_path / "net.keras")
    source = examine(copy)
    shutil.copyfile(shared_data / "models" / "meshnet_t1_gwm" / "model5_gw_ae_anysize.keras", copy)
    with pytest.raises(ModelProblem, match="has changed since it was looked at"):
        finish(adopt(source))


def test_what_is_judged_is_what_is_kept_whatever_the_engine_does_to_its_file_then(shared_data, own, monkeypatch):
    judged, judge = [], gate.require_safe

    def judge_and_swap(path):
        judge(path)
        judged.append(sha256_of(path))
        (engine,) = child._alive
        (engine.folder / WEIGHTS_NAME).write_bytes(b"another")

    monkeypatch.setattr(gate, "require_safe", judge_and_swap)
    adoption = adopted(shared_data / "models" / CONTAINERS["keras"])
    assert sha256_of(adoption.weights) == judged[-1]
    drop(adoption)


def test_cancelled_it_leaves_no_process_and_no_file(shared_data, own, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    verb = adopt(examine(shared_data / "models" / CONTAINERS["keras"]))
    next(verb)
    verb.close()
    assert not list(child._alive)
    assert not list(tmp_path.glob("vol3d-*"))


def test_a_card_beside_the_weights_is_checked_by_hash(tmp_path, own):
    bundled = find_model("hippocampus-t1")
    copy = shutil.copytree(bundled.folder, tmp_path / "copy")
    text = (copy / CARD_NAME).read_text().replace(bundled.card.weights.sha256, "0" * 64)
    (copy / CARD_NAME).write_text(text)
    with pytest.raises(ModelProblem, match="have changed since its card was written"):
        adopted(copy)


def test_numbers_that_are_none_stay_out(own, tmp_path, shared_data):
    """Weights that hold NaN: said by the layer's name, before anything is kept."""
    import h5py

    copy = shutil.copyfile(shared_data / "models" / CONTAINERS["h5"], tmp_path / "nan.h5")
    with h5py.File(copy, "r+") as file:
        kernels = []
        file["model_weights"].visititems(lambda name, item: kernels.append(name) if "kernel" in name else None)
        kernel = file["model_weights"][kernels[-1]]
        kernel = kernel if isinstance(kernel, h5py.Dataset) else next(iter(kernel.values()))
        kernel[...] = np.full(kernel.shape, np.nan, kernel.dtype)
    with pytest.raises(ModelProblem, match="Weights of layer output are not all numbers"):
        adopted(copy)
