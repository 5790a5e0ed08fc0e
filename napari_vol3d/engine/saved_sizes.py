"""A frozen TensorFlow graph to look things up in: constants, and the sizes of its tensors for some sizes of its input.

Graphs compute sizes while they run: of paddings, of the results of transposed convolutions, of what is reshaped. None
of that arithmetic has to be understood: for two made-up sizes of the input, TensorFlow infers the shape of each tensor
without running the graph, and what is the same for both is a constant.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from napari_vol3d.core.errors import ModelProblem

Shape = tuple[int, ...]
ASK = "Ask its author for the model as a .keras or .h5 file."
MULTIPLES = ((64, 96, 128), (160, 128, 64))  # edges that different networks take, and no product twice
EDGES = range(96, 161)  # for others: one edge for all axes
FLOATS = {kind.as_datatype_enum for kind in (tf.float16, tf.bfloat16, tf.float32, tf.float64)}
PASSING = {
    "Identity", "IdentityN", "StopGradient", "PreventGradient", "CheckNumerics", "EnsureShape", "Snapshot",
    "PlaceholderWithDefault",
}  # fmt: skip
UNSIZED = {"NoOp", "Const", "Range", "Fill"}
SIZES = {"Shape", "Size", "Rank"}
SMALL_EDGES = (8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class GraphView:
    """A graph in which tensors go by "node:0", and those that only pass another one on by the other's name.

    Attributes
    ----------
    nodes : mapping of str to NodeDef
        Those that outputs depend on.
    shapes : mapping of str to tuple of tuple of int
        Of each tensor, for each made-up size of the input.
    settled : mapping of str to tuple of arrays
        Values that do not depend on the input, but for its size; for each size.
    readers : Counter of str
        How many nodes, or outputs, read the numbers of a tensor, and not only its size.
    source : str
        The input.
    outputs : tuple of str
    bound : bool
        Whether the network may keep the stored size, as it has weights for each place.
    """

    nodes: Mapping[str, Any]
    shapes: Mapping[str, tuple[Shape, ...]]
    settled: Mapping[str, tuple[NDArray[Any], ...]]
    readers: Counter[str]
    source: str
    outputs: tuple[str, ...]
    bound: bool = False

    @cached_property
    def small(self) -> GraphView:
        """The same at an input as small as the graph takes; itself where it leaves no size open."""
        if len(self.shapes[self.source]) < 2:
            return self
        one, two = self.shapes[self.source][:2]
        graph = tf.compat.v1.GraphDef(node=[_waiting_for_none(node) for node in self.nodes.values()])
        stored = [None if axis == 0 or a != b else a for axis, (a, b) in enumerate(zip(one, two, strict=True))]
        sizes = (filled(stored, 2, (edge, 3 * edge // 2, 2 * edge)) for edge in SMALL_EDGES)
        found = next((size for size in sizes if fits(graph, self.source, size)), one)
        return view_of(graph, self.source, self.outputs, [found])

    def node(self, key: str) -> Any:
        """The node that makes a tensor."""
        return self.nodes[key.rpartition(":")[0]]

    def op(self, key: str) -> str:
        """The op that makes a tensor."""
        return str(self.node(key).op)

    def inputs(self, key: str) -> tuple[str, ...]:
        """What the node that makes a tensor reads."""
        return tuple(resolved(self.nodes, name) for name in data_inputs(self.node(key)))

    def values(self, key: str) -> tuple[NDArray[Any], ...] | None:
        """Values of a tensor that depends on nothing but sizes, one for each size."""
        return self.settled.get(key)

    def constant(self, key: str) -> NDArray[Any] | None:
        """Value of a tensor that is the same whatever the input is; one number where only its size differs."""
        values = self.settled.get(key)
        if values is None or all(np.array_equal(values[0], other) for other in values[1:]):
            return None if values is None else values[0]
        numbers = {number for value in values for number in (value.min(), value.max()) if value.dtype.kind in "biuf"}
        same_size = len({value.shape for value in values}) == 1
        return None if same_size or len(numbers) != 1 else np.full((1,) * values[0].ndim, numbers.pop())

    def rank(self, key: str) -> int:
        """Number of axes."""
        return len(self.shapes[key][0])

    def length(self, key: str, axis: int) -> int | None:
        """Length along an axis; None where it depends on the input's size."""
        lengths = {shape[axis] for shape in self.shapes[key]}
        return lengths.pop() if len(lengths) == 1 else None


def data_inputs(node: Any) -> list[str]:
    """Give what a node reads, without what it only waits for."""
    return [name for name in node.input if not name.startswith("^")]


def key_of(name: str) -> str:
    """Give the full name of a tensor: graphs leave out the number of a node's first one."""
    return name if ":" in name else f"{name}:0"


def resolved(nodes: Mapping[str, Any], name: str) -> str:
    """Follow tensors that are passed on unchanged, or in another float type, to where they were made."""
    key = key_of(name)
    while True:
        node, index = nodes[key.rpartition(":")[0]], int(key.rpartition(":")[2])
        if not passes(node):
            return key
        key = key_of(data_inputs(node)[index])


def passes(node: Any) -> bool:
    """Tell whether a node only passes on what it reads; so it is for one float type and another, as layers have one."""
    return node.op in PASSING or (node.op == "Cast" and {node.attr["SrcT"].type, node.attr["DstT"].type} <= FLOATS)


def view_of(graph: Any, source: str, outputs: Iterable[str], sizes: Iterable[Shape]) -> GraphView:
    """Look at a graph for several sizes of its input.

    Parameters
    ----------
    graph : GraphDef
        Frozen, its functions in line.
    source, outputs : str, iterable of str
        Names of tensors.
    sizes : iterable of tuple of int
        Whole shapes of the input.

    Raises
    ------
    ValueError
        If the graph can't take one of the sizes.
    """
    nodes = {node.name: node for node in graph.node}
    ends = tuple(resolved(nodes, name) for name in outputs)
    order = list(_order(nodes, [name.rpartition(":")[0] for name in ends]))
    looks = [_look(graph, order, source, shape) for shape in sizes]
    readers = Counter(ends)
    for node in order:
        if f"{node.name}:0" not in looks[0][1] and not passes(node):
            readers.update({resolved(nodes, name) for name in data_inputs(node)})
    return GraphView(
        nodes={node.name: _copy(node) for node in order}, readers=readers, source=key_of(source), outputs=ends,
        shapes={key: tuple(look[0][key] for look in looks) for key in looks[0][0]},
        settled={key: tuple(look[1][key] for look in looks) for key in looks[0][1]},
    )  # fmt: skip


def resized(graph: Any, source: str, shape: Shape) -> Any:
    """Give a copy of a graph whose input has another shape."""
    copy = tf.compat.v1.GraphDef()
    copy.CopyFrom(graph)
    for node in copy.node:
        node.attr.pop("_output_shapes", None)  # of another input
        if node.name == source.rpartition(":")[0]:
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return copy


def fits(graph: Any, source: str, shape: Shape) -> bool:
    """Tell whether a graph takes an input of this shape; it is not run."""
    try:
        with tf.Graph().as_default():
            tf.graph_util.import_graph_def(resized(graph, source, shape), name="")
    except ValueError:
        return False
    return True


def filled(shape: Sequence[int | None], batch: int, edges: Sequence[int]) -> Shape:
    """Fill in what a shape leaves open: the batch, and three edges among the other axes."""
    left = iter(edges)
    return tuple(n if n is not None else (batch if axis == 0 else next(left, 1)) for axis, n in enumerate(shape))


def made_up_sizes(graph: Any, source: str, shape: Sequence[int | None]) -> list[Shape]:
    """Give two shapes of the input that the graph takes; one, where the stored shape leaves nothing open."""
    if None not in shape[1:]:
        return [filled(shape, 3, ())]
    triples = (*MULTIPLES, *((edge,) * 3 for edge in EDGES))
    candidates = (filled(shape, batch, edges) for batch, edges in zip(itertools.cycle((3, 5)), triples, strict=False))
    found = list(itertools.islice((size for size in candidates if fits(graph, source, size)), 2))
    if len(found) < 2:
        raise ModelProblem("This SavedModel takes patches of no usual size.", hint=ASK)
    return found


def _order(nodes: Mapping[str, Any], ends: Iterable[str]) -> Iterator[Any]:
    """Give the nodes that `ends` depend on, sources first; without recursion, as graphs may be deep."""
    done: set[str] = set()
    waiting = list(ends)
    while waiting:
        node = nodes[waiting[-1]]
        missing = [name for name in (key_of(n).rpartition(":")[0] for n in data_inputs(node)) if name not in done]
        waiting.extend(missing)
        if not missing:
            waiting.pop()
            if node.name not in done:
                done.add(node.name)
                yield node


def _look(
    graph: Any, order: list[Any], source: str, shape: Shape
) -> tuple[dict[str, Shape], dict[str, NDArray[Any]]]:
    """Give the shape of each tensor, and the values of those that do not depend on the input."""
    shapes: dict[str, Shape] = {}
    kinds: dict[str, Any] = {}
    read = {key_of(name) for node in order for name in data_inputs(node)}
    with tf.Graph().as_default() as inferred:
        tf.graph_util.import_graph_def(resized(graph, source, shape), name="")
        for node in order:
            for tensor in inferred.get_operation_by_name(node.name).outputs:
                kinds[tensor.name] = tensor.dtype
                if tensor.shape.is_fully_defined():
                    shapes[tensor.name] = tuple(tensor.shape.as_list())
                elif tensor.name in read and node.op not in UNSIZED:
                    where = "/".join(node.name.split("/")[-2:])
                    raise ModelProblem(f"Sizes within this SavedModel can't be told: of {node.op} {where}.", hint=ASK)
    return shapes, _settle(graph, order, shapes, kinds)


def _settle(
    graph: Any, order: list[Any], shapes: Mapping[str, Shape], kinds: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    settled: set[str] = set()
    wanted: list[str] = []
    reduced = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in order:
        reads = [key_of(name) for name in data_inputs(node)]
        if node.op in SIZES and reads[0] in shapes:
            reduced.node.append(_as_constant(node, shapes[reads[0]]))
        elif node.op == "Const" or (reads and all(key.rpartition(":")[0] in settled for key in reads)):
            reduced.node.append(_plain(node))
        else:
            continue
        settled.add(node.name)
        wanted += [key for key in (f"{node.name}:{number}" for number in range(64)) if key in kinds]
    imported = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(reduced, name=""), [])
    values = imported.prune([], wanted)() if wanted else []
    return {key: np.asarray(value) for key, value in zip(wanted, values, strict=True)}


def _as_constant(node: Any, shape: Shape) -> Any:
    value: Any = {"Shape": shape, "Size": int(np.prod(shape)), "Rank": len(shape)}[node.op]
    kind = tf.as_dtype(node.attr["out_type"].type) if "out_type" in node.attr else tf.int32
    constant = tf.compat.v1.NodeDef(name=node.name, op="Const")
    constant.attr["dtype"].type = kind.as_datatype_enum
    constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, kind))
    return constant


def _copy(node: Any) -> Any:
    # Asking a node for an attribute that it lacks adds an empty one, which TensorFlow refuses.
    copy = tf.compat.v1.NodeDef()
    copy.CopyFrom(node)
    return copy


def _waiting_for_none(node: Any) -> Any:
    copy = _copy(node)
    del copy.input[:]
    copy.input.extend(data_inputs(node))
    return copy


def _plain(node: Any) -> Any:
    """Give a node that waits for nothing and may stand anywhere."""
    copy = _waiting_for_none(node)
    if copy.op == "PlaceholderWithDefault":
        copy.op = "Identity"
        copy.attr["T"].CopyFrom(node.attr["dtype"])
    for name in ("_class", "_output_shapes", *(("dtype", "shape") if node.op == "PlaceholderWithDefault" else ())):
        copy.attr.pop(name, None)
    return copy
