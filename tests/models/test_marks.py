"""Marks of guesses lie in the model's own folder: they go where it goes, and cost nothing."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile

import pytest
from platformdirs import user_cache_path

from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.draft import GUESSABLE, CardDraft
from napari_vol3d.models.edited import corrected, edited, save
from napari_vol3d.models.export import export_model
from napari_vol3d.models.library import add_model, remove_model
from napari_vol3d.models.marks import (
    MARKS_NAME,
    MOST_BYTES,
    marks_from,
    marks_in,
    marks_text,
    read_marks,
    write_marks,
)
from napari_vol3d.models.record import guesses_in, guesses_of, keep_guesses, read_record, update_record
from napari_vol3d.models.store import find_model, list_models, open_model
from tests.builders import make_card

GUESSED = ("classes", "intensity")


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def model(own, tmp_path):
    (tmp_path / "some.keras").write_bytes(b"weights")
    return add_model(tmp_path / "some.keras", make_card(tmp_path / "some.keras", name="net"))


@pytest.fixture
def marked(model):
    keep_guesses(model.card, GUESSED)
    return model


def forget_all():
    shutil.rmtree(user_cache_path("napari-vol3d"), ignore_errors=True)


def kept_as_before(model):
    """Marks as older versions kept them, and something else that was found out."""
    update_record(model.card, halo=5, guessed={"net 0.1": GUESSED, "net 0.2": ("title",)})


def test_they_lie_beside_the_card_and_no_cache_is_needed(marked):
    before = (marked.folder / CARD_NAME).read_bytes()
    forget_all()
    assert guesses_in(marked.card) == GUESSED == read_marks(marked.card)
    assert sorted(path.name for path in marked.folder.iterdir()) == [CARD_NAME, MARKS_NAME, "model.keras"]
    keep_guesses(marked.card, ("intensity",))
    assert guesses_in(marked.card) == ("intensity",)
    keep_guesses(marked.card, ())
    assert (guesses_in(marked.card), read_marks(marked.card)) == ((), None)
    assert sorted(path.name for path in marked.folder.iterdir()) == [CARD_NAME, "model.keras"]
    assert (marked.folder / CARD_NAME).read_bytes() == before
    assert not user_cache_path("napari-vol3d").exists()


def test_they_belong_to_a_name_a_version_and_a_network(marked):
    for said in ({"name": "other"}, {"version": "2"}):
        assert guesses_in(marked.card.model_copy(update=said)) == ()
    weights = marked.card.weights.model_copy(update={"sha256": "b" * 64})
    assert guesses_in(marked.card.model_copy(update={"weights": weights})) == ()
    assert guesses_in(marked.card.model_copy(update={"license": "MIT"})) == GUESSED


def test_they_follow_a_folder_that_was_renamed(marked):
    marked.folder.rename(marked.folder.parent / "moved")
    assert guesses_in(find_model("net").card) == GUESSED
    keep_guesses(marked.card, ())
    assert guesses_in(find_model("net").card) == ()


def test_those_of_an_older_version_come_out_of_the_cache_once(model):
    kept_as_before(model)
    assert guesses_in(model.card) == GUESSED
    assert read_record(model.card).guessed == {"net 0.2": ("title",)}  # another model's, which is looked at later
    forget_all()
    assert guesses_in(model.card) == GUESSED


def test_what_was_confirmed_does_not_come_back_from_the_cache(model):
    kept_as_before(model)
    keep_guesses(model.card, ())
    assert guesses_in(model.card) == ()
    assert read_record(model.card).halo == 5


def test_an_edit_keeps_them_and_a_copy_has_its_own(marked):
    forget_all()
    copy = save(edited(marked, corrected(marked.card, CardDraft(version="2"))), ("intensity",))
    assert (guesses_in(copy.card), guesses_in(marked.card)) == (("intensity",), GUESSED)
    again = save(edited(marked, corrected(marked.card, CardDraft(license="MIT"))), ("classes",))
    assert (guesses_in(again.card), guesses_in(copy.card)) == (("classes",), ("intensity",))


def test_they_go_with_the_model_and_not_to_the_next_of_its_name(marked, tmp_path):
    remove_model(marked)
    assert not marked.folder.exists()
    assert guesses_in(marked.card) == ()
    again = add_model(tmp_path / "some.keras", marked.card)
    assert guesses_in(again.card) == ()


def test_they_go_along_when_a_model_is_given_away(marked, tmp_path):
    names = [CARD_NAME, MARKS_NAME, "model.keras"]
    folder = export_model(marked, tmp_path / "given", kind="folder")
    assert sorted(path.name for path in folder.iterdir()) == names
    assert marks_in(folder) == GUESSED
    with zipfile.ZipFile(export_model(marked, tmp_path / "given.zip", kind="zip")) as archive:
        assert sorted(archive.namelist()) == names
        archive.extractall(tmp_path / "unpacked")
    assert marks_in(tmp_path / "unpacked") == GUESSED
    keep_guesses(marked.card, ())
    with zipfile.ZipFile(export_model(marked, tmp_path / "sure.zip", kind="zip")) as archive:
        assert sorted(archive.namelist()) == [CARD_NAME, "model.keras"]


def test_of_strangers_marks_only_fields_of_a_card_are_taken(tmp_path):
    strange = ["classes", "\x1b[31mlook", "classes", "halo", "intensity"]
    (tmp_path / MARKS_NAME).write_text(json.dumps({"format_version": 1, "guessed": strange}))
    assert marks_in(tmp_path) == GUESSED == marks_from(strange)
    (tmp_path / MARKS_NAME).write_text(json.dumps({"guessed": ["classes"] * MOST_BYTES}))
    assert marks_in(tmp_path) == GUESSABLE
    (tmp_path / MARKS_NAME).rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text(marks_text(GUESSED))
    (tmp_path / MARKS_NAME).symlink_to(tmp_path / "elsewhere")
    assert marks_in(tmp_path) == GUESSABLE
    (tmp_path / MARKS_NAME).unlink()
    assert marks_in(tmp_path) == ()


@pytest.mark.parametrize("block", [None, 3, "classes", {"classes": 1}, ["classes", 3]])
def test_of_marks_in_another_way_nobody_knows_what_is_confirmed(block):
    assert marks_from(block) == GUESSABLE


def test_a_model_elsewhere_has_the_marks_beside_its_card(marked, tmp_path):
    folder = export_model(marked, tmp_path / "given", kind="folder")
    keep_guesses(marked.card, ())
    there = open_model(folder)
    assert (guesses_of(there), guesses_of(marked)) == (GUESSED, ())
    assert marks_in(export_model(there, tmp_path / "again", kind="folder")) == GUESSED


def test_a_model_comes_in_with_its_marks_or_not_at_all(own, tmp_path):
    (tmp_path / "some.keras").write_bytes(b"weights")
    model = add_model(tmp_path / "some.keras", make_card(tmp_path / "some.keras", name="net"), GUESSED)
    assert guesses_in(model.card) == GUESSED
    assert sorted(path.name for path in model.folder.iterdir()) == [CARD_NAME, MARKS_NAME, "model.keras"]


def test_where_they_can_not_be_written_the_cache_has_them_meanwhile(model, caplog):
    (model.folder / MARKS_NAME).mkdir()
    with caplog.at_level(logging.INFO):
        keep_guesses(model.card, GUESSED)
    assert "not kept" in caplog.text
    assert not write_marks(model.card, GUESSED)
    assert guesses_in(model.card) == GUESSED
    keep_guesses(model.card, ("title",))
    (model.folder / MARKS_NAME).rmdir()
    assert guesses_in(model.card) == ("title",)
    forget_all()
    assert guesses_in(model.card) == ("title",)  # at the last look they went to their place


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b'{"guessed": 3}', b'{"from_the_future": 1}'])
def test_with_damaged_marks_all_may_be_guesses_and_they_can_be_made_anew(marked, content):
    (marked.folder / MARKS_NAME).write_bytes(content)
    assert guesses_in(marked.card) == GUESSABLE
    assert find_model("net") == marked
    keep_guesses(marked.card, ("title",))
    assert guesses_in(marked.card) == ("title",)


def test_without_a_folder_of_models_nothing_is_made(own):
    bundled = list_models()[0].card
    assert guesses_in(bundled) == ()
    keep_guesses(bundled, ())
    assert not own.exists()
    assert not write_marks(bundled, GUESSED)


def test_a_card_that_can_not_be_read_is_passed_over(marked):
    broken = marked.folder.parent / "aaa"
    broken.mkdir()
    (broken / CARD_NAME).write_text("{")
    (broken / MARKS_NAME).write_text('{"guessed": ["title"]}')
    assert guesses_in(marked.card) == GUESSED
