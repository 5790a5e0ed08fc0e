"""`models` lists what there is and shows a card."""

from __future__ import annotations

import json

from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import find_model


def test_the_list(command):
    done = command("models")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("hippocampus-t1 ")]
    assert line.split()[2:] == ["bundled", "anterior,", "posterior"]


def test_a_card_for_people(command):
    done = command("models", "hippocampus-t1")
    assert done.returncode == 0
    for words in ("1 anterior, 2 posterior", "CC-BY-SA", "Antonelli", "1 x 1 x 1 mm"):
        assert words in done.stdout


def test_a_card_for_programs(command, cli_model):
    done = command("models", cli_model.folder, "--json")
    assert ModelCard.model_validate(json.loads(done.stdout)) == cli_model.card


def test_own_models_are_listed(command, cli_model, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(cli_model.folder.parent))
    assert "tiny" in command("models").stdout
    assert "Tiny" in command("models", "tiny").stdout


def test_an_unknown_one(command):
    done = command("models", "nothing")
    assert done.returncode == 3
    assert find_model("hippocampus-t1").card.name in done.stderr
