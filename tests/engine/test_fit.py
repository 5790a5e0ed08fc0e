"""Training learns, can be stopped anywhere, and goes on where it was."""

from __future__ import annotations

import shutil

import keras
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine import fit as fitting
from napari_vol3d.engine.checkpoint import read_checkpoint
from napari_vol3d.engine.feed import open_case
from napari_vol3d.engine.fit import Trainer, fit, predict, validate
from napari_vol3d.engine.messages import Epoch, Fit, Step, TrainingCase
from tests.builders import brightness_network, phantom


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    return tuple(write_case(folder, seed) for seed in range(4))


def write_case(folder, seed):
    image, labels = phantom((16, 18, 14), seed=seed)
    numbered = np.searchsorted((0, 3, 7), labels).astype(np.uint8)
    places = np.array([(numbered[tuple(p)], *p) for p in np.argwhere(numbered)], np.int32)
    arrays = {"image": ((image - 130) / 60)[..., None].astype(np.float32), "labels": numbered, "places": places}
    paths = {kind: folder / f"{seed}.{kind}.npy" for kind in arrays}
    for kind, data in arrays.items():
        np.save(paths[kind], data)
    return TrainingCase(name=str(seed), **{kind: str(path) for kind, path in paths.items()})


def make_job(cases, folder, **changes):
    values = {
        "folder": str(folder), "train": cases[:3], "validation": cases[3:], "channels": 1, "class_ids": (3, 7),
        "patch_size": (16, 16, 16), "widths": (4, 8), "down": "pool", "activation": "leaky_relu", "residual": True,
        "deep_supervision": 0, "epochs": 2, "steps": 10, "batch": 2, "learning_rate": 1e-2, "weight_decay": 1e-3,
        "averaging": 0.9, "foreground": 0.5, "flip_axes": (2,), "seed": 1,
    }  # fmt: skip
    return Fit(**{**values, **changes})


def epochs_of(reports):
    return [report for report in reports if isinstance(report, Epoch)]


@pytest.fixture(scope="module")
def run(cases, tmp_path_factory):
    """One run from start to end: its job, its reports, and the checkpoint of the first epoch."""
    folder = tmp_path_factory.mktemp("run")
    job, reports = make_job(cases, folder, epochs=3), []
    for report in fit(job):
        reports.append(report)
        if isinstance(report, Epoch) and report.epoch == 1:
            shutil.copyfile(report.checkpoint, folder / "kept.npz")
    return job, reports, folder / "kept.npz"


def test_it_learns(run):
    _, reports, _ = run
    epochs = epochs_of(reports)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    losses = [epoch.figures["loss"] for epoch in epochs]
    assert losses[-1] < 0.8 * losses[0]
    assert set(epochs[0].figures) == {"loss", "mean dice", "dice 3", "dice 7"}
    steps = [report for report in reports if isinstance(report, Step)]
    assert [step.done for step in steps] == list(range(5, 31, 5))
    assert {step.total for step in steps} == {30}


def test_the_network_of_the_best_epoch_is_kept(run):
    job, reports, _ = run
    dices = [epoch.figures["mean dice"] for epoch in epochs_of(reports)]
    best = [epoch for epoch in epochs_of(reports) if epoch.best][-1]
    assert best.epoch == int(np.argmax(dices)) + 1
    network = keras.saving.load_model(best.best, compile=False, safe_mode=True)
    assert network.output_shape == (None, None, None, None, 3)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    again = validate(network, tuple(open_case(case) for case in job.validation), job)
    assert again["mean dice"] == pytest.approx(max(dices), abs=1e-6)


def test_a_run_stopped_in_an_epoch_goes_on_after_the_last_finished_one(cases, run, tmp_path):
    _, whole, _ = run
    (tmp_path / "first").mkdir()
    first, stopped = fit(make_job(cases, tmp_path / "first", epochs=3)), []
    for report in first:
        stopped.append(report)
        if report == Step(done=15, total=30, loss=report.loss if isinstance(report, Step) else 0.0):
            first.close()
    assert not isinstance(stopped[-1], Epoch)
    (checkpoint,) = [epoch.checkpoint for epoch in epochs_of(stopped)]
    resumed = list(fit(make_job(cases, tmp_path, epochs=3, checkpoint=checkpoint)))
    assert [epoch.epoch for epoch in epochs_of(resumed)] == [2, 3]
    assert next(r for r in resumed if isinstance(r, Step)).done == 15
    state, _ = read_checkpoint(tmp_path / "checkpoint-1.npz")
    assert [line["epoch"] for line in state.history] == [1, 2, 3]
    # The same patches, weights, optimiser and average: the same run, but for the order of sums on many cores.
    for line, epoch in zip(state.history, epochs_of(whole), strict=True):
        assert line["loss"] == pytest.approx(epoch.figures["loss"], rel=0.05)


def test_a_finished_run_has_nothing_left_to_do(run):
    job, reports, _ = run
    assert list(fit(job.model_copy(update={"checkpoint": epochs_of(reports)[-1].checkpoint}))) == []


def test_everything_comes_back_from_a_checkpoint(run):
    job, _, kept = run
    _, arrays = read_checkpoint(kept)
    fresh = Trainer(job)
    assert any(not np.array_equal(a, b) for a, b in zip(fresh.arrays["network"], arrays["network"], strict=True))
    fresh.restore(arrays)
    for group, values in fresh.arrays.items():
        for value, expected in zip(values, arrays[group], strict=True):
            np.testing.assert_array_equal(value, expected)
    assert int(fresh.optimizer.iterations) == 10


@pytest.mark.parametrize("changes", [{"widths": (4, 10)}, {"residual": False}, {"class_ids": (3, 7, 9)}])
def test_a_checkpoint_of_another_network_is_refused(run, changes):
    job, _, kept = run
    with pytest.raises(ModelProblem, match="another network"):
        list(fit(job.model_copy(update={"checkpoint": str(kept), **changes})))


def test_a_damaged_checkpoint_is_refused(run, tmp_path):
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(ModelProblem, match="can't be read"):
        list(fit(run[0].model_copy(update={"checkpoint": str(tmp_path / "c.npz")})))


def test_the_average_follows_the_network(cases, tmp_path):
    trainer = Trainer(make_job(cases, tmp_path, averaging=0.5))
    image = np.random.default_rng(0).normal(size=(2, 8, 8, 8, 1)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 3, (2, 8, 8, 8)).astype(np.int32)
    trainer.remember(1000)
    before = [np.asarray(v) for v in trainer.average.variables]
    trainer.step(image, labels)
    for kept, old, new in zip(trainer.average.variables, before, trainer.network.variables, strict=True):
        if kept.dtype == "float32":
            np.testing.assert_allclose(np.asarray(kept), (old + np.asarray(new)) / 2, atol=1e-6)


def test_validation_without_any_class_gives_no_figures(cases, tmp_path):
    job = make_job(cases, tmp_path)
    assert validate(Trainer(job).network, (), job) == {}


@pytest.mark.parametrize("most_voxels", [4_000_000, 14**3])
def test_validation_scans_are_predicted_whole_however_they_are_cut(cases, monkeypatch, most_voxels):
    monkeypatch.setattr(fitting, "VALIDATION_VOXELS", most_voxels)
    case = open_case(cases[0])
    numbers = predict(brightness_network(), case, 2)
    value = np.asarray(case.image[..., 0])
    np.testing.assert_array_equal(numbers, np.argmax([0 * value, value - 0.5, 2 * value - 2], axis=0))
    assert (numbers.dtype, set(np.unique(numbers))) == (np.uint16, {0, 1, 2})
