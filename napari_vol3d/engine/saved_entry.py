"""Opening a SavedModel: which of its functions scores a 3D scan, frozen, with one batch of patches going in.

Functions differ in what they take and give. One without axes for batch or channel gets them, a switch for training is
off, labels are left for the scores that they are the largest of, and 16 bits become 32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

# Not exported by TensorFlow, but it is what its own converters and deployment guides use.
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.saved_check import Stored
from napari_vol3d.engine.saved_flags import settled_flags
from napari_vol3d.engine.saved_sizes import ASK, key_of

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
MARKS = ("_XlaMustCompile", "_noinline")
UNMARKED = "_unmarked"
# What stands between the largest score and labels.
LABELLING = {"Cast", "ExpandDims", "Squeeze", "OneHot", "Identity", "StridedSlice", "Reshape"}
SQUASHING = {"Softmax", "LogSoftmax", "Sigmoid", "Identity", "Cast"}
# Of switches and numbers beside the scan: with 1 nothing is dropped, or with 0.
ON = ("infer", "predict", "eval", "test", "deterministic", "keep")
OFF = ("train", "drop", "learn", "phase", "noise")
FIXED = "Ask its maker for one that was exported with that number fixed."
HALVES = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}


def stored_of(folder: Path) -> Stored:
    """Load a SavedModel and freeze the function that takes one batch of 3D patches.

    Raises
    ------
    ModelProblem
        If there is none.
    """
    loaded = tf.saved_model.load(str(folder))  # holds the variables until they are constants
    function = _chosen(dict(loaded.signatures))
    names = sorted(function.structured_outputs)
    frozen = convert_variables_to_constants_v2(function)
    if len(names) != len(frozen.outputs):
        raise ModelProblem("This SavedModel gives something else than named outputs.", hint=ASK)
    graph, call, wanted = in_line(frozen), frozen, dict(zip(names, frozen.outputs, strict=True))
    if not _is_plain(frozen):
        call, wanted = _plain_call(graph, frozen.inputs, wanted)
        graph = call.graph.as_graph_def()
    (given,) = call.inputs
    ends = _scores(graph := settled_flags(graph), {name: tensor.name for name, tensor in wanted.items()})
    widened = in_32_bits(graph)
    same = list(ends.values()) == [tensor.name for tensor in call.outputs] and not widened
    return Stored(
        call=call if same else pruned(graph, given.name, ends.values()), graph=graph, source=given.name,
        ends=tuple(ends.values()), names=tuple(ends), shape=tuple(given.shape.as_list()),
        kind=tf.float32 if given.dtype in (tf.float16, tf.bfloat16) else given.dtype,
    )  # fmt: skip


def _chosen(signatures: Mapping[str, Any]) -> Any:
    """Choose the signature that takes one batch of 3D patches, and nothing else but switches and numbers."""
    ranked = sorted(signatures, key=lambda name: (name != "serving_default", name != "serve", name))
    for rank in (5, 4, 3):
        for name in ranked:
            given = list(signatures[name].structured_input_signature[1].values())
            others = [spec.shape.rank for spec in given if not _is_image(spec, rank)]
            if len(given) == len(others) + 1 and not any(others) and None not in others:
                return signatures[name]
    raise ModelProblem("No function of this SavedModel takes one batch of 3D patches.", hint=ASK)


def _is_image(spec: Any, rank: int) -> bool:
    return bool(spec.shape.rank == rank and (spec.dtype.is_floating or spec.dtype.is_integer))


def _is_plain(function: Any) -> bool:
    """Tell whether a function takes one batch of patches alone, of five axes, and gives such."""
    ends = all(end.dtype.is_floating and end.shape.rank != 4 for end in function.outputs)
    return ends and len(function.inputs) == 1 and function.inputs[0].shape.rank == 5


def _plain_call(graph: Any, given: Iterable[Any], ends: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Give a function of one batch of patches alone, with axes for batch and channels, that gives numbers."""
    (patches,) = (tensor for tensor in given if tensor.shape.rank)
    flags = {tensor.name: _off(tensor.name, tensor.dtype) for tensor in given if not tensor.shape.rank}
    missing, shape = _missing_axes(patches.shape), patches.shape.as_list()
    for axis in missing:
        shape.insert(axis, 1)
    kept = {name: end for name, end in ends.items() if end.dtype != tf.string}

    def call(scan: Any) -> Any:
        constants = {name: tf.constant(value, kind) for name, (value, kind) in flags.items()}
        plain = tf.squeeze(scan, list(missing)) if missing else scan
        names = [end.name for end in kept.values()]
        found = tf.graph_util.import_graph_def(graph, {**constants, patches.name: plain}, names, name="stored")
        return [_with_axes(end, missing) for end in found]

    wrapped = tf.compat.v1.wrap_function(call, [tf.TensorSpec(shape, patches.dtype, name="scan")])
    return wrapped, dict(zip(kept, wrapped.outputs, strict=True))


def _missing_axes(shape: Any) -> tuple[int, ...]:
    """Say which of five axes a shape leaves out: 0 for the batch, 4 for the channels."""
    if shape.rank == 5:
        return ()
    if shape.rank == 3:
        return (0, 4)
    return (0,) if shape[3] is not None and shape[3] <= 8 and shape[0] != 1 else (4,)


def _off(name: str, kind: Any) -> tuple[Any, Any]:
    """Give value and type of a switch or number beside the scan with which nothing is dropped.

    A switch without a telling name is off. Of a number nothing can be supposed: it may be a temperature.
    """
    on, off = (any(word in name.lower() for word in words) for words in (ON, OFF))
    if not (on or off or kind.is_bool):
        shown = name.rpartition("/")[2].partition(":")[0]
        raise ModelProblem(f"The SavedModel wants a number beside the scan: {shown}.", hint=FIXED)
    return (on if kind.is_bool else int(on)), kind


def _with_axes(end: Any, missing: Iterable[int]) -> Any:
    end = tf.expand_dims(end, 0) if 0 in missing and end.shape.rank in (3, 4) else end
    end = tf.expand_dims(end, -1) if end.shape.rank == 4 else end
    return end if end.dtype.is_floating else tf.cast(end, tf.float32)


def _scores(graph: Any, ends: Mapping[str, str]) -> dict[str, str]:
    """Give the outputs to use: of labels the scores that they come from, but where another output has the same."""
    nodes = {node.name: node for node in graph.node}
    found = {name: _behind_labels(nodes, end) for name, end in ends.items()}
    there = {_unsquashed(nodes, end) for name, end in ends.items() if found[name] is None}
    used = {name: end or ends[name] for name, end in found.items()}
    return {name: end for name, end in used.items() if found[name] is None or _unsquashed(nodes, end) not in there}


def _unsquashed(nodes: Mapping[str, Any], name: str) -> str:
    """Give what probabilities are made of, which the same voxels are the largest of."""
    while (node := nodes[key_of(name).rpartition(":")[0]]).op in SQUASHING:
        name = node.input[0]
    return key_of(name)


def _behind_labels(nodes: Mapping[str, Any], name: str) -> str | None:
    """Give what labels are the largest of; None for a tensor of no labels."""
    node = nodes[key_of(name).rpartition(":")[0]]
    while node.op in LABELLING:
        node = nodes[key_of(node.input[0]).rpartition(":")[0]]
    return key_of(node.input[0]) if node.op == "ArgMax" else None


def pruned(graph: Any, source: str, ends: Iterable[str]) -> Any:
    """Give a function from one tensor of a graph to others."""
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    return wrapped.prune([source], list(ends))


def in_line(frozen: Any) -> Any:
    """Give the graph with those functions in line too that are marked for a compiler: grouped convolutions are."""
    graph = frozen.graph.as_graph_def()
    if not any(node.op in CALLS for node in graph.node):
        return graph
    inner = [node for function in graph.library.function for node in function.node_def]
    for marked in (*graph.node, *inner, *graph.library.function):
        for mark in MARKS:
            marked.attr.pop(mark, None)
    for node in (node for node in (*graph.node, *inner) if node.op in CALLS):
        node.attr["f"].func.name += UNMARKED  # TensorFlow keeps functions by name, once for the whole process
    for function in graph.library.function:
        function.signature.name += UNMARKED
    given, ends = frozen.inputs, [tensor.name for tensor in frozen.outputs]

    def call(*values: Any) -> Any:
        named = {tensor.name: value for tensor, value in zip(given, values, strict=True)}
        return tf.graph_util.import_graph_def(graph, named, ends, name="")

    specs = [tf.TensorSpec(each.shape, each.dtype, name=each.name.partition(":")[0]) for each in given]
    wrapped = tf.compat.v1.wrap_function(call, specs)
    return convert_variables_to_constants_v2(wrapped).graph.as_graph_def()


def in_32_bits(graph: Any) -> bool:
    """Make a graph compute in 32 bits what it does in 16, as not all of that runs on a CPU; tell if there was any."""
    found = False
    for node in graph.node:
        for name, value in node.attr.items():
            if value.type in HALVES:
                value.type, found = tf.float32.as_datatype_enum, True
            if value.HasField("tensor") and value.tensor.dtype in HALVES:
                numbers = tf.make_ndarray(value.tensor).astype("float32")
                node.attr[name].tensor.CopyFrom(tf.make_tensor_proto(numbers, tf.float32))
    return found
