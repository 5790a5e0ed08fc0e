"""From a folder of scans to a model that runs, and on again after a kill."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys

import numpy as np
import psutil
import pytest

from napari_vol3d.core.errors import EngineProblem, FileProblem, ScanMismatch, Vol3dError
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import open_model
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings, TrainSettings
from napari_vol3d.pipeline.train import make_job, train
from tests.builders import finish, phantom, save_nifti, write_training_folder

SETTINGS = TrainSettings(
    name="balls", title="Balls", data="phantoms", class_names={3: "dim", 7: "bright"}, validation=("case_4",),
    test=("case_5",), widths=(4, 8), deep_supervision=0, epochs=2, steps=5, patch_size=(16, 16, 16),
    averaging=0.5, learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(training_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new" / "balls"
    reports, card = finish(train(training_folder, out, SETTINGS, device="cpu", command="this test"))
    return out, reports, card


def test_a_card_is_written_that_says_what_was_done(trained):
    out, _, card = trained
    model = open_model(out)
    assert model.card == card
    assert card.label_names == {3: "dim", 7: "bright"}
    assert (card.input.patch_size, card.input.multiple, card.input.spacing) == ((16, 16, 16), 2, (1.0, 1.0, 1.0))
    assert card.input.anatomical
    assert card.input.field_of_view == (21.0, 24.0, 18.0)
    assert (card.training.scans, card.training.epochs, card.training.command) == (4, 2, "this test")
    assert card.training.best_epoch in (1, 2)
    assert [scan.scan for scan in card.validation.scans] == ["case_5"]
    assert set(card.validation.mean_dice) == {"dim", "bright"}
    assert card.inference.seconds_per_megavoxel > 0


def test_progress_goes_forward(trained):
    _, reports, _ = trained
    phases = list(dict.fromkeys(report.phase for report in reports))
    assert phases.index("Reading scans") < phases.index("Starting TensorFlow") < phases.index("Training")
    done = [report.done for report in reports if report.phase == "Training"]
    assert done == sorted(done)
    assert done[-1] == 10
    assert any("mean dice" in report.figures for report in reports)


def test_the_history_has_a_line_for_each_epoch(trained):
    lines = [json.loads(line) for line in (trained[0] / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]


def test_the_model_runs(trained, training_folder, shared_engine):
    scan = read_volume(training_folder / "images" / "case_5.nii.gz")
    _, prediction = finish(segment(scan, open_model(trained[0]), SegmentSettings(), engine=shared_engine))
    assert prediction.labels.shape == scan.shape
    assert set(np.unique(prediction.labels)) <= {0, 3, 7}


def test_a_finished_run_is_not_overwritten_by_mistake(trained, training_folder):
    before = (trained[0] / "card.json").read_bytes()
    with pytest.raises(Vol3dError, match="holds a training run"):
        next(train(training_folder, trained[0], SETTINGS))
    assert (trained[0] / "card.json").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_goes_on(training_folder, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 3, "test": (), "test_share": 0.0})
    mine = set(psutil.Process().children())
    verb = train(training_folder, tmp_path, settings, device="cpu")
    for report in verb:
        if report.phase == "Training" and report.done > 5 and (tmp_path / "checkpoint.npz").exists():
            break
    (engine,) = set(psutil.Process().children()) - mine
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineProblem, match="signal 9"):
        finish(verb)
    kept = len((tmp_path / "history.jsonl").read_text().splitlines())
    assert 1 <= kept < 3
    reports, card = finish(train(training_folder, tmp_path, settings, device="cpu", resume=True))
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert epochs == [1, 2, 3]
    assert card.training.epochs == 3
    assert min(report.done for report in reports if report.phase == "Training" and report.done) > 5 * kept - 1
    assert open_model(tmp_path).card == card


def test_closing_early_leaves_no_process_and_no_card(training_folder, tmp_path):
    before = psutil.Process().children()
    verb = train(training_folder, tmp_path, SETTINGS, device="cpu")
    next(report for report in verb if report.phase == "Starting TensorFlow")
    verb.close()
    assert psutil.Process().children() == before
    assert not (tmp_path / "card.json").exists()


def test_files_without_a_partner_are_told_and_left_out(shared_data, training_folder, tmp_path, caplog):
    data = tmp_path / "data"
    shutil.copytree(training_folder, data)
    for broken in (shared_data / "hippocampus" / "broken").rglob("*.nii.gz"):
        kind = "labels" if broken.name.startswith("label") else "images"
        shutil.copyfile(broken, data / kind / broken.name)
    verb = train(data, tmp_path / "out", SETTINGS, device="cpu")
    with caplog.at_level(logging.WARNING):
        assert next(verb).phase == "Reading scans"
    verb.close()
    assert "no labels" in caplog.text
    assert "no image" in caplog.text


def test_labels_on_another_grid_are_refused(tmp_path):
    data = write_training_folder(tmp_path / "data", scans=3)
    save_nifti(data / "labels" / "case_1.nii.gz", phantom((20, 24, 17))[1])
    with pytest.raises(ScanMismatch, match=r"case_1.*different grids"):
        finish(train(data, tmp_path / "out", TrainSettings(**{**SETTINGS.model_dump(), "validation": (), "test": ()})))
    assert not (tmp_path / "out" / "card.json").exists()


@pytest.mark.parametrize("kind", ["validation", "test"])
def test_a_split_that_names_a_scan_that_is_not_there(training_folder, tmp_path, kind):
    settings = SETTINGS.model_copy(update={kind: ("case_99",)})
    with pytest.raises(FileProblem, match="case_99"):
        next(train(training_folder, tmp_path / "out", settings))
    assert not (tmp_path / "out").exists()


def test_labels_without_any_class_are_refused_before_training(tmp_path):
    data = write_training_folder(tmp_path / "data", scans=2)
    for path in (data / "labels").iterdir():
        save_nifti(path, np.zeros(read_volume(path).shape, np.uint8))
    settings = SETTINGS.model_copy(update={"validation": (), "test": ()})
    with pytest.raises(Vol3dError, match="hold no class"):
        finish(train(data, tmp_path / "out", settings, device="cpu"))


def test_a_patch_that_does_not_divide_is_refused():
    from napari_vol3d.pipeline.dataset import Dataset, Survey

    settings = SETTINGS.model_copy(update={"patch_size": (16, 15, 16)})
    with pytest.raises(Vol3dError, match="divide by 2"):
        make_job(Dataset(train=(), validation=(), test=()), {}, Survey(), settings, None)
