"""Volumes that a TensorFlow graph holds without some of their axes, or flattened: their Keras tensor keeps all five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from napari_vol3d.engine.saved_linear import select_channels
from napari_vol3d.engine.saved_rules import Plan, Value, in_order, problem
from napari_vol3d.engine.saved_sizes import GraphView

MERGERS: dict[str, Any] = {"Mean": layers.Average, "Sum": layers.Add, "Max": layers.Maximum, "Min": layers.Minimum}
MOST_STEPS = 30


def without_axis_plan(view: GraphView, key: str) -> Plan | None:
    """Plan one channel of a volume, whose axis the graph drops or brings back, as a volume of one channel."""
    source, rank = view.inputs(key)[0], view.rank(key)
    if view.op(key) == "ExpandDims":
        brought = rank == 5 and view.rank(source) == 4 and view.length(key, -1) == 1
        return Plan(sources=(source,), build=_kept(view, key)) if brought else None
    if view.rank(source) != 5 or rank != 4 or any(a[:4] != b for a, b in _pairs(view, source, key)):
        return None
    number = _number(view, key)
    if number is None:
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=False)
        return select_channels(value, [number], 4, name) if value.tensor.shape[-1] > 1 else value

    return Plan(sources=(source,), build=build)


def _number(view: GraphView, key: str) -> int | None:
    """Say which channel is left where the axis of channels is dropped."""
    node, count = view.node(key), view.length(view.inputs(key)[0], -1)
    if node.op == "Unpack":
        return int(key.rpartition(":")[2]) if node.attr["axis"].i in (-1, 4) else None
    if node.op == "Squeeze" or count is None:
        return 0
    begin = view.constant(view.inputs(key)[1])
    return None if begin is None or node.op != "StridedSlice" else int(begin[-1]) % count


def _pairs(view: GraphView, one: str, two: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return list(zip(view.shapes[one], view.shapes[two], strict=True))


def _kept(view: GraphView, key: str) -> Any:
    def build(values: Sequence[Value], name: str) -> Value:
        if len(values[0].tensor.shape) != 5 or values[0].first:
            raise problem(view, key)
        return values[0]

    return build


def stacking_plan(view: GraphView, key: str) -> Plan | None:
    """Plan volumes without an axis of channels that become the channels of one."""
    node, sources = view.node(key), view.inputs(key)
    if node.attr["axis"].i not in (-1, 4) or view.rank(key) != 5 or any(view.values(n) is not None for n in sources):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        if any(len(value.tensor.shape) != 5 or value.first for value in values):
            raise problem(view, key)
        return Value(tensor=layers.Concatenate(name=name)([value.tensor for value in values]))

    return Plan(sources=sources, build=build)


def merging_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a mean, sum or extreme of volumes that are stacked for it: of networks that vote."""
    stack, over = view.inputs(key)
    axes = view.constant(over)
    if view.op(stack) != "Pack" or axes is None or axes.size != 1 or view.node(key).attr["keep_dims"].b:
        return None
    sources, rank = view.inputs(stack), view.rank(stack)
    along = int(axes.ravel()[0]) % rank == view.node(stack).attr["axis"].i % rank
    if not along or view.op(key) not in MERGERS or any(view.values(n) is not None for n in sources):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        tensors = [in_order(value, first=values[0].first).tensor for value in values]
        return values[0].like(MERGERS[view.op(key)](name=name)(tensors))

    return Plan(sources=sources, build=build)


def flat_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a volume that is flattened, all but its channels, or one that was and gets its shape back."""
    source = view.inputs(key)[0]
    channels = view.length(key, -1)
    volume = _volume_behind(view, source)
    if channels is None or volume is None or view.length(source, -1) != channels:
        return None
    if view.rank(key) == 5 and any(a[:4] != b[:4] for a, b in _pairs(view, volume, key)):
        return None
    return Plan(sources=(source,), build=_kept(view, key))


def _volume_behind(view: GraphView, key: str) -> str | None:
    """Give the volume that a chain of single tensors starts from."""
    for _ in range(MOST_STEPS):
        if view.rank(key) == 5:
            return key
        data = [name for name in view.inputs(key) if view.values(name) is None]
        if len(data) != 1:
            return None
        key = data[0]
    return None
