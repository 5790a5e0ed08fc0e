"""Normalisations and GELUs in a TensorFlow graph, recognised by what they compute, as they are written in many ways.

A piece of the graph that reads one tensor only is computed with NumPy for some random numbers. If a Keras layer with
suitable weights gives the same, it is that layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray
from scipy import special

from napari_vol3d.engine.saved_rules import Plan, Value, in_order
from napari_vol3d.engine.saved_sizes import GraphView
from napari_vol3d.engine.saved_slices import are_slices

Array = NDArray[np.float64]
ENDS = {"Add", "AddV2", "Sub", "Mul", "RealDiv", "BiasAdd", "Reshape"}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": np.add, "AddV2": np.add, "BiasAdd": np.add, "Sub": np.subtract, "Mul": np.multiply, "RealDiv": np.divide,
    "Neg": np.negative, "Square": np.square, "Sqrt": np.sqrt, "Rsqrt": lambda x: 1 / np.sqrt(x), "Pow": np.power,
    "SquaredDifference": lambda x, y: np.square(x - y), "Reciprocal": np.reciprocal, "Maximum": np.maximum,
    "Erf": special.erf, "Erfc": special.erfc, "Tanh": np.tanh, "OnesLike": np.ones_like, "ZerosLike": np.zeros_like,
    "DivNoNan": lambda x, y: np.where(y == 0, 0, x / y),
}  # fmt: skip
# Keras 2 computes a layer normalisation as a batch normalisation in training, of voxels that are taken for channels.
KNOWN = {*FUNCTIONS, "Mean", "Sum", "Reshape", "FusedBatchNormV3"}
MOST_NODES = 60
TOLERANCE = 1e-4
SMALL = (2, 3, 4, 5)  # batch, z, y and x of the random numbers
SCALES = (1.0, 0.02)  # where the variance is small, its epsilon shows


def region_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a piece of the graph that is a group, instance or layer normalisation, or a GELU."""
    if view.op(key) not in ENDS or not (view.rank(key) == 5 or are_slices(view, key)):
        return None
    for source in _sources(view, key):
        nodes = _between(view, key, source) if view.shapes[source] == view.shapes[key] else None
        if nodes is None:
            continue
        erf = any(view.op(name) in ("Erf", "Erfc") for name in nodes)
        plan = _gelu(view, key, source) if erf else _normalisation(view, key, source, nodes)
        if plan is not None:
            return plan
    return None


def _sources(view: GraphView, key: str) -> list[str]:
    """Give what the piece that ends here may start from: what its means, or its error function, are taken of."""
    found = []
    for name in _walk(view, key, ()):
        if view.op(name) == "Mean" or (view.op(name) == "Reshape" and name != key):
            source = view.inputs(name)[0]
            found += [source] * are_slices(view, source)
            found.append(view.inputs(source)[0] if view.op(source) == "Reshape" else source)
        if view.op(name) in ("Erf", "Erfc"):
            source = view.inputs(name)[0]
            while view.op(source) in ("Mul", "RealDiv", "Neg"):
                source = next(n for n in view.inputs(source) if view.values(n) is None)
            found.append(source)
    return list(dict.fromkeys(found))


def _between(view: GraphView, key: str, source: str) -> list[str] | None:
    """Give the tensors between two, if the one depends on nothing but the other."""
    nodes = list(_walk(view, key, (source,)))
    open_ends = any(view.op(name) not in KNOWN for name in nodes) or len(nodes) >= MOST_NODES
    return None if open_ends or key == source else nodes


def _walk(view: GraphView, key: str, stops: Iterable[str]) -> Iterator[str]:
    """Give tensors that `key` depends on, from it backwards, up to ops that no normalisation is made of."""
    waiting, seen = [key], set(stops)
    while waiting and len(seen) <= MOST_NODES:
        name = waiting.pop(0)
        if name in seen or view.values(name) is not None:
            continue
        seen.add(name)
        yield name
        if view.op(name) in KNOWN:
            waiting.extend(view.inputs(name))


def _gelu(view: GraphView, key: str, source: str) -> Plan | None:
    numbers = np.random.default_rng(0).normal(scale=3, size=(*SMALL, view.shapes[source][0][-1]))
    given = computed(view, key, {source: numbers})
    wanted = numbers / 2 * (1 + special.erf(numbers / np.sqrt(2)))
    if given is None or not _close(given, wanted):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        return values[0].like(layers.Activation("gelu", name=name)(values[0].tensor))

    return Plan(sources=(source,), build=build)


def _normalisation(view: GraphView, key: str, source: str, nodes: list[str]) -> Plan | None:
    constants = [view.constant(name) for node in nodes for name in view.inputs(node) if view.values(name) is not None]
    small = {float(c.ravel()[0]) for c in constants if c is not None and c.dtype.kind == "f" and c.size == 1}
    small |= {float(view.node(name).attr["epsilon"].f) for name in nodes if view.op(name) == "FusedBatchNormV3"}
    epsilons = sorted(epsilon for epsilon in small if 0 < epsilon < 0.5)
    seen = {length for name in nodes if view.op(name) == "Reshape" for length in view.shapes[name][0]}
    for first in (False, True) if epsilons else ():
        channels = view.length(source, 1 if first else -1)
        given = _given(view, key, source, first, channels) if channels else None
        if channels is None or given is None:
            continue
        groups = [channels, 1, *sorted(g for g in seen if 1 < g < channels and channels % g == 0), None]
        groups = groups[-1:] if view.rank(source) == 4 else groups  # a slice's own statistics are not a volume's
        for count, epsilon in itertools.product(groups, epsilons):
            found = _weights(given, count, epsilon)
            if found is not None:
                return _normalising(source, found, first=first, groups=count, epsilon=epsilon)
    return None


def _numbers(channels: int) -> Array:
    return np.random.default_rng(0).normal(size=(*SMALL, channels)) * np.linspace(1, 3, channels) + 0.5


def _given(view: GraphView, key: str, source: str, first: bool, channels: int) -> list[Array] | None:
    """Give what the piece makes of zeros, and of random numbers at each scale."""
    results = []
    for scale in (0.0, *SCALES):
        numbers = _numbers(channels) * scale
        numbers = numbers.reshape(-1, *SMALL[2:], channels) if view.rank(source) == 4 else numbers
        result = computed(view, key, {source: np.moveaxis(numbers, -1, 1) if first else numbers})
        result = result.reshape(*SMALL, channels) if result is not None and view.rank(source) == 4 else result
        if result is None or result.ndim != 5 or not np.isfinite(result).all():
            return None
        results.append(np.moveaxis(result, 1, -1) if first else result)
    return results if all(result.shape == (*SMALL, channels) for result in results) else None


def _weights(given: list[Array], groups: int | None, epsilon: float) -> tuple[Array, Array] | None:
    """Give gamma and beta with which a normalisation gives the same; None if none does."""
    shift, gamma = given[0][0, 0, 0, 0], None
    for scale, result in zip(SCALES, given[1:], strict=True):
        plain = _normalised(_numbers(len(shift)) * scale, groups, epsilon)
        if gamma is None:
            gamma = ((result - shift) * plain).sum((0, 1, 2, 3)) / np.square(plain).sum((0, 1, 2, 3))
        if not _close(result, gamma * plain + shift):
            return None
    return None if gamma is None else (gamma, shift)


def _normalised(numbers: Array, groups: int | None, epsilon: float) -> Array:
    """Give numbers with mean 0 and variance 1: in each group of channels, or (None) in each voxel."""
    shape = numbers.shape
    parts = numbers if groups is None else numbers.reshape(*shape[:4], groups, -1)
    axes = (4,) if groups is None else (1, 2, 3, 5)
    centred = parts - parts.mean(axes, keepdims=True)
    return (centred / np.sqrt(np.square(centred).mean(axes, keepdims=True) + epsilon)).reshape(shape)


def _normalising(
    source: str, weights: tuple[Array, Array], *, first: bool, groups: int | None, epsilon: float
) -> Plan:
    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=first)
        layer: Any = layers.LayerNormalization(epsilon=epsilon, name=name)
        if groups is not None:
            layer = layers.GroupNormalization(groups=groups, epsilon=epsilon, name=name)
        result = layer(value.tensor)
        layer.set_weights(list(weights))
        return value.like(result)

    return Plan(sources=(source,), build=build)


def computed(view: GraphView, key: str, given: dict[str, Any]) -> Array | None:
    """Compute a tensor with NumPy from others; None where it takes something that NumPy isn't asked for here."""
    done: dict[str, Any] = dict(given)
    waiting = [key]
    while waiting:
        name = waiting[-1]
        if name in done:
            waiting.pop()
            continue
        value = view.constant(name)
        if value is None and (view.values(name) is not None or view.op(name) not in KNOWN):
            return None
        missing = [] if value is not None else [n for n in _read(view, name) if n not in done]
        waiting.extend(missing)
        if not missing:
            waiting.pop()
            try:
                reads = [] if value is not None else [done[n] for n in _read(view, name)]
                done[name] = value if value is not None else _step(view, name, reads, given)
            except ValueError:  # shapes that do not fit, as the axes were taken for others
                return None
    return np.asarray(done[key], np.float64)


def _read(view: GraphView, key: str) -> tuple[str, ...]:
    reads = view.inputs(key)
    return reads[:1] if view.op(key) in ("Reshape", "FusedBatchNormV3") else reads


def _step(view: GraphView, key: str, numbers: list[Any], given: dict[str, Any]) -> Any:
    op, node = view.op(key), view.node(key)
    if op == "FusedBatchNormV3":
        return _of_voxels(view, key, numbers[0])
    if op in ("Mean", "Sum"):
        function = np.mean if op == "Mean" else np.sum
        return function(numbers[0], axis=tuple(np.ravel(numbers[1])), keepdims=bool(node.attr["keep_dims"].b))
    if op == "Reshape":
        for name, array in given.items():
            if view.shapes[name] == view.shapes[key]:
                return numbers[0].reshape(array.shape)
        return _reshaped(numbers[0], view.shapes[view.inputs(key)[0]][0], view.shapes[key][0])
    if op == "BiasAdd" and node.attr["data_format"].s.startswith(b"NC"):
        numbers[1] = np.reshape(numbers[1], (-1, *(1,) * (numbers[0].ndim - 2)))
    with np.errstate(all="ignore"):  # a tensor of zeros is tried too
        return FUNCTIONS[op](*[np.asarray(n, np.float64) for n in numbers])


def _of_voxels(view: GraphView, key: str, numbers: Array) -> Array:
    node, (_, scale, shift) = view.node(key), view.inputs(key)[:3]
    plain = [np.all(v == wanted) for name, wanted in ((scale, 1), (shift, 0)) for v in view.values(name) or [np.nan]]
    if not all(plain) or not node.attr["is_training"].b or node.attr["data_format"].s != b"NCHW":
        raise ValueError
    centred = numbers - numbers.mean((0, 2, 3), keepdims=True)
    variance = np.square(centred).mean((0, 2, 3), keepdims=True)
    return np.asarray(centred / np.sqrt(variance + node.attr["epsilon"].f), np.float64)


def _reshaped(numbers: Array, old: Sequence[int], new: Sequence[int]) -> Array:
    """Reshape an array of another size as the graph does: axes that stay at both ends keep their own length."""
    ahead = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    limit = min(len(old), len(new)) - ahead
    pairs = zip(old[::-1][:limit], new[::-1][:limit], strict=True)
    behind = next((i for i, (a, b) in enumerate(pairs) if a != b), limit)
    middle = list(new[ahead : len(new) - behind])
    if middle:
        middle[int(np.argmax(middle))] = -1
    tail = numbers.shape[numbers.ndim - behind :]
    return numbers.reshape(*numbers.shape[:ahead], *middle, *tail)


def _close(one: Array, two: Array) -> bool:
    return bool(np.abs(one - two).max() <= TOLERANCE * max(1e-6, float(np.abs(two).max())))
