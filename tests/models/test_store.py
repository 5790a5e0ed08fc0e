"""Models are found by name or folder, and a bad one never hides the others."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.store import find_model, find_recipe, list_models, open_model, user_models
from tests.builders import make_card


def add(folder: Path, name: str, **changes) -> Path:
    """A model folder as the store sees it: it never opens the weights."""
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"weights of " + name.encode())
    (folder / CARD_NAME).write_text(make_card(folder / "model.keras", name=name, **changes).model_dump_json())
    return folder


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_the_bundled_model_is_there(own):
    model = find_model("hippocampus-t1")
    assert model.origin == "bundled"
    assert model.weights.is_file()
    assert list_models()[0] == model


def test_own_models_come_after(own):
    add(own / "b", "second")
    add(own / "a", "first")
    (own / "not-a-model").mkdir()
    models = list_models()
    assert [model.card.name for model in models if model.origin == "added"] == ["first", "second"]
    assert models[0].origin == "bundled"
    assert find_model("second").folder == own / "b"


def test_the_persons_folder_without_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("VOL3D_MODELS", raising=False)
    assert user_models().parts[-2:] == ("napari-vol3d", "models")


def test_a_bad_card_is_told_and_left_out(own, caplog):
    add(own / "good", "good")
    add(own / "bad", "bad")
    (own / "bad" / CARD_NAME).write_text("{}")
    with caplog.at_level(logging.WARNING):
        names = [model.card.name for model in list_models()]
    assert "good" in names
    assert "bad" not in names
    assert "Card of bad" in caplog.text


def test_a_folder_anywhere_is_a_model(own, tmp_path):
    folder = add(tmp_path / "somewhere", "elsewhere")
    assert find_model(str(folder)).card.name == "elsewhere"
    assert open_model(folder).origin == "added"


def test_an_unknown_name_lists_the_known_ones(own):
    add(own / "mine", "mine")
    with pytest.raises(ModelProblem, match=r"nothing.*hippocampus-t1, mine"):
        find_model("nothing")


def test_missing_weights_are_told(own):
    folder = add(own / "mine", "mine")
    (folder / "model.keras").unlink()
    with pytest.raises(ModelProblem, match=r"missing: model\.keras"):
        open_model(folder)


@pytest.mark.parametrize("file", ["../outside.keras", "sub/inside.keras"])
def test_weights_lie_beside_their_card(own, file):
    folder = add(own / "mine", "mine")
    target = (folder / file).resolve()
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"weights")
    card = json.loads((folder / CARD_NAME).read_text())
    card["weights"]["file"] = file
    (folder / CARD_NAME).write_text(json.dumps(card))
    with pytest.raises(ModelProblem, match="missing"):
        open_model(folder)


@pytest.mark.parametrize("file", ["a" * 300, "a\0b", ""])
def test_a_name_that_no_file_can_have_hides_no_other_model(own, file):
    add(own / "good", "good")
    card = json.loads((add(own / "bad", "bad") / CARD_NAME).read_text())
    card["weights"]["file"] = file
    (own / "bad" / CARD_NAME).write_text(json.dumps(card))
    assert [model.card.name for model in list_models() if model.origin == "added"] == ["good"]


def test_recipes_are_found_by_name_and_by_path(tmp_path):
    bundled = find_recipe("hippocampus-t1")
    assert json.loads(bundled.read_text())["name"] == "hippocampus-t1"
    assert find_recipe(str(bundled)) == bundled
    with pytest.raises(ModelProblem, match="hippocampus-t1"):
        find_recipe("nothing")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that is there and can't be read")
def test_a_card_that_can_not_be_read_hides_no_other(own):
    add(own / "good", "good")
    add(own / "bad", "bad")
    (own / "bad" / CARD_NAME).unlink()
    (own / "bad" / CARD_NAME).symlink_to("/proc/self/mem")
    assert [model.card.name for model in list_models() if model.origin != "bundled"] == ["good"]
    with pytest.raises(ModelProblem, match="Card of bad can't be read"):
        open_model(own / "bad")


def test_models_that_come_and_go_are_listed_whole_or_not_at_all(own):
    folder, away = add(own / "net", "net"), own / ".away"
    over = threading.Event()

    def move() -> None:
        while not over.is_set():
            folder.rename(away)
            away.rename(folder)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(300):
            assert all(model.card.name in ("hippocampus-t1", "net") for model in list_models())
    finally:
        over.set()
        mover.join()


def test_a_file_is_no_model_yet_and_the_way_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.keras").write_bytes(b"")
    with pytest.raises(ModelProblem) as caught:
        find_model("net.keras")
    assert "napari-vol3d models add net.keras" in caught.value.hint
