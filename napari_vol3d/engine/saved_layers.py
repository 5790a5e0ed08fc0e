"""Rules for single ops that move, join or gather voxels: pooling, concatenation, cutting, padding, means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import layers, ops

from napari_vol3d.engine.saved_linear import CHANNELS_LAST, counts_first, select_channels, spatial
from napari_vol3d.engine.saved_rules import FIRST_TO_LAST, LAST_TO_FIRST, Plan, Value, channels_at, in_order
from napari_vol3d.engine.saved_sizes import GraphView
from napari_vol3d.engine.saved_slices import are_slices

POOLS = {
    "MaxPool3D": layers.MaxPooling3D, "AvgPool3D": layers.AveragePooling3D, "MaxPool": layers.MaxPooling3D,
    "AvgPool": layers.AveragePooling3D,
}  # fmt: skip
SUMS: dict[str, Callable[..., Any]] = {"Mean": ops.mean, "Max": ops.max, "Min": ops.min, "Sum": ops.sum}
GLOBAL = {"Mean": layers.GlobalAveragePooling3D, "Max": layers.GlobalMaxPooling3D}


def pool_plan(view: GraphView, key: str) -> Plan | None:
    """Plan pooling."""
    node, first = view.node(key), counts_first(view.node(key))
    if first and view.rank(key) == 4:
        return None
    size, strides = (spatial(node.attr[name].list.i, first=first) for name in ("ksize", "strides"))
    options = {
        "pool_size": size, "strides": strides, "padding": node.attr["padding"].s.decode().lower(),
        "data_format": CHANNELS_LAST,
    }  # fmt: skip

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=first)
        return value.like(POOLS[view.op(key)](name=name, **options)(value.tensor))

    return Plan(sources=view.inputs(key), build=build)


def normalisation_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a batch normalisation that is one op."""
    node, (source, *numbers) = view.node(key), view.inputs(key)
    weights = [view.constant(name) for name in numbers]
    if node.attr["is_training"].b or len(weights) < 4 or any(w is None for w in weights):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=counts_first(node))
        layer = layers.BatchNormalization(epsilon=float(node.attr["epsilon"].f), name=name)
        result = layer(value.tensor)
        layer.set_weights(weights[:4])
        return value.like(result)

    return Plan(sources=(source,), build=build)


def concatenation_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a concatenation."""
    *parts, last = view.inputs(key)
    axis = view.constant(last)
    if axis is None or any(view.constant(part) is not None for part in parts):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        same = [in_order(value, first=values[0].first) for value in values]
        layer = layers.Concatenate(axis=_behind(same[0], int(axis)), name=name)
        return same[0].like(layer([value.tensor for value in same]))

    return Plan(sources=tuple(parts), build=build)


def _behind(value: Value, axis: int) -> int:
    """Say which axis of the Keras tensor one of the graph's is; -1 for the last, as Keras' layers write it."""
    found = value.axis(axis)
    return -1 if found == len(value.tensor.shape) - 1 else found


def reduction_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a mean, sum or extreme along some axes."""
    op, node, (source, over) = view.op(key), view.node(key), view.inputs(key)
    axes = view.constant(over)
    if axes is None:
        return None
    keeps = bool(node.attr["keep_dims"].b)
    if view.rank(source) == 5 and {0, 1, 2, 3} <= {int(axis) % 5 for axis in axes.ravel()}:
        return _alone_plan(view, key)  # over a batch of one

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        mine = tuple(sorted(value.axis(int(axis)) for axis in axes.ravel()))
        if op in GLOBAL and mine == (1, 2, 3) and len(value.tensor.shape) == 5:
            layer = GLOBAL[op](keepdims=keeps, data_format=CHANNELS_LAST, name=name)
            return Value(tensor=layer(value.tensor), first=value.first and keeps)
        value = value if keeps else in_order(value, first=False)
        mine = tuple(value.axis(int(axis)) for axis in axes.ravel())
        tensor = SUMS[op](value.tensor, axis=mine, keepdims=keeps)
        return Value(tensor=tensor, first=value.first and keeps, slices=value.slices and keeps)

    return Plan(sources=(source,), build=build)


def _alone_plan(view: GraphView, key: str) -> Plan:
    """Plan a number for the whole scan, or each channel: all five axes stay, and each scan is taken alone."""
    source, over = view.inputs(key)
    axes = [int(axis) % 5 for axis in view.settled[over][0].ravel()]

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=False)
        mine = tuple(axis for axis in sorted(axes) if axis)
        return Value(tensor=SUMS[view.op(key)](value.tensor, axis=mine, keepdims=True))

    return Plan(sources=(source,), build=build)


def transposition_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a change of the order of axes: between channels first and last nothing is moved."""
    source, by = view.inputs(key)
    order = view.constant(by)
    if order is None or order[0] != 0:
        return None
    wanted = tuple(int(axis) for axis in order)

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        if wanted == tuple(range(len(wanted))):
            return value
        if wanted == (FIRST_TO_LAST if value.first else LAST_TO_FIRST):
            return Value(tensor=value.tensor, first=not value.first)
        value = in_order(value, first=False)
        return Value(tensor=layers.Permute(wanted[1:], name=name)(value.tensor))

    return Plan(sources=(source,), build=build)


def padding_plan(view: GraphView, key: str) -> Plan | None:
    """Plan padding with zeros, another number, or a mirror image."""
    op, (source, by, *rest) = view.op(key), view.inputs(key)
    widths, number = view.constant(by), view.constant(rest[0]) if rest else np.zeros(1)
    if widths is None or number is None or not (len(widths) == 5 or are_slices(view, source)):
        return None
    widths = widths if len(widths) == 5 else np.insert(widths, 1, 0, axis=0)
    modes = {b"REFLECT": "reflect", b"SYMMETRIC": "symmetric"}
    mode = modes[view.node(key).attr["mode"].s] if op == "MirrorPad" else "constant"

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        mine = [tuple(map(int, widths[axis])) for axis in (FIRST_TO_LAST if value.first else range(5))]
        fill = float(number.ravel()[0])
        if mode == "constant" and fill == 0 and mine[0] == mine[4] == (0, 0):
            return value.like(layers.ZeroPadding3D(mine[1:4], data_format=CHANNELS_LAST, name=name)(value.tensor))
        options = {"constant_values": fill} if mode == "constant" else {}
        return value.like(ops.pad(value.tensor, mine, mode=mode, **options))

    return Plan(sources=(source,), build=build)


def split_plan(view: GraphView, key: str) -> Plan | None:
    """Plan one part of what is split along the channels."""
    reads, node = view.inputs(key), view.node(key)
    source, along = (reads[1], reads[0]) if node.op == "Split" else (reads[0], reads[2])
    axis, number = view.constant(along), int(key.rpartition(":")[2])
    if axis is None or view.rank(source) != 5:
        return None
    place = int(axis) % 5
    widths = [view.length(f"{node.name}:{part}", place) for part in range(number + 1)]
    if place not in (1, 4) or any(width is None for width in widths):
        return None
    start = sum(width or 0 for width in widths[:-1])
    channels = range(start, start + (widths[-1] or 0))

    def build(values: Sequence[Value], name: str) -> Value:
        return select_channels(channels_at(values[0], place), channels, place, name)

    return Plan(sources=(source,), build=build)
