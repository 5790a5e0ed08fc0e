"""Layers are layers, and are called as often as their networks are."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate_calls import MOST_CALLS, check_calls
from tests.hostile_models import conv, network


def called(layer, times):
    return {**layer, "inbound_nodes": [[] for _ in range(times)]}


def nested(*times):
    """A layer in as many networks as there are numbers, each called so often by the one around it."""
    inner = conv()
    for count in times:
        inner = {**called(network(inner), count), "name": "inner"}
    return network(inner)


def test_a_plain_network_passes():
    check_calls(network(*[conv()] * 1000), "net")


def test_calls_of_nested_networks_are_multiplied():
    check_calls(nested(10, 10, 10), "net")
    with pytest.raises(ModelProblem, match="called more than"):
        check_calls(nested(10, 10, 10, 10), "net")


def test_one_too_many_is_refused():
    first = network()  # its input is a layer too
    check_calls(network(called(conv(), MOST_CALLS - len(first["config"]["layers"]))), "net")
    with pytest.raises(ModelProblem, match="called more than"):
        check_calls(network(called(conv(), MOST_CALLS)), "net")


def test_layers_as_the_oldest_files_have_them_pass():
    check_calls({"class_name": "Sequential", "config": [conv()]}, "net")


@pytest.mark.parametrize("layer", ["word", None, 1, [], {}, {"class_name": "Conv3D"}, {"class_name": 1, "config": {}}])
def test_what_is_no_layer_is_named_by_its_place(layer):
    with pytest.raises(ModelProblem, match="entry 2"):
        check_calls(network(layer), "net")


@pytest.mark.parametrize("name", [["a"], 5, {}, "x" * 1001])
def test_a_name_is_a_short_text(name):
    with pytest.raises(ModelProblem, match="usable name"):
        check_calls(network({**conv(), "name": name}), "net")
