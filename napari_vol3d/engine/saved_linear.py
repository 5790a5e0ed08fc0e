"""Convolutions, transposed convolutions and dense layers in a TensorFlow graph, with their bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from napari_vol3d.engine.by_slice import full_kernel
from napari_vol3d.engine.saved_rules import Plan, Value, channels_at, in_order
from napari_vol3d.engine.saved_sizes import GraphView

CHANNELS_LAST = "channels_last"
CONVOLUTIONS = ("Conv3D", "Conv2D", "DepthwiseConv2dNative")
MOST_STEPS = 200  # of a chain of ops
TAKES_BIAS = {"BiasAdd", "Add", "AddV2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A layer with a kernel, before its bias.

    Attributes
    ----------
    source : str
        The tensor that it reads.
    make : callable
        Gives the Keras layer; takes `use_bias` and `name`.
    kernel : array
        As the Keras layer has it.
    first : bool
        Whether the graph counts the channel axis as the second one.
    """

    source: str
    make: Callable[..., Any]
    kernel: NDArray[Any]
    first: bool = False


def linear_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a layer with a kernel, and the bias that is added to nothing else."""
    bias = biased(view, key)
    if bias is not None:
        found = linear_of(view, bias[0])
        return None if found is None else _plan(found, bias[1])
    found = linear_of(view, key)
    return None if found is None else _plan(found, None)


def biased(view: GraphView, key: str) -> tuple[str, NDArray[np.float64]] | None:
    """Give what the bias of a layer with a kernel is added to, and the bias."""
    if view.op(key) not in TAKES_BIAS:
        return None
    one, two = view.inputs(key)
    for inner, constant in ((one, two), (two, one)):
        vector = view.constant(constant)
        if vector is None or view.readers[inner] != 1:
            continue
        found = linear_of(view, inner)
        if found is None:
            continue
        axis = 1 if found.first else view.rank(inner) - 1
        filters = view.length(inner, axis)
        # BiasAdd says itself where channels are; what is added is aligned from behind.
        shape = (1,) * (view.rank(inner) - vector.ndim) + vector.shape
        aligned = len(shape) == view.rank(inner) and shape[axis] == filters
        if view.op(key) == "BiasAdd":
            aligned = counts_first(view.node(key)) == found.first
        if vector.size == filters and aligned:
            return inner, vector.astype(np.float64).ravel()
    return None


def linear_of(view: GraphView, key: str) -> Linear | None:
    """Recognise a layer with a kernel that makes a tensor."""
    finders: dict[str, Callable[[GraphView, str], Linear | None]] = {
        **dict.fromkeys(CONVOLUTIONS, _convolution), "Conv2DBackpropInput": _transposed, "BatchToSpaceND": _dilated,
        "Conv3DBackpropInputV2": _transposed, "MatMul": _dense, "BatchMatMulV2": _dense, "BatchMatMul": _dense,
        "Reshape": _tensordot, "Einsum": _einsum,
    }  # fmt: skip
    finder = finders.get(view.op(key))
    return finder(view, key) if finder else None


def spatial(numbers: Any, *, first: bool) -> tuple[int, int, int]:
    """Give the three numbers for z, y and x of five for all axes, or of four of a slice."""
    numbers = list(numbers)
    z, y, x = [1] * (5 - len(numbers)) + (numbers[2:] if first else numbers[1:-1])
    return int(z), int(y), int(x)


def counts_first(node: Any) -> bool:
    """Tell whether an op says that channels come first."""
    return bool(node.attr["data_format"].s.startswith(b"NC"))


def _plan(found: Linear, bias: NDArray[np.float64] | None) -> Plan:
    weights = [found.kernel] if bias is None else [found.kernel, bias]

    def build(values: Sequence[Value], name: str) -> Value:
        value = in_order(values[0], first=found.first)
        layer = found.make(use_bias=bias is not None, name=name)
        result = layer(value.tensor)
        layer.set_weights(weights)
        return value.like(result)

    return Plan(sources=(found.source,), build=build)


def _convolution(view: GraphView, key: str) -> Linear | None:
    node, source = view.node(key), view.inputs(key)[0]
    first = counts_first(node)
    if first and view.rank(key) == 4:
        return None
    dilation = spatial(node.attr["dilations"].list.i or [1] * 5, first=first)
    block = _block_around(view, source)
    if block is not None:
        dilation = spatial((1, *block, *(1,) * (view.rank(key) - 1 - len(block))), first=first)
    return _conv3d(
        view, source, _kernel(view, key), strides=spatial(node.attr["strides"].list.i, first=first), dilation=dilation,
        padding=node.attr["padding"].s.decode().lower(), first=first,
    )  # fmt: skip


def _dilated(view: GraphView, key: str) -> Linear | None:
    """Recognise a convolution of a volume that is cut into interleaved parts: a dilated one."""
    parts = view.inputs(key)[0]
    if view.op(parts) not in CONVOLUTIONS or view.readers[parts] != 1:
        return None
    cut = view.inputs(parts)[0]
    node = view.node(parts)
    if view.op(cut) != "SpaceToBatchND" or view.readers[cut] != 1 or node.attr["padding"].s != b"VALID":
        return None
    source, block = view.inputs(cut)[:2]
    sizes, first = view.constant(block), counts_first(node)
    if sizes is None or sizes.size > 4 or set(node.attr["strides"].list.i) != {1}:
        return None
    # The block's edges belong to the axes behind the batch; axes that are left out at the end are not dilated.
    dilation = spatial((1, *map(int, sizes), *(1,) * (view.rank(key) - 1 - sizes.size)), first=first)
    edges = zip(view.shapes[source], view.shapes[key], strict=True)
    same = all(spatial(a, first=first) == spatial(b, first=first) for a, b in edges)
    return _conv3d(
        view, source, _kernel(view, parts), strides=(1, 1, 1), dilation=dilation, padding="same" if same else "valid",
        first=first,
    )  # fmt: skip


def interleaved_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a volume that is cut into interleaved parts, or put together again: convolutions between are dilated."""
    source, block, amounts = view.inputs(key)
    sizes, amount = view.constant(block), view.constant(amounts)
    if sizes is None or amount is None or np.any(amount):
        return None
    return Plan(sources=(source,), build=lambda values, name: values[0])


def _block_around(view: GraphView, key: str) -> tuple[int, ...] | None:
    """Give the edges of the blocks that a volume is cut into ahead of a tensor, as HighRes3DNet does."""
    for _ in range(MOST_STEPS):
        if view.op(key) == "SpaceToBatchND":
            sizes = view.constant(view.inputs(key)[1])
            return None if sizes is None else tuple(map(int, sizes))
        data = [name for name in view.inputs(key) if view.values(name) is None]
        if view.op(key) == "BatchToSpaceND" or not data:
            return None
        key = data[0]
    return None


def _conv3d(
    view: GraphView, source: str, kernel: NDArray[Any] | None, *, strides: Any, dilation: Any, padding: str, first: bool
) -> Linear | None:
    channels = view.length(source, 1 if first else -1)
    if kernel is None or channels is None or channels % kernel.shape[3]:
        return None

    def make(**options: Any) -> Any:
        return layers.Conv3D(
            kernel.shape[4], kernel.shape[:3], strides=strides, padding=padding, dilation_rate=dilation,
            groups=channels // kernel.shape[3], data_format=CHANNELS_LAST, **options,
        )  # fmt: skip

    return Linear(source=source, make=make, kernel=kernel, first=first)


def _kernel(view: GraphView, key: str) -> NDArray[Any] | None:
    """Give the kernel of an op, of three axes; one of slices is a voxel thick."""
    kernel = view.constant(view.inputs(key)[1])
    if kernel is not None and view.op(key) == "DepthwiseConv2dNative":
        kernel = full_kernel(kernel)
    return kernel if kernel is None or kernel.ndim != 4 else kernel[None]


def _transposed(view: GraphView, key: str) -> Linear | None:
    node, source = view.node(key), view.inputs(key)[2]
    first, kernel = counts_first(node), _kernel(view, key)
    if kernel is None or (first and view.rank(key) == 4) or set(node.attr["dilations"].list.i) - {1}:
        return None
    strides = spatial(node.attr["strides"].list.i, first=first)
    padding = node.attr["padding"].s.decode().lower()
    given, wanted = (spatial(view.shapes[name][0], first=first) for name in (source, key))
    plain = tuple(
        edge * stride + (max(size - stride, 0) if padding == "valid" else 0)
        for edge, stride, size in zip(given, strides, kernel.shape, strict=False)
    )
    extra = None
    if plain != wanted:
        cut = [0 if padding == "valid" else 2 * (size // 2) for size in kernel.shape[:3]]
        extra = tuple(
            edge - ((old - 1) * stride + size - less)
            for edge, old, stride, size, less in zip(wanted, given, strides, kernel.shape, cut, strict=False)
        )
        if any(not 0 <= more < stride for more, stride in zip(extra, strides, strict=True)):
            return None

    def make(**options: Any) -> Any:
        return layers.Conv3DTranspose(
            kernel.shape[3], kernel.shape[:3], strides=strides, padding=padding, output_padding=extra,
            data_format=CHANNELS_LAST, **options,
        )  # fmt: skip

    return Linear(source=source, make=make, kernel=kernel, first=first)


def _dense(view: GraphView, key: str) -> Linear | None:
    node, (source, weights) = view.node(key), view.inputs(key)
    kernel = view.constant(weights)
    if kernel is None or kernel.ndim != 2 or node.attr["transpose_a"].b or node.attr["adj_x"].b:
        return None
    turned = node.attr["transpose_b"].b or node.attr["adj_y"].b
    return _dense_of(source, kernel.T if turned else kernel)


def _einsum(view: GraphView, key: str) -> Linear | None:
    """Recognise a product along the channels that is written as a sum over letters: "bzyxc,cf->bzyxf"."""
    node, (source, weights) = view.node(key), view.inputs(key)[:2]
    kernel = view.constant(weights)
    given, _, made = node.attr["equation"].s.decode().replace("...", "").partition("->")
    one, _, two = given.partition(",")
    if view.constant(source) is not None:
        source, weights, one, two, kernel = weights, source, two, one, view.constant(source)
    plain = len(two) == 2 and one[-1:] + made[-1:] in (two, two[::-1]) and one[:-1] == made[:-1]
    if kernel is None or kernel.ndim != 2 or not plain:
        return None
    return _dense_of(source, kernel if two == one[-1:] + made[-1:] else kernel.T)


def _tensordot(view: GraphView, key: str) -> Linear | None:
    """Recognise a product along the channels of a volume that is flattened for it and put in shape again."""
    product = view.inputs(key)[0]
    if view.op(product) != "MatMul" or view.readers[product] != 1 or view.rank(key) < 3:
        return None
    flat = view.inputs(product)[0]
    if view.op(flat) != "Reshape":
        return None
    source = view.inputs(flat)[0]
    if view.op(source) == "Transpose" and _is_identity(view.constant(view.inputs(source)[1])):
        source = view.inputs(source)[0]
    kept = all(a[:-1] == b[:-1] for a, b in zip(view.shapes[source], view.shapes[key], strict=True))
    found = _dense(view, product)
    return None if found is None or not kept else _dense_of(source, found.kernel)


def _dense_of(source: str, kernel: NDArray[Any]) -> Linear:
    def make(**options: Any) -> Any:
        return layers.Dense(kernel.shape[1], **options)

    return Linear(source=source, make=make, kernel=kernel)


def _is_identity(order: NDArray[Any] | None) -> bool:
    return order is not None and list(order) == list(range(order.size))


def select_channels(value: Value, channels: Sequence[int], axis: int, name: str) -> Value:
    """Give some channels, in an order: a convolution with zeros and ones, which copies exactly and knows no size."""
    value = channels_at(value, axis)
    count = value.tensor.shape[-1]
    kernel = np.eye(count, dtype=np.float32)[:, list(channels)]
    layer = layers.Conv3D(len(channels), 1, use_bias=False, data_format=CHANNELS_LAST, trainable=False, name=name)
    result = layer(value.tensor)
    layer.set_weights([kernel[None, None, None]])
    return value.like(result)
