"""Rules for several ops of a TensorFlow graph that are one Keras layer, and for what changes shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import initializers, layers
from numpy.typing import NDArray

from napari_vol3d.engine.saved_linear import CHANNELS_LAST, select_channels
from napari_vol3d.engine.saved_rules import BoundToSize, Plan, Value, in_order
from napari_vol3d.engine.saved_sizes import GraphView
from napari_vol3d.engine.saved_slices import are_slices

SPACE = (1, 2, 3)


def prelu_plan(view: GraphView, key: str) -> Plan | None:
    """Plan relu(x) - a relu(-x), which is how Keras computes a PReLU."""
    op, reads = view.op(key), view.inputs(key)
    for positive, product in (reads, reads[::-1]) if op != "Sub" else (reads,):
        if view.op(positive) != "Relu" or view.op(product) != "Mul":
            continue
        source = view.inputs(positive)[0]
        for slope, negative in (view.inputs(product), view.inputs(product)[::-1]):
            alpha = view.constant(slope)
            if alpha is not None and _is_relu_of_negative(view, negative, source):
                return _prelu(view, source, alpha if op == "Sub" else -alpha)
    return None


def chosen_prelu_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a PReLU, or a leaky ReLU, that is written as a choice: x where x > 0, and else a x."""
    asked, positive, product = view.inputs(key)
    if view.op(asked) not in ("Greater", "GreaterEqual") or view.op(product) != "Mul":
        return None
    limit = view.constant(view.inputs(asked)[1])
    slopes = [view.constant(name) for name in view.inputs(product) if name != positive]
    if view.inputs(asked)[0] != positive or limit is None or np.any(limit) or len(slopes) != 1 or slopes[0] is None:
        return None
    return _prelu(view, positive, slopes[0])


def _is_relu_of_negative(view: GraphView, key: str, source: str) -> bool:
    if view.op(key) != "Relu":
        return False
    turned = view.inputs(key)[0]
    if view.op(turned) == "Neg":
        return view.inputs(turned)[0] == source
    factors = [view.constant(name) for name in view.inputs(turned)] if view.op(turned) == "Mul" else []
    return source in view.inputs(turned) and any(f is not None and np.all(f == -1) for f in factors)


def _prelu(view: GraphView, source: str, alpha: NDArray[Any]) -> Plan | None:
    shape = (1,) * (4 - alpha.ndim) + alpha.shape[-4:]
    if view.rank(source) != 5 or alpha.ndim > 5:
        return None
    first = shape[0] == view.length(source, 1) and shape[0] > 1 and max(shape[1:]) == 1
    slopes = np.moveaxis(alpha.reshape(shape), 0, -1) if first else alpha.reshape(shape)
    placed = max(slopes.shape[:3]) > 1
    if placed and not view.bound:
        raise BoundToSize

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=first) if slopes.size > 1 else values[0]
        layer = layers.PReLU(initializers.Zeros(), shared_axes=None if placed else SPACE, name=name)
        result = layer(value.tensor)
        layer.set_weights([np.broadcast_to(slopes, layer.alpha.shape)])
        return value.like(result)

    return Plan(sources=(source,), build=build)


def repetition_plan(view: GraphView, key: str) -> Plan | None:
    """Plan voxels, or channels, that are repeated: by tiling a new axis, or by joining what was split."""
    inner, sizes = key, np.ones(5, int)
    while inner == key or view.readers[inner] == 1:
        found = _repeated_by_tiling(view, inner) or _repeated_by_joining(view, inner)
        if found is None:
            break
        inner, factors = found
        sizes = sizes * factors
    if inner == key:
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        mine = [0] * 5
        for axis, size in enumerate(sizes):
            mine[value.axis(axis)] = int(size)
        if mine[4] > 1:
            channels = [channel for channel in range(value.tensor.shape[-1]) for _ in range(mine[4])]
            value = select_channels(value, channels, 0, name if max(mine[1:4]) == 1 else f"{name}_channels")
        if max(mine[1:4]) > 1:
            value = value.like(layers.UpSampling3D(mine[1:4], data_format=CHANNELS_LAST, name=name)(value.tensor))
        return value

    return Plan(sources=(inner,), build=build)


def _repeated_by_tiling(view: GraphView, key: str) -> tuple[str, NDArray[np.int_]] | None:
    if view.op(key) != "Reshape":
        return None
    tiled = view.inputs(key)[0]
    if view.op(tiled) not in ("Tile", "BroadcastTo") or view.readers[tiled] != 1:
        return None
    spread = view.inputs(tiled)[0]
    if view.op(spread) not in ("Reshape", "ExpandDims") or view.rank(spread) <= 5:
        return None
    source = view.inputs(spread)[0]
    if view.rank(source) != 5 or view.rank(key) != 5:
        return None
    # The first ratio for which every made-up size agrees; that new axes come behind the old ones is checked at the end.
    ratios = {
        tuple(new / old for old, new in zip(a, b, strict=True))
        for a, b in zip(view.shapes[source], view.shapes[key], strict=True)
    }
    ratio = ratios.pop()
    if ratios or any(r != int(r) or r < 1 for r in ratio) or ratio[0] != 1:
        return None
    return source, np.array(ratio, int)


def _repeated_by_joining(view: GraphView, key: str) -> tuple[str, NDArray[np.int_]] | None:
    """Recognise how Keras 2 repeats: voxels one by one, each several times."""
    if view.op(key) != "ConcatV2":
        return None
    *parts, along = view.inputs(key)
    axis, split = view.constant(along), parts[0].rpartition(":")[0]
    pieces = list(dict.fromkeys(parts))
    names = [f"{split}:{number}" for number in range(len(pieces))]
    times = len(parts) // len(pieces)
    if axis is None or view.nodes[split].op != "Split" or pieces != names:
        return None
    source = view.inputs(parts[0])[1]
    all_of_it = view.length(source, int(axis)) == len(pieces) and view.rank(source) == 5
    if times < 2 or not all_of_it or parts != [name for name in names for _ in range(times)]:
        return None
    sizes = np.ones(5, int)
    sizes[int(axis)] = times
    return source, sizes


def reshape_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a change of shape that only new or lost axes of length 1 make, or one of a fixed size."""
    source = view.inputs(key)[0]
    old, new = view.shapes[source], view.shapes[key]
    if old == new:
        return Plan(sources=(source,), build=lambda values, name: values[0])
    kept = all(a[0] == b[0] for a, b in zip(old, new, strict=True))
    lengths = [view.length(key, axis) for axis in range(1, view.rank(key))]
    if not kept or lengths.count(None) > 1 or (len(old) == 1 and np.prod(old[0][1:]) > max(4096, old[0][-1])):
        return None
    target = tuple(-1 if length is None else length for length in lengths)

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=False)
        return Value(tensor=layers.Reshape(target, name=name)(value.tensor))

    return Plan(sources=(source,), build=build)


def cropping_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a piece of a volume: cropped in space, or some of its channels."""
    source, starts = view.inputs(key)[0], _starts(view, key)
    volumes = view.rank(source) == view.rank(key) == 5 or (are_slices(view, source) and view.rank(key) == 4)
    if starts is None or not volumes:
        return None
    cuts = {
        tuple((begin, old - begin - new) for begin, old, new in zip(start, a, b, strict=True))
        for start, a, b in zip(starts, view.shapes[source], view.shapes[key], strict=True)
    }
    cut = cuts.pop()
    if cuts or min(min(pair) for pair in cut) < 0 or cut[0] != (0, 0):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        mine = [(0, 0)] * 5
        for axis, pair in enumerate(cut):
            mine[value.axis(axis)] = pair
        if mine[4] != (0, 0):
            channels = range(mine[4][0], value.tensor.shape[-1] - mine[4][1])
            value = select_channels(value, channels, 0, name if not np.any(mine[1:4]) else f"{name}_channels")
        if np.any(mine[1:4]):
            value = value.like(layers.Cropping3D(mine[1:4], data_format=CHANNELS_LAST, name=name)(value.tensor))
        return value

    return Plan(sources=(source,), build=build)


def _starts(view: GraphView, key: str) -> list[tuple[int, ...]] | None:
    """Give where a slice begins along each axis, for each made-up size; None if it has steps or drops axes."""
    node, (source, begin, *rest) = view.node(key), view.inputs(key)
    begins = view.values(begin)
    if begins is None:
        return None
    if node.op == "Slice":
        return [tuple(map(int, found)) for found in begins]
    steps, odd = view.constant(rest[1]), ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    if steps is None or np.any(steps != 1) or any(node.attr[name].i & ~1 for name in odd[1:]):
        return None
    return [_begins(node, found, shape) for found, shape in zip(begins, view.shapes[source], strict=True)]


def _begins(node: Any, found: NDArray[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    whole, ellipsis = node.attr["begin_mask"].i, node.attr["ellipsis_mask"].i
    given = [0 if whole >> place & 1 or ellipsis >> place & 1 else int(b) for place, b in enumerate(found)]
    missing = len(shape) - len(given)
    place = (ellipsis.bit_length() - 1) if ellipsis else len(given)
    given[place:place] = [0] * missing
    return tuple(b + length if b < 0 else b for b, length in zip(given, shape, strict=True))
