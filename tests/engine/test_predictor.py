"""A predictor checks what it is given, and turns scores into the ids and probabilities of its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.engine.predictor import NetworkPredictor
from tests.builders import brightness_network, make_card, random_unet

FAR = (LabelClass(id=300, name="far", color="#ffffff"), LabelClass(id=5, name="near", color="#000000"))


def predictor(network=None, **output):
    card = make_card(Path("model.keras"), sha256="0" * 64, output=output)
    return NetworkPredictor(network or brightness_network(), card)


def test_scores_are_the_networks():
    network = random_unet()
    patch = np.random.default_rng(0).normal(size=(6, 8, 10, 1)).astype(np.float32)
    scores = predictor(network).scores(patch)
    assert (scores.shape, scores.dtype) == ((6, 8, 10, 3), np.float32)
    np.testing.assert_allclose(scores, network(patch[None])[0], rtol=1e-5, atol=1e-5)


def test_batch_statistics_are_the_trained_ones():
    # In training mode a patch would be normalised by itself, and a shifted one would score the same.
    patch = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype(np.float32)
    ours = predictor(random_unet())
    assert np.abs(ours.scores(patch) - ours.scores(patch + 3)).max() > 0.1


@pytest.mark.parametrize("shape", [(8, 8, 8), (8, 8, 8, 2), (1, 8, 8, 8, 1)])
def test_a_wrong_patch_is_refused_and_the_next_one_works(shape):
    ours = predictor(random_unet())
    with pytest.raises(ScanMismatch, match="1 channel"):
        ours.scores(np.zeros(shape, np.float32))
    assert ours.scores(np.zeros((8, 8, 8, 1), np.float32)).shape == (8, 8, 8, 3)


def test_the_largest_score_decides_and_ids_are_the_cards():
    scores = np.array([[[[3, 1, 2], [1, 3, 2], [1, 2, 3]]]], np.float32)
    np.testing.assert_array_equal(predictor().decide(scores), [[[0, 3, 7]]])
    np.testing.assert_array_equal(predictor(classes=FAR).decide(scores), [[[0, 300, 5]]])


def test_sigmoid_outputs_need_more_than_a_half():
    scores = np.array([[[[0.4, 0.3], [0.9, 0.6], [0.2, 0.7], [0.5, 0.5]]]], np.float32)
    ours = predictor(activation="sigmoid")
    np.testing.assert_array_equal(ours.decide(scores), [[[0, 3, 7, 0]]])
    np.testing.assert_array_equal(ours.probabilities(scores), scores)


def test_logits_become_probabilities_without_overflow():
    scores = np.array([[[[1000, 1000, -1000], [0, np.log(3), 0]]]], np.float32)
    np.testing.assert_allclose(predictor().probabilities(scores), [[[[0.5, 0], [0.6, 0.2]]]], atol=1e-6)


def test_softmax_outputs_are_taken_as_they_are():
    scores = np.array([[[[0.2, 0.5, 0.3]]]], np.float32)
    np.testing.assert_allclose(predictor(activation="softmax").probabilities(scores), [[[[0.5, 0.3]]]])
