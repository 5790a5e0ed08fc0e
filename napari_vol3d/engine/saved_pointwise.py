"""Rules for ops that compute each voxel by itself: activations, sums and products of tensors, choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers, ops

from napari_vol3d.engine.saved_rules import BoundToSize, Plan, Value, in_order, problem
from napari_vol3d.engine.saved_sizes import FLOATS, GraphView

ACTIVATIONS = {
    "Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Softplus": "softplus", "Softsign": "softsign",
    "Tanh": "tanh", "Sigmoid": "sigmoid", "Exp": "exponential",
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Neg": ops.negative, "Abs": ops.absolute, "Square": ops.square, "Sqrt": ops.sqrt, "Rsqrt": ops.rsqrt,
    "Log": ops.log, "Log1p": ops.log1p, "Expm1": ops.expm1, "Reciprocal": ops.reciprocal, "Erf": ops.erf,
    "Sign": ops.sign, "Floor": ops.floor, "Ceil": ops.ceil, "Round": ops.round,
}  # fmt: skip
PAIRS = {
    "Add": layers.Add, "AddV2": layers.Add, "Sub": layers.Subtract, "Mul": layers.Multiply,
    "Maximum": layers.Maximum, "Minimum": layers.Minimum,
}  # fmt: skip
OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": ops.add, "AddV2": ops.add, "Sub": ops.subtract, "Mul": ops.multiply, "Maximum": ops.maximum,
    "Minimum": ops.minimum, "RealDiv": ops.divide, "Pow": ops.power, "DivNoNan": ops.divide_no_nan,
    "Greater": ops.greater, "GreaterEqual": ops.greater_equal, "Less": ops.less, "LessEqual": ops.less_equal,
}  # fmt: skip
TRUTH = tf.bool.as_datatype_enum
MOST_NUMBERS = 100_000  # of a constant that is written into the network's description


def activation_plan(view: GraphView, key: str) -> Plan:
    """Plan a function that Keras has as an activation, or as an operation."""
    op, node = view.op(key), view.node(key)

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        if op in FUNCTIONS:
            return value.like(FUNCTIONS[op](value.tensor))
        if op == "LeakyRelu":
            slope = float(node.attr["alpha"].f)
            return value.like(layers.LeakyReLU(negative_slope=slope, name=name)(value.tensor))
        return value.like(layers.Activation(ACTIVATIONS[op], name=name)(value.tensor))

    return Plan(sources=view.inputs(key)[:1], build=build)


def softmax_plan(view: GraphView, key: str) -> Plan:
    """Plan a softmax along the graph's last axis."""
    kind = "softmax" if view.op(key) == "Softmax" else "log_softmax"

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=False)
        return value.like(layers.Activation(kind, name=name)(value.tensor))

    return Plan(sources=view.inputs(key), build=build)


def turned_softmax_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a softmax along another axis: the graph makes it the last one, and puts it back behind."""
    inner, by = view.inputs(key)
    turned = view.inputs(inner)[0] if view.op(inner) == "Softmax" else ""
    order = view.constant(by)
    if not turned or view.op(turned) != "Transpose" or order is None:
        return None
    source, before = view.inputs(turned)
    earlier = view.constant(before)
    if earlier is None or list(earlier[order]) != list(range(order.size)):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        value = values[0]
        axis = value.axis(int(earlier[-1]))
        last = axis == len(value.tensor.shape) - 1
        layer = layers.Activation("softmax", name=name) if last else layers.Softmax(axis, name=name)
        return value.like(layer(value.tensor))

    return Plan(sources=(source,), build=build)


def flattened_plan(view: GraphView, key: str) -> Plan | None:
    """Plan an activation of a volume that is flattened for it, and put in shape again behind."""
    inner = view.inputs(key)[0]
    flat = view.inputs(inner)[0] if view.op(inner) in ("Softmax", *ACTIVATIONS) else ""
    source = view.inputs(flat)[0] if flat and view.op(flat) == "Reshape" else ""
    if not source or view.shapes[source] != view.shapes[key]:
        return None
    if view.op(inner) == "Softmax" and view.length(flat, -1) != view.length(source, -1):
        return None
    plan = softmax_plan(view, inner) if view.op(inner) == "Softmax" else activation_plan(view, inner)
    return Plan(sources=(source,), build=plan.build)


def cast_plan(view: GraphView, key: str) -> Plan | None:
    """Plan true and false as numbers, and whole numbers that come in as what they are."""
    node, source = view.node(key), view.inputs(key)[0]
    if source == view.source or view.op(source) == "Cast":
        return Plan(sources=(source,), build=lambda values, name: values[0])
    if node.attr["DstT"].type not in FLOATS and node.attr["SrcT"].type != TRUTH:
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        return values[0].like(ops.cast(values[0].tensor, "float32"))

    return Plan(sources=(source,), build=build)


def filling_plan(view: GraphView, key: str) -> Plan:
    """Plan zeros, or ones, of a tensor's shape."""
    filling = float(view.op(key) == "OnesLike")

    def build(values: Sequence[Value], name: str) -> Value:
        return values[0].like(layers.Rescaling(0.0, offset=filling, name=name)(values[0].tensor))

    return Plan(sources=view.inputs(key), build=build)


def pair_plan(view: GraphView, key: str) -> Plan:
    """Plan a function of two tensors, or of a tensor and a constant."""
    op, reads = view.op(key), view.inputs(key)
    sources = tuple(name for name in reads if view.values(name) is None)
    if len(sources) < 2:
        return _with_constant(view, key, sources[0])

    def build(values: Sequence[Value], name: str) -> Value:
        one, two = values[0], in_order(values[1], first=values[0].first)
        if op == "SquaredDifference":
            return one.like(ops.square(layers.Subtract(name=name)([one.tensor, two.tensor])))
        if op in PAIRS and len(one.tensor.shape) == len(two.tensor.shape):
            return one.like(PAIRS[op](name=name)([one.tensor, two.tensor]))
        result = OPERATIONS[op](one.tensor, two.tensor)
        return (one if len(one.tensor.shape) >= len(two.tensor.shape) else two).like(result)

    return Plan(sources=sources, build=build)


def _with_constant(view: GraphView, key: str, source: str) -> Plan:
    op, reads = view.op(key), view.inputs(key)
    other = reads[1] if reads[0] == source else reads[0]
    constant = view.constant(other)
    if constant is None or constant.size > MOST_NUMBERS or (op not in OPERATIONS and op != "SquaredDifference"):
        raise problem(view, key)
    if constant.ndim == 5 and sum(length > 1 for length in constant.shape) > 1 and not view.bound:
        raise BoundToSize

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=False) if constant.size > 1 else values[0]
        number: Any = float(constant.ravel()[0]) if constant.size == 1 else constant.astype(np.float32)
        if op == "SquaredDifference":
            return value.like(ops.square(ops.subtract(value.tensor, number)))
        pair = (value.tensor, number) if reads[0] == source else (number, value.tensor)
        return value.like(OPERATIONS[op](*pair))

    return Plan(sources=(source,), build=build)


def sum_plan(view: GraphView, key: str) -> Plan:
    """Plan the addition of several tensors."""

    def build(values: Sequence[Value], name: str) -> Value:
        tensors = [in_order(value, first=values[0].first).tensor for value in values]
        return values[0].like(layers.Add(name=name)(tensors) if len(tensors) > 1 else tensors[0])

    return Plan(sources=view.inputs(key), build=build)


def choice_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a choice between two tensors, or constants, by a third."""
    reads = view.inputs(key)
    if view.op(reads[0]) == "IsNan" and view.inputs(reads[0])[0] == reads[2]:  # scans that come here have none
        return Plan(sources=reads[2:], build=lambda values, name: values[0])
    constants = [view.constant(name) for name in reads]
    if constants[0] is not None and constants[0].size == 1:
        taken = reads[1] if constants[0].all() else reads[2]
        return Plan(sources=(taken,), build=lambda values, name: values[0])
    if any(found is not None and found.size != 1 for found in constants):
        return None
    sources = tuple(name for name, found in zip(reads, constants, strict=True) if found is None)

    def build(values: Sequence[Value], name: str) -> Value:
        given = iter([in_order(value, first=values[0].first).tensor for value in values])
        return values[0].like(ops.where(*[next(given) if c is None else float(c.ravel()[0]) for c in constants]))

    return Plan(sources=sources, build=build)


def clip_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a clipping at two numbers."""
    source, *limits = view.inputs(key)
    low, high = (view.constant(name) for name in limits)
    if low is None or high is None or low.size != 1 or high.size != 1:
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        return values[0].like(ops.clip(values[0].tensor, float(low.ravel()[0]), float(high.ravel()[0])))

    return Plan(sources=(source,), build=build)
