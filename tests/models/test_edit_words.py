"""Every change of a card is seen before it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.card import Conform, ForegroundCrop, PostProcessing
from napari_vol3d.models.edit_words import card_changes, guess_words
from tests.builders import make_card

CARD = make_card(Path("m.keras"), sha256="0" * 64, input={"spacing": (1.0, 1.0, 1.0)})
INPUT = {
    "channels": ("T1",), "spacing": (1.0, 1.0, 1.00000001), "unit": "um", "intensity": IntensityScheme(kind="minmax"),
    "intensity_range": (0.0, 9.0), "anatomical": True, "orientation": "LIA", "crop": ForegroundCrop(),
}  # fmt: skip
OUTPUT = {
    "activation": "softmax", "post": PostProcessing(fill_holes=True),
    "classes": (LabelClass(id=3, name="dim", color="#010101"), CARD.output.classes[1]),
}  # fmt: skip


def test_nothing_changed_is_nothing_said():
    assert card_changes(CARD, CARD) == ()


@pytest.mark.parametrize("name", ["name", "title", "version", "description", "license", "citation"])
def test_each_text_is_seen(name):
    (change,) = card_changes(CARD, CARD.model_copy(update={name: "other"}))
    assert change[1:] == (getattr(CARD, name), "other")


@pytest.mark.parametrize("name", INPUT)
def test_each_wish_is_seen(name):
    new = CARD.model_copy(update={"input": CARD.input.model_copy(update={name: INPUT[name]})})
    assert card_changes(CARD, new)


@pytest.mark.parametrize("name", OUTPUT)
def test_each_part_of_the_output_is_seen(name):
    new = CARD.model_copy(update={"output": CARD.output.model_copy(update={name: OUTPUT[name]})})
    (change,) = card_changes(CARD, new)
    assert change[1] != change[2]


def test_another_grid_and_another_halo_are_seen():
    given = CARD.input.model_copy(update={"spacing": None, "conform": Conform(edge=64)})
    new = CARD.model_copy(update={"input": given, "inference": CARD.inference.model_copy(update={"halo": 9})})
    assert card_changes(CARD, new) == (
        ("Voxels", "1.0 x 1.0 x 1.0 mm", "a cube of 64 voxels of 1 mm"),
        ("Tiles", "halo, 8 voxels of context", "halo, 9 voxels of context"),
    )


def test_guesses_are_named_for_people():
    assert guess_words(("title", "spacing", "activation")) == "title, voxel size, last layer"
