"""Without a name a command takes the preselected model, and says so; what can't be one is refused when it is chosen."""

from __future__ import annotations

import nibabel as nib
import numpy as np

from napari_vol3d.models.library import add_model, default_model


def test_without_a_name_it_is_the_preselected_model(command, cli_model, cli_scan, tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net"}))
    assert command("models", "default", "net").returncode == 0
    done = command("segment", cli_scan, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "Model: net 0.1, which is preselected" in done.stderr
    assert command("segment", cli_scan, "--model", cli_model.folder, "--out", tmp_path / "named").returncode == 0
    written, named = (nib.load(tmp_path / out / "ball_labels.nii.gz").dataobj for out in ("out", "named"))
    np.testing.assert_array_equal(written, named)
    assert command("models", "default").returncode == 0
    assert command("segment", cli_scan, "--out", tmp_path / "none").returncode == 3


def test_what_can_not_be_preselected_is_refused(command, cli_model, tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    for version in ("1.0", "1.1"):
        add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net", "version": version}))
    done = command("models", "default", "net@1.0")
    assert (done.returncode, "of several the latest runs" in done.stderr) == (3, True)
    done = command("models", "default", cli_model.folder)  # not among the person's
    assert (done.returncode, "is not among your models. Add it first" in done.stderr) == (3, True)
    assert default_model() == ""


def test_a_broken_model_that_is_removed_is_no_default_any_more(command, cli_model, tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    model = add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net"}))
    assert command("models", "default", "net").returncode == 0
    model.weights.unlink()
    assert command("models", "remove", model.folder.name, "--yes").returncode == 0
    assert default_model() == ""
