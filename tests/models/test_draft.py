"""A draft says what is known; another fills what it leaves open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.labels import default_color
from napari_vol3d.models.card import Conform, ForegroundCrop
from napari_vol3d.models.draft import CardDraft, draft_of, read_draft
from tests.builders import make_card

CARD = make_card(
    Path("m.keras"), sha256="0" * 64,
    input={"conform": Conform(), "orientation": "LIA", "crop": ForegroundCrop(padding=18), "channels": ("T1",)},
)  # fmt: skip


def test_what_is_said_goes_before():
    said, known = CardDraft(title="Mine", channels=("T1",)), CardDraft(title="Theirs", license="MIT", halo=3)
    both = said.over(known)
    assert (both.title, both.channels, both.license, both.halo) == ("Mine", ("T1",), "MIT", 3)


def test_empty_says_nothing():
    assert CardDraft(title="", classes=(), spacing=None).over(CardDraft(title="Theirs")).title == "Theirs"


def test_of_a_card_all_that_a_draft_can_say(tmp_path):
    draft = draft_of(CARD)
    assert (draft.conform, draft.orientation, draft.crop) == (Conform(), "LIA", ForegroundCrop(padding=18))
    assert draft.classes == CARD.output.classes
    (tmp_path / "card.json").write_text(CARD.model_dump_json())
    assert read_draft(tmp_path / "card.json") == draft


def test_a_few_lines_are_enough(tmp_path):
    file = tmp_path / "said.json"
    file.write_text(json.dumps({"title": "Brain", "resize_to": [128, 128, 128], "intensity": {"kind": "maximum"}}))
    assert read_draft(file).resize_to == (128, 128, 128)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "file"), ('{"titles": "x"}', "titles"), ('{"orientation": "LIB"}', "orientation"), ("[]", "file"),
        ('{"intensity_range": [9, 0]}', "intensity_range goes from 9 to 0"), ('{"intensity_range": [5, 5]}', "from 5"),
        ('{"intensity_range": [0]}', "intensity_range"), ('{"intensity_range": [0, Infinity]}', "to inf"),
        ('{"intensity_range": [NaN, 1]}', "from nan"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, text, words):
    file = tmp_path / "said.json"
    file.write_text(text)
    with pytest.raises(ModelProblem, match=words):
        read_draft(file)


def test_a_card_whose_range_is_none_can_be_read_but_not_given_back(tmp_path):
    odd = CARD.model_copy(update={"input": CARD.input.model_copy(update={"intensity_range": (5.0, 5.0)})})
    assert draft_of(odd).intensity_range == (5, 5)
    (tmp_path / "card.json").write_text(odd.model_dump_json())
    with pytest.raises(ModelProblem, match=r"card\.json: intensity_range goes from 5 to 5.*lowest"):
        read_draft(tmp_path / "card.json")


def test_no_file(tmp_path):
    with pytest.raises(ModelProblem, match="can't be read"):
        read_draft(tmp_path / "none.json")


def test_a_class_needs_no_colour(tmp_path):
    file = tmp_path / "said.json"
    file.write_text('{"classes": [{"id": 1, "name": "grey"}, {"id": 2, "name": "white", "color": "#ffffff"}]}')
    first, second = read_draft(file).classes
    assert first.color == default_color(1)
    assert second.color == "#ffffff"
