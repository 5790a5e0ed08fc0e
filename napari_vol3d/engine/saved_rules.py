"""What rules that turn TensorFlow's ops into Keras layers are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.saved_sizes import ASK, GraphView

FIRST_TO_LAST = (0, 2, 3, 4, 1)
LAST_TO_FIRST = (0, 4, 1, 2, 3)
INNER_SCOPES = {"batchnorm", "moments", "Repeat", "Tensordot", "Gelu"}  # within a layer's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A Keras tensor, channels last, that stands for one of the graph's.

    Attributes
    ----------
    tensor : KerasTensor
        Batch first, channels last.
    first : bool
        Whether the graph counts the channel axis as its second; five axes then.
    slices : bool
        Whether batch and z are one axis for the graph.
    """

    tensor: Any
    first: bool = False
    slices: bool = False

    def axis(self, axis: int) -> int:
        """Say which of the tensor's axes one of the graph's is."""
        axis %= len(self.tensor.shape) - self.slices
        if self.slices:
            return axis + (axis > 0)
        return FIRST_TO_LAST.index(axis) if self.first else axis

    def like(self, tensor: Any) -> Value:
        """Give a tensor in the same order of axes."""
        return Value(tensor=tensor, first=self.first, slices=self.slices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to make a tensor from others, which have to be made before.

    Attributes
    ----------
    sources : tuple of str
        Names of the graph's tensors.
    build : callable
        From their values, and a name for the last layer, to the value.
    """

    sources: tuple[str, ...]
    build: Callable[[Sequence[Value], str], Value]


Rule = Callable[[GraphView, str], "Plan | None"]


class BoundToSize(Exception):
    """The graph has weights for each place, so it works at its stored size only."""


def problem(view: GraphView, key: str) -> ModelProblem:
    """Give the error for a node that can't be converted."""
    node = view.node(key)
    return ModelProblem(f"No Keras layer replaces {node.op}, TensorFlow's op {short_name(node.name)}.", hint=ASK)


def layer_name(name: str) -> str:
    """Give a name for a layer from the name of a node: its innermost scope that says something."""
    parts = [part for part in name.split("/") if not part.endswith("PartitionedCall")]
    scopes = parts[:-1] or parts
    while len(scopes) > 1 and scopes[-1].rstrip("_0123456789") in INNER_SCOPES:
        scopes.pop()
    plain = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in scopes[-1])
    return plain or "layer"


def short_name(name: str) -> str:
    """Give the last parts of a node's name, for people."""
    return "/".join(name.split("/")[-2:])


def in_order(value: Value, *, first: bool) -> Value:
    """Give the same numbers with the axes counted in the other way, where it has to be."""
    if value.first == first or len(value.tensor.shape) != 5:
        return value
    moved = LAST_TO_FIRST if value.first else FIRST_TO_LAST
    return Value(tensor=layers.Permute(moved[1:])(value.tensor), first=first)


def along_channels(view: GraphView, key: str, tensor: str, rank: int) -> tuple[NDArray[np.float64], int] | None:
    """Read a constant that has a number for each channel, or one for all.

    Parameters
    ----------
    view : GraphView
    key : str
        The constant.
    tensor : str
        What it is combined with.
    rank : int
        Number of axes of the result.

    Returns
    -------
    tuple of (array of (C,) or (1,), int) or None
        The numbers and the axis that they go along: -1, or 1 where channels come first; 0 for one number.
    """
    found = view.constant(key)
    if found is None or found.dtype.kind not in "fiuV" or found.ndim > rank or view.rank(tensor) != rank:
        return None
    shape = (1,) * (rank - found.ndim) + found.shape
    numbers = found.astype(np.float64).ravel()
    if numbers.size == 1:
        return numbers, 0
    axes = [axis for axis, length in enumerate(shape) if length > 1]
    if len(axes) != 1 or axes[0] not in (1, rank - 1) or view.length(tensor, axes[0]) != numbers.size:
        return None
    return numbers, 1 if rank == 5 and axes[0] == 1 else -1


def channels_at(value: Value, axis: int) -> Value:
    """Give a value whose Keras tensor has the graph's axis 1 or -1 (0: any) as its last."""
    return value if axis == 0 or len(value.tensor.shape) != 5 else in_order(value, first=axis == 1)
