"""How large the graphs of a SavedModel are when their functions are put in line, as TensorFlow does it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.saved_model import Graph, Part

MOST_OPS = 200_000
SIMPLER = "Ask its maker for the same network as .keras or .h5."


def check_unfolded(graph: Graph, name: str) -> None:
    """Refuse functions that call themselves, or one another so often that more than `MOST_OPS` ops come of it.

    Raises
    ------
    ModelProblem
        If there are any.
    """
    sizes: dict[str, int] = {}
    parts = {part.name: part for part in graph.functions}
    try:
        ordered = tuple(TopologicalSorter({part.name: _called(part, parts) for part in graph.functions}).static_order())
    except CycleError as error:
        raise ModelProblem(
            f"Not allowed: function {str(error.args[1][0])[:60]!r} of {name} calls itself.", hint=SIMPLER
        ) from error
    for part in (*(parts[each] for each in ordered), graph.top):
        sizes[part.name] = len(part.nodes) + sum(sizes[each] for each in _called(part, parts))
        if sizes[part.name] > MOST_OPS:
            where = f"function {part.name[:60]!r}" if part.name else "the graph"
            raise ModelProblem(f"Too large a graph: {where} of {name} has more than {MOST_OPS:,} ops.", hint=SIMPLER)


def _called(part: Part, parts: dict[str, Part]) -> list[str]:
    """Give the functions that a part calls, as often as it does."""
    return [each for node in part.nodes for each in (*node.calls, node.op) if each in parts]
