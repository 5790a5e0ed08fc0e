"""A model given away comes back as it was, with its whole card."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.gate import examine
from napari_vol3d.models.library import add_model
from napari_vol3d.models.marks import MARKS_NAME
from napari_vol3d.models.record import keep_guesses
from napari_vol3d.models.store import find_model, open_model
from napari_vol3d.pipeline.adopt import adopt, drop
from napari_vol3d.pipeline.hand_out import hand_out
from napari_vol3d.pipeline.placed import place
from tests.builders import finish


def numbers_of(path):
    """The weights in a .keras file, as stored."""
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


@pytest.mark.parametrize("kind", ["zip", "bioimageio"])
def test_out_and_in(tmp_path, kind):
    model = find_model("hippocampus-t1")
    written = finish(hand_out(model, tmp_path / "out.zip", kind=kind))[1]
    target = tmp_path / "engine"
    target.mkdir()
    placed = place(examine(written), target)
    assert placed.card == model.card
    assert numbers_of(placed.path) == numbers_of(model.weights)


@pytest.mark.parametrize("kind", ["zip", "bioimageio"])
def test_a_guess_stays_one_where_it_arrives(tmp_path, monkeypatch, kind):
    """Until somebody confirms it: whoever is given a model has no other way to know."""
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    bundled = find_model("hippocampus-t1")
    model = add_model(bundled.weights, bundled.card.model_copy(update={"name": "net"}))
    keep_guesses(model.card, ("classes", "spacing"))
    written = finish(hand_out(model, tmp_path / "out.zip", kind=kind))[1]
    page, words = ("README.md", "classes, voxel size") if kind == "bioimageio" else (MARKS_NAME, "spacing")
    with zipfile.ZipFile(written) as archive:
        assert words in archive.read(page).decode()
    said = CardDraft(name="given", spacing=(1, 1, 1))
    adoption = finish(adopt(examine(written), said=said))[1]
    assert adoption.guessed == ("classes",)
    drop(adoption)


def test_what_is_written_is_what_was_checked(tmp_path):
    """Another program may put another network there at any moment: a zip never has the card of one with the other."""
    folder = Path(shutil.copytree(find_model("hippocampus-t1").folder, tmp_path / "net"))
    model = open_model(folder)
    numbers = numbers_of(model.weights)
    verb = hand_out(model, tmp_path / "out.zip")
    while next(verb).phase != "Writing":
        pass
    model.weights.write_bytes(b"another network")
    placed = place(examine(finish(verb)[1]), make(tmp_path / "engine"))
    assert placed.card == model.card
    assert numbers_of(placed.path) == numbers
    with pytest.raises(ModelProblem, match="has changed since its card was written"):
        finish(hand_out(model, tmp_path / "out.zip"))
    shutil.rmtree(folder)
    with pytest.raises(ModelProblem, match=r"can't be exported.*can't be read: No such file"):
        finish(hand_out(model, tmp_path / "out.zip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engine", "out.zip"]


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder
