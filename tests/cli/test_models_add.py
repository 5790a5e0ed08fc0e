"""`models add`: shown, refused without trust, added with it; what is said wrongly is told."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.models.record import guesses_in
from napari_vol3d.models.store import find_model

ONLINE = "meshnet_t1_gwm/tfjs"


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_in_after_a_look_and_out_again(command, own, shared_data, tmp_path):
    """A stranger's model: shown, refused without trust, added with it, preselected, given away, removed."""
    path = shared_data / "models" / ONLINE
    looked = command("models", "add", path)
    assert looked.returncode == 3
    for words in ("TensorFlow.js layers model", "Conv3D 10", "MIT", "cage"):
        assert words in looked.stdout
    assert "--yes" in looked.stderr
    assert not own.exists()
    said = tmp_path / "said.json"
    said.write_text(json.dumps({"conform": {"edge": 256}, "orientation": "LIA", "title": "Brain"}))
    options = ("--name", "gwm", "--intensity", "minmax", "--intensity-range", "-5", "300")
    added = command("models", "add", path, "--yes", "--card", said, *options)
    assert added.returncode == 0, added.stderr
    assert "Guessed: channels: image. " in added.stdout
    assert "napari-vol3d models edit gwm" in added.stdout
    assert guesses_in(find_model("gwm").card) == ("channels",)
    card = find_model("gwm").card
    assert (card.title, card.input.orientation, card.input.intensity.kind) == ("Brain", "LIA", "minmax")
    assert card.input.intensity_range == (-5, 300)
    assert [item.name for item in card.output.classes] == ["White Matter", "Grey Matter"]
    again = command("models", "add", path, "--name", "gwm")  # trusted by now, but the name is taken
    assert again.returncode == 3
    assert "is there already" in again.stderr
    assert command("models", "default", "gwm").returncode == 0
    out = command("models", "export", "gwm", tmp_path / "gwm.zip")
    assert (tmp_path / "gwm.zip").is_file(), out.stderr
    for target, words in (("gwm.zip", "--overwrite"), ("scan.nii.gz", "a zip")):
        kept = command("models", "export", "gwm", tmp_path / target)
        assert kept.returncode == 4
        assert words in kept.stderr
    (find_model("gwm").weights).write_bytes(b"something else")
    assert "[default Its file has changed" in command("models").stdout
    assert command("models", "remove", "gwm").returncode == 0
    assert "gwm" not in command("models", "list").stdout


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--intensity", "loud"), "written as one of"),
        (("--spacing", "1,2"), "2.5,0.8,0.8"),
        (("--orientation", "LIB"), "orientation"),
        (("--intensity-range", "300", "-5"), "--intensity-range goes from 300 to -5"),
    ],
)
def test_what_is_said_wrongly(command, own, tmp_path, shared_data, wrong, words):
    done = command("models", "add", shared_data / "models" / ONLINE, "--yes", *wrong)
    assert done.returncode in (2, 3)
    assert words in done.stderr


def test_what_is_no_model(command, own, cli_scan):
    done = command("models", "add", cli_scan, "--yes")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()[-1]) > 20
    assert not own.exists()


def test_the_same_files_again_are_told(command, own, shared_data):
    path = shared_data / "models" / ONLINE
    assert command("models", "add", path, "--yes").returncode == 0
    again = command("models", "add", path, "--yes")
    assert again.returncode == 3
    assert "You have tfjs already: meshnet-t1-gwm 1.0." in again.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(("--channels", "T1,FLAIR"), r"takes 1 channel"), (("--classes", "a,b,c"), "gives 2 class")],
)
def test_what_is_said_and_what_the_network_is_not(command, own, shared_data, wrong, words):
    done = command("models", "add", shared_data / "models" / ONLINE, "--yes", *wrong)
    assert done.returncode == 3
    assert words in done.stderr
