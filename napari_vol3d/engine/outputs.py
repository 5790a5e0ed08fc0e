"""What comes out of a network at its end: which activation, and probabilities or logits."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.anatomy import Step, graph_of, keras_name, node_of
from napari_vol3d.engine.layer_kinds import IDLE
from napari_vol3d.engine.on_grid import free_name

Activation = Literal["none", "softmax", "sigmoid"]
CLOSE = 1e-3
ADDED = (
    "A sigmoid was added: its one score a voxel had no activation.",
    "A sigmoid was added behind its tanh: above 0 is the object.",
)
THROUGH = IDLE | {"UpSampling3D", "Cropping3D", "Reshape", "Cast"}
LABELLING = {"Cast", "ExpandDims", "Squeeze", "Identity", "Reshape"}  # between the largest score and labels
RECTIFIERS = {"ReLU", "LeakyReLU", "PReLU", "ELU", "Relu", "LeakyRelu"}
OF_SCORES = {"", "?", "softmax", "log_softmax", "sigmoid"}


def activation_of(network: keras.Model) -> str:
    """Give the name of the function that the network ends in: "softmax", "sigmoid", "" for none, or another's."""
    graph = graph_of(network)
    if graph is None:
        return "?"
    makers = {step.result: step for step in graph.steps}
    return _ending(makers, graph.output)


def _ending(makers: dict[int, Step], tensor: int) -> str:
    step = makers[tensor]
    name = keras_name(step.layer)
    while name in THROUGH and len(step.sources) == 1:
        step = makers[step.sources[0]]
        name = keras_name(step.layer)
    if name == "Conv3D" and picks(step.layer):
        ending = _ending(makers, step.sources[0])
        return "?" if ending == "softmax" else ending
    if name == "Concatenate":
        ends = {_ending(makers, source) for source in step.sources}
        return ends.pop() if len(ends) == 1 and "softmax" not in ends else "?"
    if name in ("Softmax", "Sigmoid", "LogSoftmax"):
        return {"Softmax": "softmax", "Sigmoid": "sigmoid"}.get(name, "log_softmax")
    if name in RECTIFIERS:
        return name.lower()
    function = getattr(step.layer, "activation", None)
    if function is None:
        return "" if name in ("Conv3D", "Conv3DTranspose", "Dense", "BatchNormalization", "Add") else "?"
    said = getattr(function, "__name__", type(function).__name__)
    return "" if said == "linear" else "sigmoid" if said == "hard_sigmoid" else said


def behind_labels(tensor: Any) -> Any:
    """Give what labels are the largest of; a tensor of no labels as it is."""
    node = node_of(tensor)
    while keras_name(node.operation) in LABELLING:
        node = node_of(node.input_tensors[0])
    of_scores = keras_name(node.operation) == "Argmax" and node.operation.axis in (-1, 4, 1, -4)
    return node.input_tensors[0] if of_scores else tensor


def check_scores(ending: str, stride: tuple[int, int, int]) -> None:
    """Refuse features: what ends as layers inside do, on a grid coarser than the scan's; raises `ModelProblem`."""
    if max(stride) > 1 and ending not in OF_SCORES:
        raise ModelProblem(
            f"The output is features, not scores: it ends in {ending}, on a grid {max(stride)} times coarser.",
            hint="Only networks that label voxels run here.",
        )


def picks(layer: Any) -> bool:
    """Tell whether a convolution does nothing but choose among the channels, as what stands for `x[..., 1]` does."""
    if layer.kernel.shape[:3] != (1, 1, 1) or layer.use_bias or layer.groups > 1 or max(layer.strides) > 1:
        return False
    weights = np.asarray(layer.get_weights()[0])[0, 0, 0]
    linear = getattr(layer.activation, "__name__", "") == "linear"
    return linear and bool(np.isin(weights, (0, 1)).all() and (weights.sum(axis=0) == 1).all())


def settle_activation(
    network: keras.Model, seen: NDArray[np.float32]
) -> tuple[keras.Model, Activation, tuple[str, ...], tuple[str, ...]]:
    """Make sure that one score is a probability; give the network, its activation, what is unsure and what changed.

    Parameters
    ----------
    network : keras.Model
        With its output on its input's grid.
    seen : ndarray of float32, shape (1, z, y, x, scores)
        What it gives for a random patch.

    Raises
    ------
    ModelProblem
        If its scores can't be told apart, or are no scores.
    """
    ending, count = activation_of(network), seen.shape[-1]
    if ending == "softmax":
        _check_softmax(seen)
        return network, "softmax", (), ()
    if ending == "sigmoid":
        return network, "sigmoid", (), ()
    if count > 1 and ending in ("", "log_softmax"):
        return network, "none", (), ()
    inside = bool(seen.min() >= -CLOSE and seen.max() <= 1 + CLOSE)
    if count > 1:
        sums = bool(np.abs(seen.sum(-1) - 1).max() < CLOSE)
        return network, "softmax" if inside and sums else "sigmoid" if inside else "none", ("activation",), ()
    if ending != "" and inside:
        return network, "sigmoid", ("activation",), ()
    if ending not in ("", "?", "tanh"):
        raise ModelProblem(
            f"The output is no probability: its one number a voxel ends in {ending}.",
            hint="Only networks that score classes run here.",
        )
    last = layers.Activation("sigmoid", name=free_name("probability", {layer.name for layer in network.layers}))
    ended = keras.Model(network.inputs[0], last(network.outputs[0]), name=network.name)
    return ended, "sigmoid", ("activation",), (ADDED[ending == "tanh"],)


def _check_softmax(seen: Any) -> None:
    if seen.shape[-1] == 1:
        raise ModelProblem(
            "The output is always 1: a softmax over one score.", hint="Its maker meant a sigmoid, or more classes."
        )
    if np.abs(seen.sum(-1) - 1).max() > CLOSE:
        raise ModelProblem("The softmax does not run along the scores.", hint="Ask its maker for a corrected model.")
