"""A SavedModel's graphs, judged op by op, functions included: an op that is not on the list is refused by its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.saved_model import Graph, Node, Part
from napari_vol3d.models.gate_names import ALLOWED_OPS, FILE_OPS, SAVER_OPS
from napari_vol3d.models.gate_unfolded import check_unfolded
from napari_vol3d.models.saved_ops import SLICE_OPS

AXES = 5  # of a batch of volumes
MOST_CONSTANT = 1 << 24  # numbers that a constant may declare without storing them
FROM_NAMES = frozenset({
    "Const", "Placeholder", "PlaceholderWithDefault", "Identity", "Pack", "Select", "SelectV2",
    "ShardedFilename", "StringJoin", "StaticRegexFullMatch",
})  # fmt: skip
PART_OF_NAME = re.compile(r"(_temp(_[0-9a-f]+)?/)?[\w.-]*")  # ".part", "_temp/part", "model"
KERAS_INSTEAD = "Ask its maker for the same network as .keras or .h5."
REASONS: tuple[tuple[str, str], ...] = (
    (r".*Conv2D.*|.*Conv2dNative|(Max|Avg)Pool(V2)?", "is of networks for 2D images, not 3D scans"),
    (r"(Stateless)?While|Enter|Exit|NextIteration|LoopCond|TensorList.*|TensorArray.*|Map.*", "makes a loop"),
    (r"(Eager|Stateless)?PyFunc.*", "runs Python code"),
    (r"(Read|Write|Matching)File.*|.*Dataset.*|PrintV2|Save.*|Restore.*", "can read or write outside of the model"),
    (r".*HashTable.*|LookupTable.*", "looks words up in a table"),
    (r"Resize(Bilinear|Bicubic|Area)", "resizes 2D images, as in networks that work slice by slice"),
    (r".*Quant.*", "computes in whole numbers"),
    (r"Bitwise.*|Bitcast", "looks at the bits of numbers, as keras.ops.argmax does to make labels of scores"),
)  # fmt: skip
INSTEAD: tuple[tuple[str, str], ...] = (  # of .keras or .h5, where those would be refused too
    (r"Resize.*", "Ask its maker for UpSampling3D or Conv3DTranspose in its place."),
    (r"Bitwise.*|Bitcast", "Ask its maker for one that ends in scores, without argmax, or for a .keras."),
)


def judge_graphs(graphs: Iterable[Graph], name: str) -> tuple[tuple[str, int], ...]:
    """Judge the graphs of a SavedModel; give its ops and how often they occur, most frequent first.

    Raises
    ------
    ModelProblem
        If there is an op that is not on the list, or one that touches files outside of the saver.
    """
    counts: Counter[str] = Counter()
    for graph in graphs:
        _check_objects(graph, name)
        check_unfolded(graph, name)
        savers = _check_saver(graph, name)
        functions = {part.name for part in graph.functions}
        known = functions | ALLOWED_OPS | (SLICE_OPS if _takes_volumes(graph) else set())
        for part in (graph.top, *graph.functions):
            for node in part.nodes:
                _check_node(node, part, functions, known, name)
                counts[node.op] += node.op not in functions
            if part.name in savers or not part.name:
                _check_file_names(part, graph, name)
            elif touching := [node.op for node in part.nodes if node.op in SAVER_OPS]:
                raise _refused(touching[0], part.name, name, "touches files outside of the saver")
    return tuple((op, count) for op, count in counts.most_common() if count and op not in SAVER_OPS)


def _check_objects(graph: Graph, name: str) -> None:
    words = {"asset": "an asset file", "resource": "a resource that is made at load", "saver": "its own saver"}
    for kind in graph.objects:
        raise ModelProblem(f"Not allowed: {name} brings {words[kind]}.", hint=KERAS_INSTEAD)
    if graph.assets:
        raise ModelProblem(f"Not allowed: {name} names the asset file {graph.assets[0][:80]!r}.", hint=KERAS_INSTEAD)


def _takes_volumes(graph: Graph) -> bool:
    """Whether something with five axes goes in: ops for images are for its slices then."""
    return any(node.op == "Placeholder" and node.axes == AXES for node in graph.top.nodes)


def _check_node(node: Node, part: Part, functions: set[str], known: set[str], name: str) -> None:
    if node.op not in known:
        found = (reason for pattern, reason in REASONS if re.fullmatch(pattern, node.op))
        raise _refused(node.op, part.name, name, next(found, "is not one that a network needs"))
    for call in node.calls:
        if call not in functions:
            raise _refused(call, part.name, name, f"is called by {node.op} and is no function of the file")
    if node.elements > max(MOST_CONSTANT, node.content):
        raise ModelProblem(
            f"Declared but not stored: constant {node.name[:60]!r} of {name} claims {node.elements} numbers."
        )


def _check_saver(graph: Graph, name: str) -> set[str]:
    """Give the functions that save and restore, after it is sure that nothing else calls them."""
    ends = [_node_of(end) for end in graph.saver[1:] if end]
    calling = [node for node in graph.top.nodes if node.name in ends]
    functions = {part.name: part for part in graph.functions}
    savers = {
        called for node in calling for called in (*node.calls, node.op)
        if called in functions and any(inner.op in FILE_OPS for inner in functions[called].nodes)
    }  # fmt: skip
    for called in savers & set(graph.reachable):
        raise _refused("SaveV2 or RestoreV2", called, name, "could be called with any file's name")
    for part in (graph.top, *graph.functions):
        for node in part.nodes:
            if savers & {node.op, *node.calls} and not (part is graph.top and node.name in ends):
                raise _refused("SaveV2 or RestoreV2", part.name, name, f"is called by {node.name[:60]}")
    return savers


def _check_file_names(part: Part, graph: Graph, name: str) -> None:
    """Prove that all file names come from who loads the model, but for known endings."""
    nodes = {node.name: node for node in part.nodes}
    ends = {_node_of(end) for end in graph.saver[1:] if end}
    touching = [node for node in part.nodes if node.op in FILE_OPS or (not part.name and node.name in ends)]
    for node in touching:
        wanted = [_node_of(x) for x in _names_of(node)]
        seen: set[str] = set()
        while wanted:
            source = wanted.pop()
            if source in seen or source in part.arguments:
                continue
            seen.add(source)
            found = nodes.get(source)
            if found is None or found.op not in FROM_NAMES or not all(_plain(text) for text in found.strings):
                raise _refused(node.op, part.name, name, "has a file name of its own")
            wanted += [_node_of(x) for x in found.inputs if not x.startswith("^")]


def _names_of(node: Node) -> tuple[str, ...]:
    """Give the inputs of a node of the saver that are file names."""
    plain = tuple(x for x in node.inputs if not x.startswith("^"))
    return plain if node.op == "MergeV2Checkpoints" else plain[:1] if node.op not in ("NoOp", "Identity") else ()


def _plain(text: str) -> bool:
    return PART_OF_NAME.fullmatch(text) is not None and ".." not in text


def _node_of(tensor: str) -> str:
    """Give the node of a tensor: "node", "node:0", "node:output:0", "^node"."""
    return tensor.lstrip("^").partition(":")[0]


def _refused(op: str, function: str, name: str, reason: str) -> ModelProblem:
    place = f" in function {function[:60]}" if function else ""
    hint = next((way for pattern, way in INSTEAD if re.fullmatch(pattern, op)), KERAS_INSTEAD)
    return ModelProblem(f"Not allowed: op {op[:60]}{place} of {name} {reason}.", hint=hint)
