"""What lies beside a model describes it."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.gate import examine
from napari_vol3d.models.gate_draft import draft_for
from tests.builders import make_card
from tests.hostile_models import keras_file

MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person ... without\nrestriction"
BSD = "Redistribution and use in source and binary forms, with or without"
GNU = "GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007"


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("LICENSE", MIT, "MIT"), ("LICENSE.txt", BSD, "BSD-2-Clause"), ("COPYING", GNU, "GPL-3.0"),
        ("License.md", BSD + "\nNeither the name of", "BSD-3-Clause"), ("LICENSE", "Mine, all mine", "see LICENSE"),
        ("LICENSE", "Apache License\n Version 2.0, January 2004", "Apache-2.0"),
        ("LICENSE", "Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("LICENSE", "Creative Commons Attribution 4.0 International", "CC-BY-4.0"), ("README", MIT, ""),
    ],
)  # fmt: skip
def test_a_licence_is_known_by_its_text(tmp_path, name, text, licence):
    (tmp_path / name).write_text(text)
    assert examine(keras_file(tmp_path)).draft.license == licence


def test_a_licence_above_a_folder_counts(tmp_path):
    (tmp_path / "LICENSE").write_text(MIT)
    folder = tmp_path / "net"
    folder.mkdir()
    assert draft_for(folder, outside=tmp_path).license == "MIT"


@pytest.mark.parametrize(
    ("name", "title"), [("liver_unet.keras", "liver unet"), ("model.keras", "Brain"), ("x.weights.h5", "x")]
)
def test_a_title_comes_from_the_first_name_that_says_something(tmp_path, name, title):
    folder = tmp_path / "Brain" / "tfjs"
    folder.mkdir(parents=True)
    (folder / name).touch()
    assert draft_for(folder / name, outside=folder).title == title


def test_the_colour_map_with_as_many_entries_as_scores_is_taken(tmp_path):
    for count in (2, 3):
        content = {"R": [0, 255, 205], "G": [0, 255, 62], "B": [0, 255, 78], "labels": ["bg", "white", "grey"]}
        text = json.dumps({key: value[:count] for key, value in content.items()})
        (tmp_path / f"colormap{count}.json").write_text(text)
    (tmp_path / "colormap0.json").write_text("[1, 2]")
    draft = draft_for(tmp_path, outside=tmp_path, scores=3)
    assert draft.classes == (
        LabelClass(id=1, name="white", color="#ffffff"), LabelClass(id=2, name="grey", color="#cd3e4e")
    )  # fmt: skip
    assert draft_for(tmp_path, outside=tmp_path, scores=9).classes == ()


def test_the_real_colour_maps_name_the_tissues(shared_data):
    for folder in ("meshnet_t1_gwm", "meshnet_t1_3class"):
        draft = examine(shared_data / "models" / folder / "tfjs").draft
        assert [(item.id, item.name) for item in draft.classes] == [(1, "White Matter"), (2, "Grey Matter")]
        assert draft.license == "MIT"


def test_a_card_of_ours_that_speaks_of_the_file_says_all(tmp_path):
    path = keras_file(tmp_path)
    (tmp_path / "card.json").write_text(make_card(path).model_dump_json())
    assert examine(path).draft.classes[1].name == "bright"
    other = path.rename(tmp_path / "other.keras")
    assert examine(other).draft.classes == ()
