"""SavedModels: the saver may touch files, by the name that it is given; nothing else may."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.saved_model import read_saved_model
from napari_vol3d.models.gate_graph import judge_graphs
from tests.hostile_models import add_function, node, saved_model


def judged(folder, change=None):
    return judge_graphs(read_saved_model((saved_model(folder, change) / "saved_model.pb").read_bytes(), "x"), "x")


def test_ops_are_counted_without_those_of_the_saver(tmp_path):
    counts = dict(judged(tmp_path))
    assert counts["Conv3D"] == counts["ReadVariableOp"] == 1
    assert counts["StatefulPartitionedCall"] == 3
    assert not {"SaveV2", "RestoreV2"} & set(counts)


def test_a_function_may_be_called_as_an_op(tmp_path):
    assert "net" not in dict(judged(tmp_path, lambda graph: graph.graph.node.append(node("c", "net", "x"))))


@pytest.mark.parametrize("ending", [".part", "_temp/part", "_temp_0a9f/part", "model"])
def test_a_saver_may_add_a_known_ending(tmp_path, ending):
    def change(graph):
        saves = graph.graph.library.function[1]
        saves.node[0].input[0] = b"joined:output:0"
        saves.node.extend([node("joined", "StringJoin", "prefix", "end:output:0"), node("end", "Const", text=ending)])

    judged(tmp_path, change)


@pytest.mark.parametrize("ending", ["/etc/passwd", "../x", "http://x", "a/b"])
def test_a_saver_may_not_choose_another_file(tmp_path, ending):
    def change(graph):
        saves = graph.graph.library.function[1]
        saves.node[0].input[0] = b"joined:output:0"
        saves.node.extend([node("joined", "StringJoin", "prefix", "end:output:0"), node("end", "Const", text=ending)])

    with pytest.raises(ModelProblem, match="SaveV2"):
        judged(tmp_path, change)


def test_a_saver_as_tensorflow_1_wrote_it_passes(tmp_path):
    def change(graph):
        graph.graph.node.extend([
            node("const", "Const", text="model"), node("name", "PlaceholderWithDefault", "const"),
            node("old", "RestoreV2", "name", "names", "names"),
        ])  # fmt: skip

    judged(tmp_path, change)


def test_a_file_name_that_a_network_computes_is_refused(tmp_path):
    def change(graph):
        graph.graph.node.extend([node("s", "SaveV2", "net_output"), node("net_output", "Identity", "call:0")])

    with pytest.raises(ModelProblem, match="SaveV2"):
        judged(tmp_path, change)


def test_the_function_of_an_op_is_named(tmp_path):
    with pytest.raises(ModelProblem, match="op WriteFile in function hidden"):
        judged(tmp_path, lambda graph: add_function(graph, "hidden", [], node("w", "WriteFile")))


@pytest.mark.parametrize(("axes", "passes"), [(4, False), (5, True), (6, False)])
def test_ops_for_images_pass_where_volumes_go_in(axes, passes, tmp_path):
    def change(graph):
        shape = graph.graph.node[1].attr.add(key=b"shape").value.shape
        for _ in range(axes):
            shape.dim.add(size=-1)
        graph.graph.library.function[0].node.append(node("extra", "Conv2D"))

    if passes:
        assert dict(judged(tmp_path, change))["Conv2D"] == 1
        return
    with pytest.raises(ModelProblem, match="2D images, not 3D scans"):
        judged(tmp_path, change)


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        ("Conv2D", "2D images, not 3D scans"), ("DepthwiseConv2dNative", "2D images"), ("While", "makes a loop"),
        ("NextIteration", "makes a loop"), ("PyFunc", "runs Python code"), ("HashTableV2", "looks words up"),
        ("ReadFile", "read or write outside"), ("Sin", "is not one that a network needs"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_an_op_does(op, reason, tmp_path):
    with pytest.raises(ModelProblem, match=f"op {op} .*{reason}"):
        judged(tmp_path, lambda graph: graph.graph.library.function[0].node.append(node("extra", op)))
