"""Names for the operations that stand for a layer: those that Keras makes up may be those of the file's own layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def name_after(layer: str, values: Sequence[Any], inputs: Sequence[Any]) -> None:
    """Put a layer's name before that of each operation between `inputs` and `values`, tensors of a graph.

    Keras counts what a process makes, "add" and then "add_1", and a network made by another process has layers of
    these names too; in one network each may be there once.
    """
    known = {id(tensor) for tensor in inputs}
    waiting = [value for value in values if id(value) not in known]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in known or (history := getattr(tensor, "_keras_history", None)) is None:
            continue
        operation, index, _ = history
        node = operation._inbound_nodes[index]
        known.update(id(each) for each in node.outputs)
        if node.input_tensors and not operation.name.startswith(f"{layer}."):
            operation.name = f"{layer}.{operation.name}"
        waiting += node.input_tensors
