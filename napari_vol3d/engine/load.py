"""Loading a network from its file, checking that it is what the card says, and making it fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import Anatomy, study
from napari_vol3d.engine.rewrite import SOFTMAX, rewrite
from napari_vol3d.models.card import ModelCard, sha256_of

AGAIN = "Add the model anew, or correct its card."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A network that is ready to be called.

    Attributes
    ----------
    model : keras.Model
        Rewritten for inference: the same scores, sooner.
    activation : str
        Of its last layer: "none" (logits), "softmax" or "sigmoid".
    anatomy : Anatomy
        What its graph says about halo, memory and work.
    rewrites : tuple of str
        What was done to it, for people.
    """

    model: keras.Model
    card: ModelCard
    activation: str
    anatomy: Anatomy
    rewrites: tuple[str, ...] = ()

    def probabilities(self, outputs: Any) -> Any:
        """Give the probabilities that its outputs (..., K) stand for."""
        return keras.ops.softmax(outputs, axis=-1) if self.activation == "none" else outputs


def load_network(weights: Path, card: ModelCard) -> Network:
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
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # so that a rewrite is judged by what it does, not by its rounding
    try:
        network = keras.saving.load_model(weights, compile=False, safe_mode=True)
        _check(network, card)
        ends_in_softmax = card.output.activation == "softmax"
        rewritten = rewrite(network, card.input.patch_size, keep_probabilities=not ends_in_softmax)
        anatomy = study(network)
    except (ValueError, TypeError, OSError, KeyError, RecursionError, ImportError) as error:
        raise ModelProblem(f"Weights of {card.title} can't be loaded: {_first_line(error)}") from error
    finally:
        keras.config.set_dtype_policy(policy)
    if policy.compute_dtype != "float32":
        compute_in(policy, rewritten.network)
    logits = ends_in_softmax and SOFTMAX in rewritten.done
    return Network(
        model=rewritten.network, card=card, activation="none" if logits else card.output.activation, anatomy=anatomy,
        rewrites=rewritten.done,
    )  # fmt: skip


def compute_in(policy: keras.DTypePolicy, network: keras.Model) -> None:
    """Let all layers but the last, whose scores want every digit, compute in another precision."""
    last = network.outputs[0]._keras_history.operation
    for layer in network.layers:
        if layer is not last and not isinstance(layer, keras.layers.InputLayer):
            layer.dtype_policy = policy


def _check(network: keras.Model, card: ModelCard) -> None:
    wanted, classes = len(card.input.channels), len(card.output.classes) + (card.output.activation != "sigmoid")
    given, scores = network.input_shape, network.output_shape
    if not isinstance(given, tuple) or len(given) != 5:
        raise ModelProblem(f"{card.title} takes {given}, and no 3D patches.", hint=AGAIN)
    if given[-1] not in (wanted, None):
        names = f"{wanted} channel(s): {', '.join(card.input.channels)}"
        raise ModelProblem(f"{card.title} takes {given[-1]} channel(s) (last axis), its card has {names}.", hint=AGAIN)
    if not isinstance(scores, tuple) or len(scores) != 5:
        raise ModelProblem(f"{card.title} gives {scores}, not scores a voxel.", hint=AGAIN)
    if scores[-1] != classes:
        named = f"{classes} scores for {len(card.output.classes)} classes"
        raise ModelProblem(f"{card.title} gives {scores[-1]} scores a voxel, its card has {named}.", hint=AGAIN)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
