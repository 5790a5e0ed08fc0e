"""`models edit`: shown as old and new, asked, written; the next run uses it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from subprocess import PIPE

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.edited import corrected, edited, save
from napari_vol3d.models.library import add_model
from napari_vol3d.models.record import guesses_in, keep_guesses
from napari_vol3d.models.store import find_model
from tests.cli.conftest import COMMAND, typed


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def model(own, cli_model):
    return add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net"}))


def test_what_changes_is_shown_and_asked_before_it_is_written(command, model):
    before = (model.folder / CARD_NAME).read_bytes()
    for done in (
        command("models", "edit", "net", "--classes", "grey,white", "--license", "MIT"),
        typed("n\n", "models", "edit", "net", "--classes", "grey,white", "--license", "MIT"),
    ):
        assert done.returncode == 3
        assert "Class 1        3 dim #" in done.stdout
        assert " -> 3 grey #" in done.stdout  # id and colour stay
        assert "Licence        BSD-3-Clause -> MIT" in done.stdout
        assert "--yes" in done.stderr
        assert (model.folder / CARD_NAME).read_bytes() == before
    assert typed("y\n", "models", "edit", "net", "--classes", "grey,white").returncode == 0
    assert [(item.id, item.name) for item in find_model("net").card.output.classes] == [(3, "grey"), (7, "white")]


def test_the_next_run_uses_it(command, model, cli_scan, tmp_path):
    for out, ids in (("before", {0, 3, 7}), ("after", {0, 1, 2})):
        done = command("segment", cli_scan, "--model", "net", "--out", tmp_path / out)
        assert done.returncode == 0, done.stderr
        (file,) = (tmp_path / out).glob("*.nii.gz")
        assert set(np.unique(nib.load(file).dataobj)) == ids
        said = tmp_path / "said.json"
        said.write_text(json.dumps({"classes": [{"id": 1, "name": "low"}, {"id": 2, "name": "high"}]}))
        command("models", "edit", "net", "--card", said, "--yes")


def test_a_guess_is_one_until_it_is_changed_or_confirmed(command, model):
    keep_guesses(model.card, ("classes", "intensity", "spacing"))
    assert "Guesses        classes, intensities, voxel size" in command("models", "info", "net").stdout
    done = command("models", "edit", "net", "--spacing", "1,1,1", "--classes", "a,b", "--yes")
    assert "No guess any more: classes, voxel size" in done.stdout
    assert "Guesses still: intensities" in done.stdout
    assert "Voxels" not in done.stdout  # it said so before
    assert guesses_in(find_model("net").card) == ("intensity",)
    assert "says so already" in command("models", "edit", "net", "--spacing", "1,1,1").stdout


def test_guesses_that_are_right_are_confirmed_and_the_card_stays(command, model):
    keep_guesses(model.card, ("classes", "intensity", "spacing"))
    before = (model.folder / CARD_NAME).read_bytes()
    done = command("models", "edit", "net", "--confirm", "voxel size, classes", "--yes")
    assert "No guess any more: classes, voxel size" in done.stdout
    assert guesses_in(find_model("net").card) == ("intensity",)
    assert command("models", "edit", "net", "--confirm", "all").returncode == 3  # asked, and nobody answers
    assert guesses_in(find_model("net").card) == ("intensity",)
    assert command("models", "edit", "net", "--confirm", "all", "--yes").returncode == 0
    assert guesses_in(find_model("net").card) == ()
    assert (model.folder / CARD_NAME).read_bytes() == before
    done = command("models", "edit", "net", "--confirm", "colour", "--yes")
    assert (done.returncode, "colour: not one of title, channels" in done.stderr) == (2, True)
    assert "says so already" in command("models", "edit", "net", "--confirm", "classes").stdout


def test_a_range_of_grey_values_is_written_and_taken_out(command, model, tmp_path):
    done = command("models", "edit", "net", "--intensity-range", "-1024", "3071", "--yes")
    assert done.returncode == 0, done.stderr
    assert "-1024" in done.stdout
    assert find_model("net").card.input.intensity_range == (-1024, 3071)
    done = command("models", "edit", "net", "--intensity-range", "9", "0", "--yes")
    assert (done.returncode, "--intensity-range goes from 9 to 0" in done.stderr) == (3, True)
    (tmp_path / "said.json").write_text('{"intensity_range": null}')
    assert command("models", "edit", "net", "--card", tmp_path / "said.json", "--yes").returncode == 0
    assert find_model("net").card.input.intensity_range is None


def test_what_another_window_saves_while_it_is_asked_is_not_written_over(model):
    ours, theirs = pty.openpty()
    asks = [*COMMAND, "models", "edit", "net", "--license", "MIT"]
    with subprocess.Popen(asks, stdin=theirs, stdout=PIPE, stderr=subprocess.STDOUT) as process:
        told = b""
        while b"Write it?" not in told:
            more = process.stdout.read1()
            assert more, told
            told += more
        save(edited(model, corrected(model.card, CardDraft(citation="Somebody"))))
        os.write(ours, b"y\n")
        told = process.communicate()[0].decode()
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, "has changed meanwhile. Look at it again" in told) == (3, True)
    card = find_model("net").card
    assert (card.citation, card.license) == ("Somebody", model.card.license)


def test_a_file_takes_out_what_it_says_to_be_nothing(command, model, tmp_path):
    (tmp_path / "said.json").write_text('{"spacing": null, "license": ""}')
    done = command("models", "edit", "net", "--card", tmp_path / "said.json", "--yes")
    assert "Voxels         1.0 x 1.0 x 1.0 mm -> any" in done.stdout
    assert (find_model("net").card.input.spacing, find_model("net").card.license) == (None, "")


def test_the_card_that_was_printed_can_be_given_back(command, model, tmp_path):
    (tmp_path / "card.json").write_text(command("models", "info", "net", "--json").stdout.replace("BSD", "XYZ"))
    assert command("models", "edit", "net", "--card", tmp_path / "card.json", "--yes").returncode == 0
    assert find_model("net").card == model.card.model_copy(update={"license": "XYZ-3-Clause"})


def test_a_bundled_one_is_copied_under_another_name(command, own):
    done = command("models", "edit", "hippocampus-t1", "--license", "MIT", "--yes")
    assert (done.returncode, "--name" in done.stderr) == (3, True)
    done = command("models", "edit", "hippocampus-t1", "--license", "MIT", "--name", "mine", "--yes")
    assert done.returncode == 0, done.stderr
    assert "mine 1.0 becomes a model of its own; hippocampus-t1 1.0 stays" in done.stdout
    assert find_model("mine").card.license == "MIT"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--classes", "a"), "gives 2 classes and background"), (("--channels", "a,b"), "takes 1 channel;"),
        (("--orientation", "LIB"), "orientation"), ((), "Nothing is said of net"),
    ],
)  # fmt: skip
def test_what_is_said_wrongly(command, model, wrong, words):
    done = command("models", "edit", "net", "--yes", *wrong)
    assert done.returncode == 3
    assert words in done.stderr
    assert find_model("net") == model


def test_of_several_versions_one_is_named(command, model, cli_model):
    add_model(cli_model.weights, cli_model.card.model_copy(update={"name": "net", "version": "0.2"}))
    done = command("models", "edit", "net", "--license", "MIT", "--yes")
    assert (done.returncode, "net@0.1" in done.stderr) == (3, True)
    assert command("models", "edit", "net@0.1", "--license", "MIT", "--yes").returncode == 0
    assert find_model("net@0.1").card.license == "MIT"
    assert find_model("net@0.2").card.license == "BSD-3-Clause"
