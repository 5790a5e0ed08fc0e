"""Networks that are averaged are planned so that all of them are served."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.card import PostProcessing
from napari_vol3d.models.ensemble import join_cards
from tests.builders import make_card


def card(digit="0", **changes):
    return make_card(Path("model.keras"), sha256=digit * 64, **changes)


def test_one_network_is_itself():
    alone = card()
    assert join_cards([alone]) is alone


def test_what_suits_all():
    first = card("1", input={"multiple": 4, "flip_axes": (0, 2)}, inference={"halo": 8, "bytes_per_voxel": 900})
    second = card("2", input={"multiple": 6, "flip_axes": (2,)}, inference={"halo": 20, "scheme": "overlap"})
    joint = join_cards([first, second])
    assert (joint.input.multiple, joint.input.flip_axes) == (12, (2,))
    assert (joint.inference.halo, joint.inference.bytes_per_voxel, joint.inference.scheme) == (20, 900, "overlap")
    assert joint.output == first.output
    # What is learnt about the average is kept under a name of its own.
    assert len({c.weights.sha256 for c in (first, second, joint, join_cards([second, first]))}) == 4


def test_others_are_refused():
    first = card()
    join_cards([first, card("1"), card("2", name="other"), card("3", output={"activation": "softmax"})])
    others = {
        "orientation or size": card(input={"orientation": "LIA"}),
        "post-processing": card(output={"post": PostProcessing(largest_component=True)}),
        "channels": card(input={"channels": ("a", "b")}), "spacing": card(input={"spacing": (1.0, 1.0, 1.0)}),
        "intensities": card(input={"intensity": IntensityScheme(kind="minmax")}),
        "classes": card(output={"classes": (LabelClass(id=7, name="a", color="#ff0000"),)}),
        "output": card(output={"activation": "sigmoid"}),
    }  # fmt: skip
    for name, other in others.items():
        with pytest.raises(ModelProblem, match=f"can't be averaged: .*{name}"):
            join_cards([first, card("1"), other])
    with pytest.raises(ModelProblem, match="spacing"):
        join_cards([first, card(input={"unit": "um"})])
