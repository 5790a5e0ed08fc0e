"""Functions of a graph are counted as often as they are put in line, and never end in themselves."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.saved_model import Graph, Node, Part
from napari_vol3d.models import gate_unfolded
from napari_vol3d.models.gate_unfolded import check_unfolded


def node(*calls, op="PartitionedCall"):
    return Node(name="n", op=op, inputs=(), calls=calls)


def graph(**functions):
    parts = tuple(Part(name=name, arguments=(), nodes=tuple(nodes)) for name, nodes in functions.items())
    top = Part(name="", arguments=(), nodes=())
    return Graph(
        top=top, functions=parts, saver=("", "", ""), reachable=(), objects=(), assets=(), variables=()
    )  # fmt: skip


def chain(levels, times):
    """Functions that call the next one so often each."""
    inner = {f"f{level}": [node(f"f{level + 1}")] * times for level in range(levels)}
    return graph(**inner, **{f"f{levels}": [node(op="Identity")]})


def test_a_long_chain_of_functions_passes():
    check_unfolded(chain(5_000, 1), "net")


def test_functions_count_as_often_as_they_are_called(monkeypatch):
    monkeypatch.setattr(gate_unfolded, "MOST_OPS", 2**11)
    check_unfolded(chain(9, 2), "net")  # 2**10 + ... + 2
    with pytest.raises(ModelProblem, match="more than 2,048 ops"):
        check_unfolded(chain(10, 2), "net")


@pytest.mark.parametrize("functions", [{"f": [node("f")]}, {"f": [node("g")], "g": [node(op="f")]}])
def test_a_function_that_calls_itself_is_named(functions):
    with pytest.raises(ModelProblem, match=r"function '[fg]' of net calls itself"):
        check_unfolded(graph(**functions), "net")
