"""Sums and products with constants in a TensorFlow graph: batch normalisations and rescalings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.engine.saved_linear import biased, counts_first
from napari_vol3d.engine.saved_rules import BoundToSize, Plan, Value, along_channels, channels_at
from napari_vol3d.engine.saved_sizes import GraphView

SCALING = {"Add", "AddV2", "BiasAdd", "Sub", "Mul", "RealDiv", "Neg"}
SUMS = ("Add", "AddV2")
EPSILON = 1e-3


def affine_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a chain of sums and products with a number for each channel: a batch normalisation, or a rescaling."""
    scale, shift, axis, inner = np.ones(1), np.zeros(1), 0, key
    while inner == key or (view.readers[inner] == 1 and view.op(inner) in SCALING and biased(view, inner) is None):
        found = _affine_step(view, inner)
        if found is None or (axis and found[3] and axis != found[3]):
            break
        inner, factor, more, along = found
        shift, scale, axis = shift + scale * more, scale * factor, axis or along
    if inner == key:
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        return _scaled(_channels_at(view, values[0], axis), scale, shift, name)

    return Plan(sources=(inner,), build=build)


def _affine_step(
    view: GraphView, key: str
) -> tuple[str, NDArray[np.float64], NDArray[np.float64], int] | None:
    """Give x, a, b and the axis of the channels where a tensor is a x + b."""
    op, reads = view.op(key), view.inputs(key)
    if op == "Neg":
        return reads[0], -np.ones(1), np.zeros(1), 0
    if op not in SCALING:
        return None
    for inner, other in (reads, reads[::-1]):
        found = along_channels(view, other, inner, view.rank(key)) if view.constant(inner) is None else None
        if found is None or (op == "RealDiv" and inner != reads[0]):
            continue
        numbers, axis = found
        if op == "BiasAdd":
            axis = 1 if counts_first(view.node(key)) else -1
        if op in ("Mul", "RealDiv"):
            return inner, numbers if op == "Mul" else 1 / numbers, np.zeros(1), axis
        if op == "Sub":
            return (inner, np.ones(1), -numbers, axis) if inner == reads[0] else (inner, -np.ones(1), numbers, axis)
        return inner, np.ones(1), numbers, axis
    return None


def _channels_at(view: GraphView, value: Value, axis: int) -> Value:
    """Give a value with the graph's axis as the last of its Keras tensor."""
    if axis and len(value.tensor.shape) == 5 and value.first != (axis == 1) and not view.bound:
        raise BoundToSize  # numbers that go along an axis of space
    return channels_at(value, axis)


def _scaled(value: Value, scale: NDArray[np.float64], shift: NDArray[np.float64], name: str) -> Value:
    if np.all(scale == 1) and np.all(shift == 0):
        return value
    if scale.size == shift.size == 1:
        layer = layers.Rescaling(float(scale[0]), float(shift[0]), name=name)
        return value.like(layer(value.tensor))
    channels = value.tensor.shape[-1]
    layer = layers.BatchNormalization(epsilon=EPSILON, name=name)
    result = layer(value.tensor)
    weights = [scale, shift, np.zeros(1), np.full(1, 1 - EPSILON)]
    layer.set_weights([np.broadcast_to(numbers, channels) for numbers in weights])
    return value.like(result)


def normalisation_plan(view: GraphView, key: str) -> Plan | None:
    """Plan x (gamma / sqrt(variance + epsilon)) + (beta - mean (gamma / ...)), as Keras writes a batch normalisation.

    Its statistics are kept, so that it can be trained on.
    """
    if view.op(key) not in SUMS:
        return None
    one, two = view.inputs(key)
    product, shift = (two, one) if view.constant(one) is not None else (one, two)
    factors = view.inputs(product) if view.op(product) == "Mul" and view.op(shift) == "Sub" else ()
    constants = [name for name in factors if view.constant(name) is not None]
    if len(constants) != 1 or view.constant(shift) is None:
        return None
    (factor,), (source,) = constants, [name for name in factors if name not in constants]
    beta, moved = view.inputs(shift)
    mean = _other(view, moved, factor)
    root, gamma = _root_and_scale(view, factor)
    parts = _parts_of_sum(view, view.inputs(root)[0]) if root else None
    found = along_channels(view, factor, source, view.rank(key))
    if mean is None or parts is None or found is None:
        return None
    return _normalising(view, source, found[1], [gamma, view.constant(beta), view.constant(mean), parts[0]], parts[1])


def _other(view: GraphView, key: str, factor: str) -> str | None:
    """Give what a factor is multiplied with."""
    reads = view.inputs(key) if view.op(key) == "Mul" else ()
    return next((name for name in reads if name != factor), None) if factor in reads else None


def _root_and_scale(view: GraphView, key: str) -> tuple[str, NDArray[Any] | None]:
    if view.op(key) == "Rsqrt":
        return key, None
    for root, scale in (view.inputs(key), view.inputs(key)[::-1]) if view.op(key) == "Mul" else ():
        if view.op(root) == "Rsqrt":
            return root, view.constant(scale)
    return "", None


def _parts_of_sum(view: GraphView, key: str) -> tuple[NDArray[Any], float] | None:
    """Give variance and epsilon of their sum."""
    if view.op(key) not in SUMS:
        return None
    one, two = (view.constant(name) for name in view.inputs(key))
    if one is None or two is None or min(one.size, two.size) > 1:
        return None
    variance, epsilon = (one, two) if two.size == 1 else (two, one)
    return variance, float(epsilon.ravel()[0])


def _normalising(
    view: GraphView, source: str, axis: int, weights: list[NDArray[Any] | None], epsilon: float
) -> Plan:
    def build(values: Sequence[Value], name: str) -> Value:
        value = _channels_at(view, values[0], axis)
        channels = value.tensor.shape[-1]
        layer = layers.BatchNormalization(epsilon=epsilon, scale=weights[0] is not None, name=name)
        result = layer(value.tensor)
        layer.set_weights([np.broadcast_to(w.ravel(), channels) for w in weights if w is not None])
        return value.like(result)

    return Plan(sources=(source,), build=build)
