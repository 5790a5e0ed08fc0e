"""A TensorFlow SavedModel turned into a Keras network with the same weights.

Such a network can be saved as .keras, loaded safely, folded, tiled with the right halo, and run on any backend. It is
only given if it computes what the stored graph does. Loading a SavedModel runs its graph: call this only in a process
of its own, in a cage, and after `models.gate` has looked at the file.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine import saved_layers as simple
from napari_vol3d.engine import saved_pointwise as pointwise
from napari_vol3d.engine.replay import call_again, replay
from napari_vol3d.engine.saved_affine import affine_plan, normalisation_plan
from napari_vol3d.engine.saved_check import DRAWN, RANDOM, Rebuilt, Stored, check
from napari_vol3d.engine.saved_entry import stored_of
from napari_vol3d.engine.saved_linear import counts_first, interleaved_plan, linear_plan
from napari_vol3d.engine.saved_moves import moving_plan
from napari_vol3d.engine.saved_patterns import (
    chosen_prelu_plan,
    cropping_plan,
    prelu_plan,
    repetition_plan,
    reshape_plan,
)
from napari_vol3d.engine.saved_ranks import flat_plan, merging_plan, stacking_plan, without_axis_plan
from napari_vol3d.engine.saved_regions import region_plan
from napari_vol3d.engine.saved_rules import (
    FIRST_TO_LAST,
    BoundToSize,
    Plan,
    Rule,
    Value,
    layer_name,
    problem,
)
from napari_vol3d.engine.saved_sizes import ASK, GraphView, made_up_sizes, view_of
from napari_vol3d.engine.saved_slices import enlarging_plan, slicing_plan

SCALING: tuple[Rule, ...] = (linear_plan, prelu_plan, normalisation_plan, region_plan, affine_plan, pointwise.pair_plan)
RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys((*pointwise.ACTIVATIONS, *pointwise.FUNCTIONS, "LeakyRelu"), (pointwise.activation_plan,)),
    **dict.fromkeys((*pointwise.PAIRS, *pointwise.OPERATIONS, "SquaredDifference"), (pointwise.pair_plan,)),
    **dict.fromkeys(("Add", "AddV2", "BiasAdd", "Sub", "Mul", "RealDiv"), SCALING),
    **dict.fromkeys(
        ("Conv3D", "Conv3DBackpropInputV2", "Conv2D", "Conv2DBackpropInput", "DepthwiseConv2dNative"), (linear_plan,)
    ),
    "ResizeNearestNeighbor": (enlarging_plan,), "SpaceToBatchND": (interleaved_plan,),
    "BatchToSpaceND": (linear_plan, interleaved_plan),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2"), (linear_plan,)),
    **dict.fromkeys(simple.POOLS, (simple.pool_plan,)),
    **dict.fromkeys(simple.SUMS, (merging_plan, simple.reduction_plan)),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), (simple.normalisation_plan,)),
    **dict.fromkeys(("Softmax", "LogSoftmax"), (pointwise.softmax_plan,)),
    **dict.fromkeys(("Pad", "PadV2"), (moving_plan, simple.padding_plan)), "MirrorPad": (simple.padding_plan,),
    **dict.fromkeys(("Slice", "StridedSlice"), (cropping_plan, moving_plan, reshape_plan, without_axis_plan)),
    **dict.fromkeys(("Split", "SplitV"), (simple.split_plan,)),
    **dict.fromkeys(("Select", "SelectV2"), (chosen_prelu_plan, pointwise.choice_plan)),
    **dict.fromkeys(("ExpandDims", "Squeeze"), (moving_plan, reshape_plan, without_axis_plan, flat_plan)),
    **dict.fromkeys(("Tile", "GatherV2", "BroadcastTo", "ReverseV2"), (moving_plan,)),
    "Neg": (affine_plan, pointwise.activation_plan), "AddN": (pointwise.sum_plan,), "Cast": (pointwise.cast_plan,),
    "ConcatV2": (repetition_plan, moving_plan, simple.concatenation_plan), "Einsum": (linear_plan,),
    "Pack": (moving_plan, stacking_plan), "Unpack": (without_axis_plan,),
    **dict.fromkeys(("ZerosLike", "OnesLike"), (pointwise.filling_plan,)),
    "ClipByValue": (pointwise.clip_plan,),
    "Transpose": (pointwise.turned_softmax_plan, simple.transposition_plan, moving_plan),
    "Reshape": (
        slicing_plan, linear_plan, repetition_plan, region_plan, pointwise.flattened_plan, moving_plan, reshape_plan,
        flat_plan,
    ),
}  # fmt: skip

WITH_FORMAT = ("Conv3D", "Conv3DBackpropInputV2", "MaxPool3D", "AvgPool3D")


def network_of(folder: Path) -> keras.Model:
    """Turn a SavedModel into a Keras network.

    Parameters
    ----------
    folder : Path
        Holds saved_model.pb.

    Returns
    -------
    keras.Model
        From (batch, z, y, x, channels) to scores, channels last whatever the graph counts; sizes are free wherever
        the layers allow it. Its outputs have the names of the signature's.

    Raises
    ------
    ModelProblem
        If nothing in it takes one batch of 3D patches, an op has no counterpart in Keras, or the rebuilt network does
        not give the same scores to 1e-4.
    """
    return _opened(folder)[0].network


def sized_network_of(folder: Path) -> keras.Model:
    """Give the same network, for the size that it was stored for where there is one, as Keras' own files have it."""
    return _for_stored_size(*_opened(folder))


def _opened(folder: Path) -> tuple[Rebuilt, Sequence[int | None]]:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        stored = stored_of(folder)
        return _network(stored), stored.shape
    except (ValueError, TypeError, OSError, KeyError, RuntimeError, tf.errors.OpError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelProblem(f"This SavedModel can't be rebuilt: {line}", hint=ASK) from error
    finally:
        keras.config.set_dtype_policy(policy)


def _network(stored: Stored) -> Rebuilt:
    sizes = made_up_sizes(stored.graph, stored.source, stored.shape)
    view = view_of(stored.graph, stored.source, stored.ends, sizes)
    try:
        rebuilt = _rebuilt(view, stored)
    except BoundToSize:
        if None in stored.shape[1:]:
            raise ModelProblem("This SavedModel has weights for each place, but no fixed size.", hint=ASK) from None
        view = dataclasses.replace(view, bound=True)
        rebuilt = _rebuilt(view, stored)
    check(stored, rebuilt)
    return rebuilt


def _for_stored_size(rebuilt: Rebuilt, shape: Sequence[int | None]) -> keras.Model:
    network, at = rebuilt.network, FIRST_TO_LAST[1:4] if rebuilt.first else (1, 2, 3)
    edges = [shape[axis] for axis in at]
    if None in edges or network.input_shape[1:4] != (None, None, None):
        return network
    given = keras.Input((*edges, network.input_shape[4]), name=network.inputs[0].name)
    return keras.Model(given, replay(network, [given], call_again), name=network.name)


def _rebuilt(view: GraphView, stored: Stored) -> Rebuilt:
    first = _channels_first(view, stored.shape)
    shape = [stored.shape[axis] for axis in FIRST_TO_LAST] if first else list(stored.shape)
    edges = shape[1:4] if view.bound else [None if length != 1 else 1 for length in shape[1:4]]
    given = keras.Input((*edges, shape[4]), dtype="float32", name=view.source.partition(":")[0])
    made = {view.source: Value(tensor=given, first=first)}
    wanted = dict(zip(view.outputs, stored.names, strict=True))
    used = Counter(wanted.values()) + Counter([given.name])
    for end in view.outputs:
        _make(view, end, made, wanted, used)
    ends = [made[end] for end in view.outputs]
    named = [_named(value.tensor, name) for value, name in zip(ends, stored.names, strict=True)]
    network = keras.Model(given, named, name="saved_model")
    return Rebuilt(network=network, first=first, firsts=tuple(value.first for value in ends))


def _channels_first(view: GraphView, shape: Sequence[int | None]) -> bool:
    if (shape[1] is None) != (shape[4] is None):
        return shape[4] is None
    if shape[4] is None:
        raise ModelProblem("This SavedModel does not say how many channels it takes.", hint=ASK)
    turned = [
        key for key, node in ((f"{name}:0", node) for name, node in view.nodes.items())
        if node.op == "Transpose" and view.inputs(key)[0] == view.source
    ]  # fmt: skip
    orders = [view.constant(view.inputs(key)[1]) for key in turned]
    spatial = (node for node in view.nodes.values() if node.op in WITH_FORMAT)
    return any(counts_first(node) for node in spatial) or any(
        order is not None and tuple(order) == FIRST_TO_LAST for order in orders
    )


def _make(
    view: GraphView, end: str, made: dict[str, Value], wanted: Mapping[str, str], used: Counter[str]
) -> None:
    """Make a tensor and all that it depends on, sources first; without recursion, as graphs may be deep."""
    plans: dict[str, Plan] = {}
    waiting = [end]
    while waiting:
        key = waiting[-1]
        if key in made:
            waiting.pop()
            continue
        if key not in plans:
            plans[key] = _plan(view, key)
        plan = plans[key]
        missing = [source for source in plan.sources if source not in made]
        waiting.extend(missing)
        if not missing:
            waiting.pop()
            name = wanted.get(key) or _free_name(view.node(key), used)
            made[key] = plan.build([made[source] for source in plan.sources], name)


def _plan(view: GraphView, key: str) -> Plan:
    if view.values(key) is not None:
        raise _unmade(view, key)  # an output, or a part, that does not depend on the input
    for rule in RULES.get(view.op(key), ()):
        plan = rule(view, key)
        if plan is not None:
            return plan
    raise _unmade(view, key)


def _unmade(view: GraphView, key: str) -> ModelProblem:
    random = any(node.op in RANDOM for node in view.nodes.values())
    return ModelProblem(DRAWN, hint=ASK) if random else problem(view, key)


def _free_name(node: Any, used: Counter[str]) -> str:
    name = layer_name(node.name)
    if used[name]:
        name = f"{name}_{node.op.lower()}"
    while used[name]:
        name = f"{name}_{used[name]}"
    used[name] += 1
    return name


def _named(tensor: Any, name: str) -> Any:
    return tensor if tensor._keras_history.operation.name == name else layers.Identity(name=name)(tensor)
