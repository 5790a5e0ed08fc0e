"""SavedModels as protocol buffers, without TensorFlow."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files import saved_model as saved_model_module
from napari_vol3d.io.network_files.saved_model import message_class, read_saved_model
from tests.hostile_models import saved_model


def test_nodes_functions_saver_and_variables(tmp_path):
    (graph,) = read_saved_model((saved_model(tmp_path) / "saved_model.pb").read_bytes(), "x")
    assert [part.name for part in graph.functions] == ["net", "saves", "restores"]
    assert graph.functions[0].arguments == ("x", "k")
    assert [node.op for node in graph.functions[0].nodes] == ["ReadVariableOp", "Conv3D"]
    assert graph.top.nodes[3].calls == ("net",)
    assert graph.saver == ("saver_filename:0", "save:0", "restore")
    assert graph.variables == (("kernel", 108),)


def test_functions_inside_attributes_of_functions_are_seen():
    model = message_class("SavedModel")()
    node = model.graphs.add().graph.node.add(name=b"a", op=b"If")
    function = node.attr.add(key=b"then").value.list.func.add(name=b"outer")
    function.attr.add(key=b"f").value.func.name = b"inner"
    (graph,) = read_saved_model(model.SerializeToString(), "x")
    assert set(graph.top.nodes[0].calls) == {"outer", "inner"}


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x0a" * 33])
def test_what_is_no_saved_model(content):
    with pytest.raises(ModelProblem, match="SavedModel"):
        read_saved_model(content, "x")


def test_the_real_one_declares_the_weights_of_its_twin(shared_data):
    path = shared_data / "models" / "meshnet_t1_gwm" / "savedmodel" / "saved_model.pb"
    (graph,) = read_saved_model(path.read_bytes(), path.name)
    assert sum(count for _, count in set(graph.variables)) == 5598
    assert graph.objects == graph.assets == ()


def field(number, content):
    length, told = len(content), b""
    while length > 127:
        told, length = told + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + told + bytes([length]) + content


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (b"\x0a\x00" * 3_000_000, "200,000 nodes"),
        (field(1, field(2, b"Const") + b"\x2a\x00" * 3_000_000), "2,000,000 fields"),
        (field(2, b"\x0a\x00" * 30_000), "20,000 functions"),
    ],
)
def test_a_graph_without_end_is_refused_before_anything_is_made_of_it(graph, words, monkeypatch):
    monkeypatch.setattr(saved_model_module, "message_class", None)  # whoever made a message would fail
    with pytest.raises(ModelProblem, match=words):
        read_saved_model(field(2, field(2, graph)), "x")


def test_sizes_without_sense_stay_numbers_that_can_be_said():
    for axes in (30, 300, 30_000):
        model = message_class("SavedModel")()
        graph = model.graphs.add()
        tensor = graph.graph.node.add(name=b"a", op=b"Const").attr.add(key=b"value").value.tensor
        tensor.shape.dim.extend([message_class("Dim")(size=2**62)] * axes)
        item = graph.objects.node.add()
        item.variable.shape.dim.extend(tensor.shape.dim)
        (read,) = read_saved_model(model.SerializeToString(), "x")
        assert 2**60 < read.top.nodes[0].elements == read.variables[0][1] < 2**63
