"""`models`: what there is, in from elsewhere after a look, out again."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.models.card import CARD_NAME, ModelCard
from napari_vol3d.models.library import add_model
from napari_vol3d.models.store import find_model
from tests.cli.conftest import typed


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.mark.parametrize("verb", [(), ("list",)])
def test_the_list(command, own, verb):
    done = command("models", *verb)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("hippocampus-t1 ")]
    assert line.split()[2:] == ["bundled", "anterior,", "posterior"]


def test_a_card_for_people(command):
    done = command("models", "info", "hippocampus-t1")
    assert done.returncode == 0
    assert str(find_model("hippocampus-t1").folder) in done.stdout
    for words in ("1 anterior, 2 posterior", "CC-BY-SA", "Antonelli", "1 x 1 x 1 mm", "sound"):
        assert words in done.stdout


def test_a_card_for_programs(command, cli_model):
    done = command("models", "info", cli_model.folder, "--json")
    assert ModelCard.model_validate(json.loads(done.stdout)) == cli_model.card


def test_own_models_are_listed(command, cli_model, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(cli_model.folder.parent))
    assert "tiny" in command("models").stdout
    assert "Tiny" in command("models", "info", "tiny").stdout


def test_an_unknown_one(command):
    done = command("models", "info", "nothing")
    assert done.returncode == 3
    assert find_model("hippocampus-t1").card.name in done.stderr


def test_one_of_several_versions_is_removed_by_its_version(command, own, cli_model):
    for version in ("1.0", "2.0"):
        add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net", "version": version}))
    asked = command("models", "remove", "net")
    assert asked.returncode == 3
    assert "net@1.0" in asked.stderr
    assert command("models", "remove", "net@1.0").returncode == 0
    assert command("models", "remove", "net").returncode == 0


def test_on_a_terminal_it_is_asked_before_one_is_removed(own, cli_model):
    folder = add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net"})).folder
    kept = typed("n\n", "models", "remove", "net")
    assert (kept.returncode, folder.exists()) == (3, True)
    assert "with its weights?" in kept.stdout
    assert typed("y\n", "models", "remove", "net").returncode == 0
    assert not folder.exists()


def test_a_broken_one_is_listed_with_its_reason_and_can_go(command, own, cli_model):
    folder = add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net"})).folder
    (folder / CARD_NAME).write_text("{}")
    assert "is missing" in command("models").stdout
    assert command("models", "remove", folder.name).returncode == 0
    assert not folder.exists()
