"""2D ops in a TensorFlow graph that runs them on each slice of a volume: batch and z are one axis for it.

`TimeDistributed` of Keras 2 makes (batch, z, y, x, channels) into (batch * z, y, x, channels) and back. The Keras
tensor keeps all five axes, and each op becomes the 3D layer that is one voxel thick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from napari_vol3d.engine.saved_rules import Plan, Value, problem
from napari_vol3d.engine.saved_sizes import GraphView


def are_slices(view: GraphView, key: str) -> bool:
    """Tell whether a tensor of four axes holds more than one image a scan, as far as shapes tell."""
    return view.rank(key) == 4 and all(
        shape[0] != given[0] and shape[0] % given[0] == 0
        for shape, given in zip(view.shapes[key], view.shapes[view.source], strict=True)
    )


def slicing_plan(view: GraphView, key: str) -> Plan | None:
    """Plan a volume that becomes its slices, or slices that become a volume: nothing is moved."""
    source = view.inputs(key)[0]
    sliced = are_slices(view, key) and view.rank(source) == 5
    if sliced and all(_parted(a, b) for a, b in zip(view.shapes[source], view.shapes[key], strict=True)):
        return Plan(sources=(source,), build=_held(view, key, sliced=True))
    joined = are_slices(view, source) and view.rank(key) == 5
    given = view.shapes[view.source]
    if joined and all(
        _parted(b, a) and b[0] == whole[0]
        for a, b, whole in zip(view.shapes[source], view.shapes[key], given, strict=True)
    ):
        return Plan(sources=(source,), build=_held(view, key, sliced=False))
    return None


def _parted(volume: tuple[int, ...], slices: tuple[int, ...]) -> bool:
    return volume[0] * volume[1] == slices[0] and volume[2:] == slices[1:]


def _held(view: GraphView, key: str, *, sliced: bool) -> Any:
    def build(values: Sequence[Value], name: str) -> Value:
        if len(values[0].tensor.shape) != 5 or values[0].first or values[0].slices == sliced:
            raise problem(view, key)
        return Value(tensor=values[0].tensor, slices=sliced)

    return build


def enlarging_plan(view: GraphView, key: str) -> Plan | None:
    """Plan slices whose pixels are repeated."""
    source = view.inputs(key)[0]
    ratios = {
        (new[1] / old[1], new[2] / old[2]) for old, new in zip(view.shapes[source], view.shapes[key], strict=True)
    }
    ratio = ratios.pop()
    if ratios or not are_slices(view, source) or any(r != int(r) for r in ratio) or _aligned(view, key):
        return None

    def build(values: Sequence[Value], name: str) -> Value:
        return values[0].like(layers.UpSampling3D((1, *map(int, ratio)), name=name)(values[0].tensor))

    return Plan(sources=(source,), build=build)


def _aligned(view: GraphView, key: str) -> bool:
    return bool(view.node(key).attr["align_corners"].b)
