"""The person's models: in whole or not at all, looked after, out again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from pydantic import ValidationError

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.models.card import CARD_NAME, ModelCard
from napari_vol3d.models.library import (
    ADDING,
    REMOVING,
    add_model,
    broken_models,
    default_model,
    remove_folder,
    remove_model,
    set_default,
    short_name,
    state_of,
    taken,
)
from napari_vol3d.models.store import find_model, list_models, model_said
from tests.builders import make_card

ADD = """
import sys
from pathlib import Path
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models import library
from napari_vol3d.models.card import read_card

card = read_card(Path(sys.argv[2]))
library.taken = lambda name, version: False  # all have looked before any has added
print("ready", flush=True)
sys.stdin.readline()
try:
    library.add_model(Path(sys.argv[1]), card)
    print("added")
except ModelProblem as problem:
    print("refused:", problem)
"""
# Python tells of each touch of the disk before it happens; at the given one the program kills itself.
KILLED = """
import os, signal, sys
from pathlib import Path
from napari_vol3d.models.card import read_card
from napari_vol3d.models.library import add_model, remove_model
from napari_vol3d.models.store import find_model

TOUCHES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.copyfile", "os.truncate"}
left, home = int(sys.argv[4]), os.environ["VOL3D_MODELS"]

def touch(event, values):
    global left
    if event in TOUCHES and any(home in str(value) for value in values):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

card = read_card(Path(sys.argv[2]))
model = find_model("net") if sys.argv[3] == "remove" else None
sys.addaudithook(touch)
if model is None:
    add_model(Path(sys.argv[1]), card)
else:
    remove_model(model)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "some.keras"
    file.write_bytes(b"weights")
    return file


def added(weights, **changes):
    card = make_card(weights, name=changes.pop("name", "net"))
    return add_model(weights, card.model_copy(update=changes))


def test_a_model_comes_in_whole(own, weights):
    model = added(weights, version="1.2")
    assert model.weights.read_bytes() == b"weights"
    assert model.card.weights.file == model.weights.name
    assert state_of(model) == ""
    assert find_model("net") == model
    assert taken("net", "1.2")
    assert not taken("net", "1.3")


def test_the_same_version_comes_in_once(own, weights):
    added(weights)
    with pytest.raises(ModelProblem, match=r"is there already.*another name or version"):
        added(weights)
    assert len([m for m in list_models() if m.card.name == "net"]) == 1


def test_a_version_is_no_path(weights):
    for version in ("1.0/../../escaped", "../x", "", "a" * 300, "1\x00"):
        with pytest.raises(ValidationError):
            ModelCard.model_validate({**make_card(weights, name="net").model_dump(), "version": version})


def test_what_a_killed_program_left_goes_with_the_next(own, weights):
    own.mkdir()
    left = [own / f"{what}999999999-abc" for what in (ADDING, REMOVING)]
    living = [own / f"{what}{os.getpid()}-abc" for what in (ADDING, REMOVING)]
    for folder in (*left, *living):
        folder.mkdir()
        (folder / "model.keras").write_bytes(b"half")
        os.utime(folder, (0, 0))
    model = added(weights)
    assert [folder.exists() for folder in left] == [False, False]
    assert [folder.exists() for folder in living] == [True, True]
    left[0].mkdir()
    os.utime(left[0], (0, 0))
    remove_model(model)
    assert not left[0].exists()


def test_strange_versions_are_ordered_too(own, weights):
    for version in ("1.0", "9" * 39, "1.0-rc1"):
        added(weights, version=version)
    assert find_model("net@1.0-rc1").card.version == "1.0-rc1"
    assert find_model("net").card.version in {"1.0", "9" * 39, "1.0-rc1"}
    with pytest.raises(ModelProblem, match="No model called"):
        find_model("x" * 5000)


def test_of_several_versions_the_latest_is_meant(own, weights):
    for version in ("1.9", "1.10", "1.2"):
        added(weights, version=version)
    assert find_model("net").card.version == "1.10"
    assert find_model("net@1.2").card.version == "1.2"
    with pytest.raises(ModelProblem, match="No model called net@3"):
        find_model("net@3")


def test_what_was_written_down_is_the_very_one_or_else_the_latest(own, weights):
    first = added(weights, version="1.0")
    weights.write_bytes(b"other weights")
    second = added(weights, version="2.0")
    assert model_said({"name": "net", "sha256": first.card.weights.sha256}) == first
    assert model_said({"name": "net", "sha256": "gone"}) == second
    assert model_said({"name": "nothing"}) is None
    assert model_said({}) is None


def test_a_changed_or_lost_file_is_told(own, weights):
    model = added(weights)
    model.weights.write_bytes(b"other")
    assert "has changed" in state_of(model)
    model.weights.unlink()
    assert "can't be read" in state_of(model)
    ((folder, reason),) = broken_models()
    assert folder == model.folder
    assert "missing" in reason


def test_a_broken_card_is_told(own, weights):
    model = added(weights)
    (model.folder / CARD_NAME).write_text("{}")
    ((folder, reason),) = broken_models()
    assert folder == model.folder
    assert "Card of" in reason
    assert [m for m in list_models() if m.origin != "bundled"] == []


def test_out_again(own, weights):
    model = added(weights)
    set_default("net")
    remove_model(model)
    assert not model.folder.exists()
    assert default_model() == ""
    assert [path.name for path in own.iterdir() if path.is_dir()] == []


def test_what_is_preferred_stays_so_while_a_version_of_it_is_there(own, weights):
    old, new = added(weights, version="1.0"), added(weights, version="2.0")
    set_default("net")
    remove_model(old)
    assert default_model() == "net"
    remove_model(new)
    assert default_model() == ""


def test_out_of_a_folder_in_which_nothing_can_be_made(own, weights, monkeypatch):
    # A disk that is full: just then a person wants room.
    model = added(weights)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.mkdir", full)
    monkeypatch.setattr("tempfile.mkdtemp", full)
    remove_model(model)
    assert list(own.iterdir()) == []


def test_programs_that_add_the_same_at_once_leave_one_model(own, tmp_path):
    weights = tmp_path / "some.keras"
    weights.write_bytes(b"weights")
    (tmp_path / "card.json").write_text(make_card(weights, name="net").model_dump_json())
    programs = [
        subprocess.Popen([sys.executable, "-c", ADD, weights, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdout.readline() == b"ready\n"
    for program in programs:  # now all of them, as nearly at once as it goes
        program.stdin.write(b"go\n")
        program.stdin.flush()
    words = sorted(program.communicate()[0].decode().strip() for program in programs)
    assert words[0] == "added"
    assert all("net 0.1 is there already" in each for each in words[1:])
    assert [m.card.name for m in list_models() if m.origin != "bundled"] == ["net"]
    assert state_of(find_model("net")) == ""
    assert [path.name for path in own.iterdir()] == ["net-0.1"]


@pytest.mark.parametrize("what", ["add", "remove"])
def test_killed_at_any_moment_no_half_model_is_listed(own, tmp_path, what):
    weights = tmp_path / "some.keras"
    weights.write_bytes(b"weights" * 100_000)
    (tmp_path / "card.json").write_text(make_card(weights, name="net").model_dump_json())
    seen = set()
    for stop in range(0, 60, 3 if what == "add" else 1):
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        if what == "remove":
            added(weights, name="net", version="0.1")
        command = [sys.executable, "-c", KILLED, weights, tmp_path, what, str(stop)]
        code = subprocess.run(command, check=False).returncode
        there = [m for m in list_models() if m.origin != "bundled"]
        assert broken_models() == []
        assert all(state_of(model) == "" for model in there)
        seen.add((code, len(there)))
        if code == 0:
            break
        # And the folder is of use: it comes in, and goes out.
        for model in there or [added(weights, name="net", version="0.1")]:
            remove_model(model)
        assert [m for m in list_models() if m.origin != "bundled"] == []
    assert {code for code, _ in seen} == {0, -signal.SIGKILL}


def test_a_broken_one_can_go_too(own, weights):
    model = added(weights)
    (model.folder / CARD_NAME).write_text("{}")
    remove_folder(model.folder)
    assert broken_models() == []
    assert not model.folder.exists()


def test_one_that_another_program_has_removed_is_gone(own, weights):
    model = added(weights)
    shutil.rmtree(model.folder)
    remove_model(model)
    assert list(own.iterdir()) == []


def test_a_bundled_model_stays(own):
    with pytest.raises(ModelProblem, match="not in your models folder"):
        remove_model(find_model("hippocampus-t1"))


def test_no_room_leaves_nothing(own, weights, monkeypatch):
    own.mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(SaveProblem, match=r"^Tiny was not added: .*No space left"):
        added(weights)
    assert list(own.iterdir()) == []


def test_what_is_trained_here_says_so(own, weights):
    bundled = find_model("hippocampus-t1").card
    model = add_model(weights, bundled.model_copy(update={"name": "mine"}))
    assert model.origin == "trained"


@pytest.mark.parametrize(
    ("title", "name"),
    [("Brain tissue (T1)", "brain-tissue-t1"), ("Zähne 3D", "z-hne-3d"), ("...", "model"), ("net", "net-2")],
)
def test_short_names_are_free(own, weights, title, name):
    added(weights)
    assert short_name(title) == name
