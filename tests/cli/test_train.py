"""`train` takes its settings from a recipe and from the command line, and explains them."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.cli.train import _settings
from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.pipeline.settings import SettingsProblem, TrainSettings


def test_every_setting_is_listed(command):
    done = command("train", "--settings")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert listed == set(TrainSettings.model_fields)
    assert "(default 60)" in done.stdout


def test_a_recipe_and_changes():
    settings = _settings("hippocampus-t1", ["epochs=3", "flip_axes=[0, 2]", "title=Two words", "name=mine"])
    assert (settings.epochs, settings.flip_axes, settings.title, settings.name) == (3, (0, 2), "Two words", "mine")
    assert len(settings.test) == 40
    assert _settings(None, []) == TrainSettings()


@pytest.mark.parametrize("change", ["epochs=0", "epochs", "speed=3", "widths=[8]", "down=slide"])
def test_a_change_that_makes_no_sense(change):
    with pytest.raises(SettingsProblem, match=rf"Setting {change.split('=')[0]}.*--settings"):
        _settings(None, [change])


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\xff"])
def test_a_recipe_that_is_none(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text, encoding="latin-1")
    with pytest.raises(FileProblem, match=r"recipe\.json"):
        _settings(str(tmp_path / "recipe.json"), [])
    with pytest.raises(ModelProblem):
        _settings("no-such-recipe", [])


def test_a_folder_without_scans_has_its_code(command, tmp_path):
    done = command("train", "--data", tmp_path, "--out", tmp_path / "out", "--set", "epochs=1")
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
    assert "images/" in done.stderr
    done = command("train", "--data", tmp_path, "--out", tmp_path / "out", "--set", "epochs=none")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert not (tmp_path / "out").exists()


def test_a_broken_recipe_has_its_code(command, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"epoch": 3}))
    done = command("train", "--data", tmp_path, "--out", tmp_path / "out", "--recipe", tmp_path / "r.json")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
