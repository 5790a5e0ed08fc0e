"""Loading a network from its file, and checking that it is what the card says."""

from __future__ import annotations

from pathlib import Path

import keras

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import ModelCard, sha256_of


def load_network(weights: Path, card: ModelCard) -> keras.Model:
    """Load the network of `card`.

    Raises
    ------
    ModelProblem
        If the file is not the one that the card describes, can't be loaded safely, or is not a network from
        (batch, z, y, x, channels) to (batch, z, y, x, scores).
    """
    if sha256_of(weights) != card.weights.sha256:
        raise ModelProblem(
            f"Weights of {card.title} have changed since its card was written.", hint="Fetch the model again."
        )
    try:
        network = keras.saving.load_model(weights, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError, RecursionError, ImportError) as error:
        raise ModelProblem(f"Weights of {card.title} can't be loaded: {_first_line(error)}") from error
    _check(network, card)
    return network


def _check(network: keras.Model, card: ModelCard) -> None:
    given, wanted = network.input_shape, len(card.input.channels)
    if not isinstance(given, tuple) or len(given) != 5 or given[-1] not in (wanted, None):
        raise ModelProblem(
            f"{card.title} takes {given}, but its card promises 3D patches with {wanted} channel(s), channels last."
        )
    scores = network.output_shape
    classes = len(card.output.classes) + (card.output.activation != "sigmoid")
    if not isinstance(scores, tuple) or len(scores) != 5 or scores[-1] != classes:
        raise ModelProblem(f"{card.title} gives {scores}, but its card promises {classes} scores a voxel.")


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
