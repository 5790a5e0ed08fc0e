"""The page of a package says what a card says."""

from __future__ import annotations

import pytest

from napari_vol3d.core.intensity import SCHEMES, IntensityScheme
from napari_vol3d.models.card import Conform, ForegroundCrop, PostProcessing, ValidationFigures
from napari_vol3d.models.store import BUNDLED, open_model
from napari_vol3d.models.zoo.words import beforehand, documentation
from tests.builders import make_card


@pytest.fixture
def card(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"weights")
    return lambda **changes: make_card(tmp_path / "model.keras", **changes)


def test_the_bundled_model_is_told_whole():
    card = open_model(BUNDLED / "hippocampus-t1").card
    page = documentation(card)
    for words in (card.title, card.description, card.citation, card.license, "## Validation", "0.8918", "S, P, L"):
        assert words in page


@pytest.mark.parametrize("kind", SCHEMES)
def test_every_scheme_has_words(card, kind):
    page = documentation(card(input={"intensity": IntensityScheme(kind=kind, lower=2, upper=98)}))
    assert "Intensities, over the whole scan: " in page
    assert "{" not in page
    assert ("do it yourself" in page) == (kind == "maximum")


def test_what_is_done_to_a_whole_scan_comes_in_order(card):
    spec = card(input={"orientation": "LIA", "conform": Conform(), "crop": ForegroundCrop(above=0.2, padding=18)}).input
    assert beforehand(spec) == (
        "turn its axes so that they run to L, I, A", "make it a cube of 256 voxels of 1 mm",
        "cut out what is bright (above 0.2 of the highest value, 18 voxels more)",
    )  # fmt: skip
    assert beforehand(card().input) == ()


def test_post_processing_and_missing_figures(card):
    post = PostProcessing(largest_component=True, min_voxels=30, fill_holes=True)
    page = documentation(card(output={"post": post}))
    for words in ("largest piece", "fewer than 30 voxels", "Holes are filled", "No figures on unseen scans"):
        assert words in page


def test_a_class_that_was_never_there_has_no_figure(card):
    figures = ValidationFigures(data="ten scans", mean_dice={"a": 0.5, "b": None}, mean_hd95_mm={"a": 1.25})
    page = documentation(card().model_copy(update={"validation": figures}))
    assert "a: mean Dice 0.5000, mean HD95 1.25 mm" in page
    assert "b: mean Dice unknown" in page
