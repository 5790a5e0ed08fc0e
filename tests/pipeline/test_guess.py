"""The card of an adopted network: what is said, what its graph says, and guesses that are called guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.engine.messages import Adopted, OutputSeen
from napari_vol3d.models.card import Conform
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.source import ModelSource
from napari_vol3d.pipeline.guess import card_of, complete

FACTS = Adopted(
    channels=1, scores=3, fixed_size=None, patch_size=(64, 64, 64), multiple=8, reach=90, instance_statistics=False,
    bytes_per_voxel=100, flops_per_voxel=1e4, activation="softmax", outputs=(), chosen="main", layers=(), parameters=5,
    changes=("Channels come last.",),
)  # fmt: skip
GREY = (LabelClass(id=1, name="grey", color="#ff0000"), LabelClass(id=2, name="white", color="#00ff00"))


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))


def source(name="brain_net.keras"):
    return ModelSource(path=Path(name), container="keras", files=(), sha256="a" * 64, size=1)


def made(said=None, facts=FACTS, **where):
    draft, guessed = complete(said or CardDraft(), facts, source(**where))
    weights = Path(__file__)
    return card_of(draft, facts, source(**where), weights, software="TensorFlow"), guessed


def test_without_a_word_all_is_guessed_and_said_so():
    card, guessed = made()
    assert set(guessed) == {"title", "channels", "intensity", "classes", "spacing", "orientation"}
    assert (card.name, card.title, card.version) == ("brain-net", "brain net", "1.0")
    assert [item.id for item in card.output.classes] == [1, 2]  # of three scores the first is background
    assert card.input.multiple == 8
    assert card.source.changes == ("Channels come last.",)
    assert card.inference.scheme == "halo"


def test_a_sigmoid_has_no_background():
    facts = FACTS.model_copy(update={"activation": "sigmoid", "scores": 2})
    assert [item.id for item in made(facts=facts)[0].output.classes] == [1, 2]


def test_what_is_said_is_kept_and_no_guess():
    said = CardDraft(title="Brain", channels=("T1",), classes=GREY, conform=Conform(), orientation="LIA")
    card, guessed = made(said)
    assert (card.title, card.input.channels, card.output.classes) == ("Brain", ("T1",), GREY)
    assert set(guessed) == {"intensity"}


def test_what_is_about_another_output_is_left_out():
    said = CardDraft(classes=GREY, channels=("T1", "T2"))
    card, guessed = made(said, FACTS.model_copy(update={"scores": 5}))
    assert len(card.output.classes) == 4
    assert card.input.channels == ("image",)
    assert {"classes", "channels"} <= set(guessed)


def test_one_large_size_is_a_whole_scan_and_a_small_one_a_patch():
    whole = made(facts=FACTS.model_copy(update={"fixed_size": (128, 128, 96)}))[0]
    assert (whole.input.resize_to, whole.input.fixed, whole.inference.scheme) == ((128, 128, 96), True, "overlap")
    patch = made(facts=FACTS.model_copy(update={"fixed_size": (48, 48, 48)}))[0]
    assert (patch.input.resize_to, patch.input.fixed, patch.input.patch_size) == (None, True, (48, 48, 48))


def test_instance_statistics_are_blended():
    assert made(facts=FACTS.model_copy(update={"instance_statistics": True}))[0].inference.scheme == "overlap"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": ("a", "b")}, r"takes 1 channel.*names 2"),
        ({"classes": GREY[:1]}, r"gives 3 scores.*names 1"),
        ({"resize_to": (8, 8, 8), "spacing": (1.0, 1.0, 1.0)}, "say one of spacing"),
        ({"classes": (GREY[0], GREY[0])}, "ids must differ"),
        ({"name": "Not A Name"}, "name"),
    ],
)
def test_a_form_that_contradicts_the_network_is_told(change, words):
    draft = complete(CardDraft(), FACTS, source())[0].model_copy(update=change)
    with pytest.raises(ModelProblem, match=words):
        card_of(draft, FACTS, source(), Path(__file__), software="")


@pytest.mark.parametrize(
    ("path", "title"),
    [("x/net_v2.keras", "net v2"), ("my net/model.json", "my net"), ("lesions/saved_model.pb", "lesions")],
)
def test_a_title_is_made_of_the_name(path, title):
    assert made(name=path)[0].title == title


def test_the_output_that_was_chosen_is_kept_in_the_draft():
    facts = FACTS.model_copy(update={"outputs": (OutputSeen(name="main", stride=(1, 1, 1), scores=3),)})
    assert complete(CardDraft(), facts, source())[0].output == "main"


def test_a_card_that_can_not_be_is_refused_in_words():
    said = CardDraft(intensity=IntensityScheme(kind="window", lower=400, upper=-100))
    with pytest.raises(ModelProblem, match=r"^The card can't be made: intensity: lower must be below upper"):
        made(said)
