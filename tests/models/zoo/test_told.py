"""What a package says becomes a draft; what a card can't say becomes a sentence."""

from __future__ import annotations

import pytest

from napari_vol3d.models.zoo.tensors import read_tensors
from napari_vol3d.models.zoo.told import OWN, draft_of_package, own_card
from tests.zoo_packages import axes_05, described_05


def told(said):
    return draft_of_package(said, read_tensors(said, "inputs")[0], read_tensors(said, "outputs")[0])


def with_output(channels, *steps):
    said = described_05()
    behind = [{"id": name, "kwargs": options} for name, options in steps]
    said["outputs"][0] |= {"axes": axes_05("bczyx", channels=channels), "postprocessing": behind}
    return said


@pytest.mark.parametrize(
    ("channels", "steps", "names", "activation"),
    [
        (("Background", "a", "b"), [("softmax", {})], ["a", "b"], "none"),
        (("a", "b"), [], ["a", "b"], None),
        (("nucleus",), [("sigmoid", {})], ["nucleus"], "sigmoid"),
        (("a", "b"), [("sigmoid", {})], ["a", "b"], None),
        (("channel0", "channel1"), [("softmax", {})], [], "none"),
        (("same", "same"), [], [], None),
    ],
)
def test_classes_and_what_scores_are(channels, steps, names, activation):
    draft, _ = told(with_output(channels, *steps))
    assert [item.name for item in draft.classes] == names
    assert draft.activation == activation


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([("sigmoid", {})], "classes may overlap"), ([("binarize", {"threshold": 0.3})], "above 0.3"),
        ([("stardist", {})], "'stardist'"),
    ],
)  # fmt: skip
def test_steps_that_are_not_done_are_told(steps, words):
    _, notes = told(with_output(("a", "b"), *steps))
    assert any(words in note for note in notes)


def test_steps_that_change_nothing_are_not():
    assert told(with_output(("a",), ("sigmoid", {}), ("binarize", {"threshold": 0.5}), ("ensure_dtype", {})))[1] == ()


def test_more_inputs_than_one_are_told():
    said = described_05()
    said["inputs"] *= 2
    assert any("2 inputs" in note for note in told(said)[1])


def test_a_licence_of_its_own_is_named():
    assert told(described_05(license={"source": "LICENSE.txt"}))[0].license == "see LICENSE.txt"


def test_our_card_in_another_version_is_told():
    assert own_card({}) == (None, ())
    card, notes = own_card({"config": {OWN: {"card": {"name": "x", "unheard": 1}}}})
    assert card is None
    assert len(notes) == 1
