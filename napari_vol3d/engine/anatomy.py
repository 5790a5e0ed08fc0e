"""What a network's graph says about it: how far it sees, what its patches must divide by, what a voxel costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import keras
import numpy as np
from keras import layers

from napari_vol3d.engine.fused import BlockTranspose3D, FusedConv3D
from napari_vol3d.engine.layer_kinds import ALONG_AXIS, OVER_AXIS, POINTWISE, WHOLE_PATCH

FLOAT_BYTES = 4

CONVOLUTIONS = (layers.Conv3D, FusedConv3D)
SPREADING = (layers.Conv3DTranspose, BlockTranspose3D)
POOLS = (layers.MaxPooling3D, layers.AveragePooling3D)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """What a network's graph says about it; only what leads to the first output counts.

    Attributes
    ----------
    multiple : int
        Stride product: every patch edge must divide by it.
    halo : int
        Voxels of input, on one side and along the worst axis, that an output voxel can depend on, where patches start
        at multiples of `multiple`. Without meaning where `instance_statistics` is set.
    instance_statistics : bool
        Whether scores depend on the whole patch.
    bytes_per_voxel : int
        Peak of the float32 activations that live at once, per input voxel; 0 if the graph is hidden.
    flops_per_voxel : float
        Two for each multiply-add of convolutions, per input voxel; 0 if the graph is hidden.
    unknown : tuple of str
        Kinds of layers that nothing is known about: they are taken for ones with instance statistics.
    """

    multiple: int
    halo: int
    instance_statistics: bool
    bytes_per_voxel: int
    flops_per_voxel: float
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a layer: which tensors it reads and gives."""

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    sources: tuple[int, ...]
    results: tuple[Any, ...]

    @property
    def result(self) -> int:
        """The first tensor it gives."""
        return id(self.results[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The calls that lead to the first output, in an order in which they can be made.

    The layers of a model inside the model stand in `steps` themselves; `same` says which tensors its two ends are.
    """

    steps: tuple[Step, ...]
    same: dict[int, int]
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What output voxels see of the input, along one axis: `reach` voxels, from `before` ahead of `down` times theirs.

    With `up` it is the other way round: output voxels `up` times theirs, less `before`, see an input voxel.
    """

    reach: int = 1
    before: int = 0
    down: int = 1
    up: int = 0

    def needed(self, first: int, last: int) -> tuple[int, int]:
        """First and last input voxel that output voxels `first` to `last` see."""
        if self.up:
            return -((self.reach - 1 - first - self.before) // self.up), (last + self.before) // self.up
        return first * self.down - self.before, last * self.down - self.before + self.reach - 1


def graph_of(network: keras.Model) -> Graph | None:
    """Read the graph; None where there is none to read, as in subclassed models."""
    if not getattr(network, "outputs", None) or not getattr(network, "inputs", None):
        return None
    same: dict[int, int] = {}
    output = network.outputs[0]
    steps = tuple(_steps(output, same))
    return Graph(steps=steps, same=same, output=same.get(id(output), id(output)))


def study(network: keras.Model) -> Anatomy:
    """Study the graph of a network from (batch, z, y, x, channels) to scores; channels first is understood too."""
    graph = graph_of(network)
    if graph is None:
        hidden = (type(network).__name__,)
        return Anatomy(
            multiple=1, halo=0, instance_statistics=True, bytes_per_voxel=0, flops_per_voxel=0.0, unknown=hidden
        )
    first = any(getattr(step.layer, "data_format", None) == "channels_first" for step in graph.steps)
    channel_axis = 1 if first else 4
    scales = scales_of(graph)
    multiples = [math.lcm(*(scale[axis].numerator for scale in scales.values())) for axis in range(3)]
    seen = [(view(step, channel_axis), type(step.layer).__name__) for step in graph.steps]
    return Anatomy(
        multiple=math.lcm(*multiples),
        halo=max(_halo(graph, axis, multiples[axis]) for axis in range(3)),
        instance_statistics=any(sees in ("whole", "unknown") for sees, _ in seen),
        bytes_per_voxel=math.ceil(_peak(graph, scales, channel_axis) * FLOAT_BYTES),
        flops_per_voxel=float(sum(_flops(step, scales) for step in graph.steps)),
        unknown=tuple(sorted({name for sees, name in seen if sees == "unknown"})),
    )


def view(step: Step, channel_axis: int = 4) -> str:
    """Say what a voxel of a step's result depends on: a "window", a "point", the "whole" patch, or "unknown"."""
    layer, name = step.layer, keras_name(step.layer)
    if not _is_plain(getattr(layer, "activation", None)):
        return "unknown"
    if windows(layer) is not None:
        return "window"
    if name in WHOLE_PATCH or (name == "BatchNormalization" and step.kwargs.get("training")):
        return "whole"
    if name in ALONG_AXIS:
        # Concatenated along an axis of space, voxels change their places: nothing is known then.
        beyond = "unknown" if name == "Concatenate" else "whole"
        return "point" if {int(a) % 5 for a in np.atleast_1d(layer.axis)} == {channel_axis} else beyond
    if name in OVER_AXIS:
        axes = {int(a) % 5 for a in np.atleast_1d(layer.axis)} if layer.axis is not None and layer.keepdims else set()
        return "point" if axes == {channel_axis} else "unknown"
    if name == "PReLU":
        return "point" if {1, 2, 3, 4} - {channel_axis} <= set(layer.shared_axes or ()) else "unknown"
    return "point" if name in POINTWISE else "unknown"


def keras_name(layer: Any) -> str:
    """Give the name of the class, if it is one of Keras' own."""
    return type(layer).__name__ if type(layer).__module__.startswith("keras.") else ""


def windows(layer: Any) -> tuple[Window, Window, Window] | None:
    """Give what a layer's voxels see along z, y and x; None if it is no convolution, pooling or resizing."""
    kind = type(layer)
    if kind in (*CONVOLUTIONS, layers.Conv3DTranspose):
        way = "up" if kind is layers.Conv3DTranspose else "down"
        return _each(way, layer.kernel_size, layer.dilation_rate, layer.strides, layer.padding)
    if kind in POOLS:
        return _each("down", layer.pool_size, (1, 1, 1), layer.strides, layer.padding)
    if kind in (layers.UpSampling3D, BlockTranspose3D):
        size = layer.size if kind is layers.UpSampling3D else layer.block
        return _each("up", size, (1, 1, 1), size, "valid")
    if kind in (layers.ZeroPadding3D, layers.Cropping3D):
        padding = kind is layers.ZeroPadding3D
        shifts = (pair[0] if padding else -pair[0] for pair in (layer.padding if padding else layer.cropping))
        z, y, x = (Window(before=shift) for shift in shifts)
        return z, y, x
    return None


def _each(way: str, sizes: Any, dilations: Any, strides: Any, padding: str) -> tuple[Window, Window, Window]:
    reaches = ((size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations, strict=True))
    # "same" as TensorFlow pads edges that divide by the stride: the odd voxel comes behind.
    z, y, x = (
        Window(reach=reach, before=max(reach - stride, 0) // 2 if padding == "same" else 0, **{way: stride})
        for reach, stride in zip(reaches, strides, strict=True)
    )
    return z, y, x


def scales_of(graph: Graph) -> dict[int, tuple[Fraction, Fraction, Fraction]]:
    """Input voxels per voxel of each tensor, along z, y and x."""
    scales: dict[int, tuple[Fraction, Fraction, Fraction]] = {}
    for step in graph.steps:
        z, y, x = scales[step.sources[0]] if step.sources else (Fraction(1),) * 3
        if seen := windows(step.layer):
            z, y, x = (scale * w.down / max(w.up, 1) for scale, w in zip((z, y, x), seen, strict=True))
        scales.update({id(result): (z, y, x) for result in step.results})
    return scales


def _halo(graph: Graph, axis: int, multiple: int) -> int:
    # A voxel's view depends on where it lies between the coarsest level's voxels; all such places are tried.
    far = 0
    for place in range(multiple):
        hulls = {graph.output: (place, place)}
        for step in reversed(graph.steps):
            if step.result not in hulls:
                continue
            low, high = hulls[step.result]
            if seen := windows(step.layer):
                low, high = seen[axis].needed(low, high)
            if not step.sources:
                far = max(far, place - low, high - place)
            for source in step.sources if low <= high else ():  # a transposed convolution may leave gaps
                old = hulls.get(source, (low, high))
                hulls[source] = (min(low, old[0]), max(high, old[1]))
    return far


def _peak(graph: Graph, scales: dict[int, Any], channel_axis: int) -> float:
    """Most values that live at once, per input voxel."""
    last = {source: number for number, step in enumerate(graph.steps) for source in step.sources}
    last[graph.output] = len(graph.steps)
    live: dict[int, float] = {}
    peak = 0.0
    for number, step in enumerate(graph.steps):
        dying = {source for source in step.sources if last[source] == number}
        sizes = {id(r): (r.shape[channel_axis % len(r.shape)] or 1) / math.prod(scales[id(r)]) for r in step.results}
        # An elementwise step writes over a source that nobody needs any more, or is part of the step before it.
        if step.sources and view(step, channel_axis) == "point" and type(step.layer) is not layers.Concatenate:
            over = (source for source in step.sources if source in dying and live[source] == sizes[step.result])
            live.pop(next(over, 0), None)
        live.update(sizes)
        copied = sizes[step.result] if type(step.layer) is BlockTranspose3D else 0.0
        if type(step.layer) is layers.Conv3D and max(step.layer.dilation_rate) > 1:
            copied = live[step.sources[0]] + sizes[step.result]  # Keras interleaves both
        peak = max(peak, sum(live.values()) + copied)
        for tensor in dying | (set(sizes) - set(last)):
            live.pop(tensor, None)
    return peak


def _flops(step: Step, scales: dict[int, Any]) -> float:
    if type(step.layer) not in (*CONVOLUTIONS, *SPREADING, layers.Dense):
        return 0.0
    # Each weight is used once for each voxel: of the result, or of what a transposed convolution spreads out.
    at = step.sources[0] if type(step.layer) in SPREADING else step.result
    return 2.0 * math.prod(step.layer.kernel.shape) / float(math.prod(scales[at]))


def _is_plain(activation: Any) -> bool:
    module = getattr(activation, "__module__", None) or type(activation).__module__
    return activation is None or module.startswith("keras.")


def _steps(output: Any, same: dict[int, int]) -> Iterator[Step]:
    """Give the calls that lead to `output`, sources first."""
    for node in calls_to(output):
        layer = node.operation
        sources = tuple(same.get(id(tensor), id(tensor)) for tensor in node.input_tensors)
        ends = [*(getattr(layer, "inputs", None) or ()), *(getattr(layer, "outputs", None) or ())]
        if isinstance(layer, keras.Model) and len(ends) == 2 and id(ends[0]) not in same:
            same[id(ends[0])] = sources[0]
            yield from (step for step in _steps(ends[1], same) if step.sources)
            same[id(node.outputs[0])] = same.get(id(ends[1]), id(ends[1]))
        else:
            call = node.arguments
            yield Step(layer=layer, args=call.args, kwargs=call.kwargs, sources=sources, results=tuple(node.outputs))


def calls_to(output: Any) -> Iterator[Any]:
    """Give Keras' record of each call, sources first; without recursion, as networks may be deep."""
    done: set[int] = set()
    waiting = [node_of(output)]
    while waiting:
        node = waiting[-1]
        missing = [source for source in map(node_of, node.input_tensors) if id(source) not in done]
        waiting.extend(reversed(missing))
        if not missing:
            waiting.pop()
            if id(node) not in done:
                done.add(id(node))
                yield node


def node_of(tensor: Any) -> Any:
    """Give Keras' record of the call that a tensor comes from."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]
