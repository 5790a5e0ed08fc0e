"""Pieces of a TensorFlow graph that only move, repeat or leave out numbers: told by where each number goes.

There are many ways to write an upsampling, a shuffle of channels, or a choice of some. The piece is run at a small size
with the numbers of the places themselves; where each came from says which Keras layer does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.engine.saved_linear import CHANNELS_LAST
from napari_vol3d.engine.saved_rules import Plan, Value, problem
from napari_vol3d.engine.saved_sizes import GraphView, data_inputs, resolved

MOVING = {
    "Reshape", "Transpose", "Tile", "Pack", "Unpack", "ConcatV2", "BroadcastTo", "GatherV2", "StridedSlice", "Slice",
    "ExpandDims", "Squeeze", "Split", "SplitV", "Pad", "PadV2", "ZerosLike", "Mul", "ReverseV2",
    "ResizeNearestNeighbor",
}  # fmt: skip
MOST_STARTS = 8
MOST_NUMBERS = 1 << 24  # beyond, numbers of places are no longer exact in 32 bits

Places = NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where numbers of a volume go.

    Attributes
    ----------
    rate : tuple of int
        Voxels out for each voxel in, along z, y and x; or the other way round where `down`.
    down : bool
    kernel : array, shape (*rate, channels in, channels out)
        A one for each voxel of a block, where the number of a channel goes.
    """

    rate: tuple[int, int, int]
    down: bool
    kernel: NDArray[np.float32]


def moving_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a piece that only moves numbers of one volume within blocks of voxels."""
    if view.rank(key) != 5:
        return None
    for source in _starts(view, key):
        found = _moves(view, key, source)
        if found:
            return _moving(view, key, source, found)
    return None


def _starts(view: GraphView, key: str) -> Iterator[str]:
    """Give volumes that all of a piece comes from, the nearest first."""
    places = {name: place for place, name in enumerate(view.nodes)}
    ahead, seen = {key}, 0
    while seen < MOST_STARTS:
        last = max(ahead, key=lambda name: places[name.rpartition(":")[0]])
        if view.op(last) not in MOVING or (view.op(last) == "Mul" and not _is_by_one(view, last)):
            return
        ahead.remove(last)
        ahead.update(name for name in view.inputs(last) if view.values(name) is None)
        if len(ahead) == 1 and view.rank(next(iter(ahead))) == 5:
            seen += 1
            yield next(iter(ahead))


def _is_by_one(view: GraphView, key: str) -> bool:
    found = [view.values(name) for name in view.inputs(key)]
    return any(values is not None and all(np.all(v == 1) for v in values) for values in found)


def _moves(view: GraphView, key: str, source: str) -> dict[bool, Move]:
    """Give the move if channels come last, and if they come first, as far as it is one."""
    small = view.small
    (given,), (made,) = small.shapes[source][:1], small.shapes[key][:1]
    if given[0] != made[0] or not _in_blocks(given, made) or max(np.prod(given), np.prod(made)) > MOST_NUMBERS:
        return {}
    start = np.arange(1, np.prod(given) + 1).reshape(given)
    end = _run(small, key, source, start)
    found = {
        first: _recognised(*((np.moveaxis(a, 1, -1) if first else a) for a in (start, end)))
        for first in (False, True) if view.length(source, 1 if first else 4) is not None
    }  # fmt: skip
    return {first: move for first, move in found.items() if move is not None}


def _in_blocks(given: Sequence[int], made: Sequence[int]) -> bool:
    """Tell whether one volume has a whole number of voxels for each of the other."""
    for first in (False, True):
        into, out = ((shape[2:5] if first else shape[1:4]) for shape in (given, made))
        large, small = (into, out) if sum(out) < sum(into) else (out, into)
        if all(b and a % b == 0 for a, b in zip(large, small, strict=True)):
            return True
    return False


def _run(view: GraphView, key: str, source: str, start: Places) -> Places:
    """Run a piece with whole numbers, in floats that hold them exactly."""
    graph = tf.compat.v1.GraphDef()
    placeholder = graph.node.add(name="moved_from", op="Placeholder")
    placeholder.attr["dtype"].type = tf.float32.as_datatype_enum
    waiting, made = [key], {source.rpartition(":")[0]}
    while waiting:
        name = waiting.pop().rpartition(":")[0]
        if name in made:
            continue
        made.add(name)
        copy = graph.node.add()
        copy.CopyFrom(view.nodes[name])
        copy.attr.pop("_output_shapes", None)
        copy.attr.pop("_class", None)
        reads = [resolved(view.nodes, n) for n in data_inputs(copy)]
        del copy.input[:]
        copy.input.extend("moved_from" if n == source else _constant(graph, view, n, made) for n in reads)
        waiting += [n for n in reads if n != source and view.values(n) is None]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    (end,) = wrapped.prune(["moved_from:0"], [key])(tf.constant(start, tf.float32))
    return np.asarray(end).astype(int)


def _constant(graph: Any, view: GraphView, key: str, made: set[str]) -> str:
    """Give the name of what a piece reads: of a constant that is added for it, or the tensor itself."""
    values = view.values(key)
    if values is None:
        return key
    name = key.replace(":", "_") + "_settled"
    if name not in made:
        made.add(name)
        constant = graph.node.add(name=name, op="Const")
        constant.attr["dtype"].type = tf.as_dtype(values[0].dtype).as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values[0]))
    return name


def _recognised(start: Places, end: Places) -> Move | None:
    """Tell the move of numbers within blocks, channels last; None if it is another."""
    into, out = start.shape[1:4], end.shape[1:4]
    down = sum(out) < sum(into)
    large, small = (into, out) if down else (out, into)
    if any(a % b for a, b in zip(large, small, strict=True)):
        return None
    z, y, x = (a // b for a, b in zip(large, small, strict=True))
    kernel = np.zeros((z, y, x, start.shape[-1], end.shape[-1]), np.float32)
    blocks, other = (_blocks(start, (z, y, x)), end) if down else (_blocks(end, (z, y, x)), start)
    # Blocks are (n, z, y, x, voxel of the block, channels), the other (n, z, y, x, channels).
    flat = kernel.reshape(z * y * x, start.shape[-1], end.shape[-1])
    for voxel in range(z * y * x):
        inside = blocks[..., voxel, :]
        source, target = (inside, other) if down else (other, inside)
        flat[voxel] = (source[0, 0, 0, 0, :, None] == target[0, 0, 0, 0, None, :]).astype(np.float32)
    move = Move(rate=(z, y, x), down=down, kernel=kernel)
    return move if np.array_equal(_moved(move, start), end) else None


def _blocks(numbers: Places, rate: tuple[int, int, int]) -> Places:
    n, depth, height, width, channels = numbers.shape
    z, y, x = rate
    cut = numbers.reshape(n, depth // z, z, height // y, y, width // x, x, channels).transpose(0, 1, 3, 5, 2, 4, 6, 7)
    return cut.reshape(n, depth // z, height // y, width // x, z * y * x, channels)


def _moved(move: Move, start: Places) -> Places:
    """Do a move, with NumPy."""
    z, y, x = move.rate
    kernel = move.kernel.reshape(z * y * x, *move.kernel.shape[3:]).astype(int)
    if move.down:
        return np.asarray(np.einsum("nzyxvc,vcf->nzyxf", _blocks(start, move.rate), kernel))
    n, depth, height, width = start.shape[:4]
    blocks = np.einsum("nzyxc,vcf->nzyxvf", start, kernel).reshape(n, depth, height, width, z, y, x, -1)
    return np.asarray(blocks.transpose(0, 1, 4, 2, 5, 3, 6, 7)).reshape(n, depth * z, height * y, width * x, -1)


def _moving(view: GraphView, key: str, source: str, moves: Mapping[bool, Move]) -> Plan:
    def build(values: Sequence[Value], name: str) -> Value:
        if values[0].first not in moves:
            raise problem(view, key)
        return _by_layer(values[0], moves[values[0].first], name)

    return Plan(sources=(source,), build=build)


def _by_layer(value: Value, move: Move, name: str) -> Value:
    count = move.kernel.shape[3]
    each = move.kernel.reshape(-1, *move.kernel.shape[3:])
    same = bool((each == np.eye(count, each.shape[2])).all()) and each.shape[1] == each.shape[2]
    if same and not move.down:
        if max(move.rate) == 1:
            return value
        return value.like(layers.UpSampling3D(move.rate, data_format=CHANNELS_LAST, name=name)(value.tensor))
    options: dict[str, Any] = {"use_bias": False, "data_format": CHANNELS_LAST, "trainable": False, "name": name}
    kind, kernel = (layers.Conv3D, move.kernel) if move.down else (layers.Conv3DTranspose, move.kernel.swapaxes(3, 4))
    if max(move.rate) == 1:
        kind, kernel = layers.Conv3D, move.kernel
    layer = kind(each.shape[2], move.rate, strides=move.rate, **options)
    result = layer(value.tensor)
    layer.set_weights([kernel])
    return value.like(result)
