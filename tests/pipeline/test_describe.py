from __future__ import annotations

from pathlib import Path

from napari_vol3d.engine.messages import Epoch, Ready
from napari_vol3d.models.card import ModelCard, sha256_of
from napari_vol3d.pipeline.dataset import Dataset, Pair, Survey
from napari_vol3d.pipeline.describe import describe
from napari_vol3d.pipeline.history import History
from napari_vol3d.pipeline.settings import TrainSettings
from napari_vol3d.pipeline.train import make_job


def test_a_card_says_all_that_is_needed_to_run_the_network(tmp_path: Path) -> None:
    weights = tmp_path / "model.keras"
    weights.write_bytes(b"weights")
    pair = Pair(name="a", image=tmp_path / "a.nii", labels=tmp_path / "a.nii")
    dataset = Dataset(train=(pair,), validation=(), test=())
    survey = Survey(
        class_ids=(2, 7), channels=("T1", "T2"), spacing=(2.0, 1.0, 0.5), unit="mm", anatomical=True,
        largest=(20, 33, 40),
    )  # fmt: skip
    settings = TrainSettings(
        name="mine", widths=(8, 16, 32), flip_axes=(2,), class_names={7: "seven"}, license="CC0", epochs=5
    )  # fmt: skip
    history = History(tmp_path, resume=False)
    history.add(Epoch(epoch=1, epochs=5, figures={"loss": 1.0, "mean dice": 0.5}, checkpoint="c"), seconds=12.4)
    fit = make_job(Dataset(train=(), validation=(), test=()), {}, survey, settings, tmp_path)
    card = describe(
        dataset, survey, settings, fit, weights, history=history, command="do it",
        ready=Ready(device="CPU", policy="float32", versions="TensorFlow x"),
    )  # fmt: skip

    assert ModelCard.model_validate_json(card.model_dump_json()) == card
    assert card.weights.sha256 == sha256_of(weights)
    assert card.input.channels == ("T1", "T2")
    assert card.input.spacing == (2.0, 1.0, 0.5)
    assert card.input.multiple == 4
    assert card.input.patch_size == (20, 36, 40)
    assert card.input.field_of_view == (40.0, 33.0, 20.0)
    assert [(item.id, item.name) for item in card.output.classes] == [(2, "class 2"), (7, "seven")]
    assert len({item.color for item in card.output.classes}) == 2
    assert card.input.flip_axes == (2,)  # what it was trained with may be used to average
    assert card.inference.scheme == "halo"
    assert card.inference.halo % card.input.multiple == 0
    assert card.inference.bytes_per_voxel > 4 * 8  # more than one activation of the finest level
    assert card.training is not None
    assert (card.training.epochs, card.training.best_epoch, card.training.seconds) == (1, 1, 12)
    assert card.training.command == "do it"
