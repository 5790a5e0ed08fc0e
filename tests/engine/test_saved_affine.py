"""Sums and products with constants come back as batch normalisations, with their statistics, or as rescalings."""

from __future__ import annotations

import numpy as np
import pytest
from keras import layers

from tests.saved_models import FREE, assert_same, conv, kinds, randomised, rebuilt


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "epsilon": 0.01}], ids=str)
def test_a_batch_normalisation(options, tmp_path):
    network = randomised(lambda t: layers.BatchNormalization(**options)(conv(t, 4)))
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Conv3D", "BatchNormalization"]
    assert_same(network, given)


def test_its_statistics_stay(tmp_path):
    network = randomised(lambda t: layers.BatchNormalization(epsilon=0.02)(conv(t, 4)))
    norm = rebuilt(network, tmp_path).layers[-1]
    assert norm.epsilon == pytest.approx(0.02)
    pairs = zip(network.layers[-1].get_weights(), norm.get_weights(), strict=True)
    assert all(np.array_equal(wanted, found) for wanted, found in pairs)


def test_one_number_for_all_is_a_rescaling(tmp_path):
    network = randomised(lambda t: conv(layers.Rescaling(1 / 255, -0.5)(t), 2) * 2.0 - 1.0)
    given = rebuilt(network, tmp_path)
    assert kinds(given) == ["InputLayer", "Rescaling", "Conv3D", "Rescaling"]
    assert_same(network, given)


def test_chains_are_joined_and_stop_where_others_read(tmp_path):
    factors = np.array([1.0, 2.0, -3.0, 0.5], np.float32)

    def function(tensor):
        tensor = (conv(tensor, 4) * factors + 1.0) / 2.0
        return layers.Add()([layers.ReLU()(tensor), -(tensor - factors)])

    network = randomised(function)
    given = rebuilt(network, tmp_path)
    assert kinds(given).count("BatchNormalization") == 2
    assert_same(network, given)


def test_normalised_channels_of_the_input(tmp_path):
    network = randomised(
        lambda t: conv(layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.3])(t), 2), (*FREE[:3], 2)
    )
    given = rebuilt(network, tmp_path)
    assert_same(network, given)
