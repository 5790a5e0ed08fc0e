"""A rebuilt network that gives other scores is refused, and rounding is not taken for that."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine import saved_graph
from napari_vol3d.engine.saved_check import Rebuilt, check
from napari_vol3d.engine.saved_entry import stored_of
from tests.saved_models import FREE, conv, exported, randomised


def network(tensor):
    return layers.Softmax()(conv(layers.BatchNormalization()(conv(tensor, 3)), 2))


def stored_and_rebuilt(tmp_path, shape=FREE):
    original = randomised(network, shape)
    stored = stored_of(exported(original, tmp_path / "stored"))
    return stored, Rebuilt(network=saved_graph.network_of(tmp_path / "stored"), first=False, firsts=(False,))


@pytest.mark.parametrize("shape", [FREE, (16, 16, 16, 1), (112, 112, 112, 1)], ids=["free", "small", "large"])
def test_one_changed_weight_is_found(shape, tmp_path):
    stored, rebuilt = stored_and_rebuilt(tmp_path, shape)
    check(stored, rebuilt)
    weights = rebuilt.network.get_weights()
    weights[0][1, 1, 1, 0, 0] += 0.01
    rebuilt.network.set_weights(weights)
    with pytest.raises(ModelProblem, match="gives other scores: by"):
        check(stored, rebuilt)


def test_swapped_axes_are_found(tmp_path):
    stored, rebuilt = stored_and_rebuilt(tmp_path)
    weights = rebuilt.network.get_weights()
    weights[0] = np.ascontiguousarray(weights[0].transpose(2, 1, 0, 3, 4))
    rebuilt.network.set_weights(weights)
    with pytest.raises(ModelProblem, match="gives other scores"):
        check(stored, rebuilt)


def test_a_network_that_blows_rounding_up_is_not_refused_for_it(tmp_path):
    def steep(tensor):
        for _ in range(4):
            tensor = layers.BatchNormalization(epsilon=1e-5)(conv(tensor, 4)) * 30.0
        return layers.Activation("softmax")(conv(tensor, 2, 1))

    original = randomised(steep)
    stored = stored_of(exported(original, tmp_path / "stored"))
    given = saved_graph.network_of(tmp_path / "stored")
    check(stored, Rebuilt(network=given, first=False, firsts=(False,)))


def test_a_size_that_it_does_not_take_is_said(tmp_path):
    stored, rebuilt = stored_and_rebuilt(tmp_path)
    lost = dataclasses.replace(stored, source="nowhere:0")
    with pytest.raises((ModelProblem, KeyError)):
        check(lost, rebuilt)
