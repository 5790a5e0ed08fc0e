"""What a graph of TensorFlow 1 decides while it runs, settled: which branch is taken, in training or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from napari_vol3d.engine.saved_sizes import key_of

BRANCHES = {"Switch", "Merge", "RefSwitch", "RefMerge"}
THROUGH = {"Identity", "PlaceholderWithDefault", "Switch"}
MOST_STEPS = 100
TRUTHS = {"LogicalNot": np.logical_not, "LogicalAnd": np.logical_and, "LogicalOr": np.logical_or}


def settled_flags(graph: Any) -> Any:
    """Give a graph whose branches are the ones that are taken, where that does not depend on the input.

    Parameters
    ----------
    graph : GraphDef
        Frozen; placeholders with a default have that.
    """
    if not any(node.op in BRANCHES for node in graph.node):
        return graph
    nodes = {node.name: node for node in graph.node}
    taken: dict[str, tuple[int, str]] = {}  # of each Merge
    for node in graph.node:
        if node.op == "Merge":
            alive = [
                (place, name) for place, name in enumerate(n for n in node.input if not n.startswith("^"))
                if _is_alive(nodes, key_of(name))
            ]  # fmt: skip
            if len(alive) == 1:
                taken[node.name] = alive[0]
    return _without_branches(graph, nodes, taken)


def _is_alive(nodes: Mapping[str, Any], key: str) -> bool:
    """Tell whether a tensor is made: none of the switches ahead of it sends its input the other way."""
    waiting, seen = [key], set()
    while waiting:
        name, _, number = waiting.pop().rpartition(":")
        if (name, number) in seen:
            continue
        seen.add((name, number))
        node = nodes[name]
        if node.op == "Merge":
            continue
        inputs = [key_of(n.lstrip("^")) for n in node.input]
        if node.op == "Switch":
            taken = _truth(nodes, inputs[1])
            if taken is not None and int(taken) != int(number):
                return False
            continue
        # A constant of a branch waits for an Identity of its switch: "^cond/switch_t".
        waiting += inputs
    return True


def _truth(nodes: Mapping[str, Any], key: str) -> bool | None:
    """Give the value of a condition that depends on constants alone."""
    for _ in range(MOST_STEPS):
        node = nodes[key.rpartition(":")[0]]
        if node.op == "Const":
            return bool(np.all(tf.make_ndarray(node.attr["value"].tensor)))
        inputs = [key_of(n) for n in node.input if not n.startswith("^")]
        if node.op in TRUTHS:
            parts = [_truth(nodes, n) for n in inputs]
            return None if None in parts else bool(TRUTHS[node.op](*parts))
        if node.op not in THROUGH:
            return None
        key = inputs[0]
    return None


def _without_branches(graph: Any, nodes: Mapping[str, Any], taken: Mapping[str, tuple[int, str]]) -> Any:
    plain = tf.compat.v1.GraphDef(versions=graph.versions)
    plain.library.CopyFrom(graph.library)
    for node in graph.node:
        copy = plain.node.add()
        copy.CopyFrom(node)
        if node.op == "Merge" and node.name in taken:
            _pass(copy, taken[node.name][1])
        elif node.op == "Switch":
            _pass(copy, node.input[0])
        for place, name in enumerate(copy.input):
            origin, _, number = name.partition(":")
            if number and nodes[origin].op == "Switch" and not name.startswith("^"):
                copy.input[place] = origin
        waits = [name for name in copy.input if name.startswith("^") and nodes[name[1:]].op in BRANCHES | {"Identity"}]
        for name in waits:
            copy.input.remove(name)
    return plain


def _pass(node: Any, source: str) -> None:
    """Make a node one that passes a tensor on."""
    node.op = "Identity"
    kind = node.attr["T"].type
    node.attr.clear()
    node.attr["T"].type = kind
    del node.input[:]
    node.input.append(source)
