"""A card in words: nothing that it says is lost."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.core.intensity import SCHEMES, IntensityScheme
from napari_vol3d.models.card import Conform, ForegroundCrop, ModelCard, PostProcessing, Source
from napari_vol3d.models.card_words import card_rows, grid_words, intensity_words
from napari_vol3d.models.store import find_model


def changed(**given: Any) -> ModelCard:
    card = find_model("hippocampus-t1").card
    return card.model_copy(update={"input": card.input.model_copy(update=given)})


@pytest.mark.parametrize("kind", SCHEMES)
def test_each_scheme_has_words(kind: Any) -> None:
    assert intensity_words(IntensityScheme(kind=kind))
    counted = "zeros" in intensity_words(IntensityScheme(kind=kind, over="nonzero"))
    assert counted == (kind not in ("none", "window"))


def test_each_kind_of_voxels_has_words() -> None:
    assert grid_words(changed(spacing=None)) == "any"
    assert grid_words(changed(spacing=(2.0, 1.0, 1.0), unit="um")) == "2 x 1 x 1 um"
    assert grid_words(changed(spacing=None, conform=Conform())) == "a cube of 256 voxels of 1 mm"
    assert "128 x 128 x 96" in grid_words(changed(spacing=None, resize_to=(128, 128, 96)))


def test_what_is_done_before_and_after_is_said() -> None:
    card = changed(crop=ForegroundCrop(above=0.2, padding=18), orientation="LIA", intensity_range=(0, 255))
    post = PostProcessing(largest_component=True, min_voxels=30, fill_holes=True)
    card = card.model_copy(update={"output": card.output.model_copy(update={"post": post})})
    said = dict(card_rows(card))
    assert said["Axes run to"] == "LIA"
    assert said["It knows"] == "0 to 255"
    assert said["Crop"] == "brighter than 0.2 of the highest, 18 voxels around it"
    assert said["Afterwards"] == "largest piece only, pieces from 30 voxels, holes filled"


def test_where_it_came_from_is_said() -> None:
    came = Source(container="tfjs", file="model.json", sha256="a" * 64, changes=("Channels come last.", "Any size."))
    rows = card_rows(changed().model_copy(update={"source": came}))
    assert ("Came as", "TensorFlow.js layers model model.json") in rows
    assert ("Changed", "Channels come last.") in rows
    assert ("", "Any size.") in rows


@pytest.mark.parametrize(
    ("letters", "words"), [("", "as shown (S, P, L)"), ("stored", "as stored"), ("LIA", "LIA")]
)
def test_axes_are_as_shown_as_stored_or_named(letters: str, words: str) -> None:
    assert dict(card_rows(changed(orientation=letters)))["Axes run to"] == words
