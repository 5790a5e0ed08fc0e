"""Several networks that are averaged, seen as one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import InputSpec, ModelCard


def join_cards(cards: Sequence[ModelCard]) -> ModelCard:
    """Give a card that suits all of some networks, the card itself where there is one.

    It has a hash of its own, so that what is learnt about the average is not taken for what one of them does.

    Raises
    ------
    ModelProblem
        If they do not want the same voxels, or do not give the same classes.
    """
    first = cards[0]
    if len(cards) == 1:
        return first
    for other in cards[1:]:
        _require_alike(first, other)
    inputs, runs = [card.input for card in cards], [card.inference for card in cards]
    flips = set(first.input.flip_axes).intersection(*(each.flip_axes for each in inputs))
    rates = [each.seconds_per_megavoxel for each in runs]
    return first.model_copy(
        update={
            "weights": first.weights.model_copy(update={"sha256": _hash_of(cards)}),
            "input": first.input.model_copy(
                update={"multiple": math.lcm(*(each.multiple for each in inputs)), "flip_axes": tuple(sorted(flips))}
            ),
            "inference": first.inference.model_copy(
                update={
                    "scheme": "overlap" if any(each.scheme == "overlap" for each in runs) else "halo",
                    "halo": max(each.halo for each in runs),
                    "bytes_per_voxel": max(each.bytes_per_voxel for each in runs),  # they run one after the other
                    "seconds_per_megavoxel": None if None in rates else sum(rate or 0.0 for rate in rates) / len(rates),
                }
            ),
        }
    )


def _hash_of(cards: Sequence[ModelCard]) -> str:
    return hashlib.sha256(" ".join(card.weights.sha256 for card in cards).encode()).hexdigest()


def _shape_of(given: InputSpec) -> tuple[object, ...]:
    return given.orientation, given.anatomical, given.conform, given.resize_to, given.crop


def _require_alike(first: ModelCard, other: ModelCard) -> None:
    here, there = first.input, other.input
    differ = {
        "channels": here.channels != there.channels,
        "spacing": (here.spacing, here.unit) != (there.spacing, there.unit),
        "intensities": here.intensity != there.intensity,
        "orientation or size": _shape_of(here) != _shape_of(there),
        "post-processing": first.output.post != other.output.post,
        "classes": [c.id for c in first.output.classes] != [c.id for c in other.output.classes],
        "kind of output": (first.output.activation == "sigmoid") != (other.output.activation == "sigmoid"),
    }
    if any(differ.values()):
        names = " and ".join(name for name, is_so in differ.items() if is_so)
        raise ModelProblem(
            f"{first.title} and {other.title} can't be averaged: their {names} differ.",
            hint="Choose models that were trained alike.",
        )
