"""The loss is what its docstring says, and voxels that do not count do not count."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from napari_vol3d.core.labels import IGNORE
from napari_vol3d.engine.losses import SMOOTH, dice_and_cross_entropy, supervised_deeply

SHAPE = (2, 4, 5, 6)


def example(*, ignored: bool = False, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, SHAPE).astype(np.int32)
    if ignored:
        labels[rng.random(SHAPE) < 0.3] = IGNORE
    return labels, rng.normal(0, 2, (*SHAPE, 3)).astype(np.float32)


def by_hand(labels: np.ndarray, logits: np.ndarray) -> float:
    """The same in NumPy, voxel lists instead of tensors."""
    counted = labels.ravel() != IGNORE
    ids = labels.ravel()[counted]
    scores = logits.reshape(-1, logits.shape[-1])[counted].astype(np.float64)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    entropy = -np.log(probabilities[np.arange(len(ids)), ids]).mean()
    dices = []
    for k in range(1, logits.shape[-1]):
        if (ids == k).any():
            overlap = probabilities[ids == k, k].sum()
            dices.append((2 * overlap + SMOOTH) / (probabilities[:, k].sum() + (ids == k).sum() + SMOOTH))
    return entropy + 1 - (np.mean(dices) if dices else 0.0)


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_agrees_with_numpy(ignored, seed):
    labels, logits = example(ignored=ignored, seed=seed)
    assert float(dice_and_cross_entropy(labels, logits)) == pytest.approx(by_hand(labels, logits), rel=1e-5)


def test_a_perfect_prediction_costs_nothing():
    labels, _ = example()
    logits = 40.0 * np.eye(3, dtype=np.float32)[labels]
    assert float(dice_and_cross_entropy(labels, logits)) == pytest.approx(0, abs=1e-5)


def test_the_worst_prediction_costs_much():
    labels, _ = example()
    wrong = 40.0 * np.eye(3, dtype=np.float32)[(labels + 1) % 3]
    assert float(dice_and_cross_entropy(labels, wrong)) > 30


def test_ignored_voxels_have_no_gradient():
    labels, logits = example(ignored=True)
    with tf.GradientTape() as tape:
        variable = tf.Variable(logits)
        loss = dice_and_cross_entropy(tf.constant(labels), variable)
    gradient = tape.gradient(loss, variable).numpy()
    assert (gradient[labels == IGNORE] == 0).all()
    assert (np.abs(gradient[labels != IGNORE]).sum(axis=-1) > 0).all()


def test_an_absent_class_is_left_out_of_the_dice():
    labels, logits = example()
    labels[labels == 2] = 0
    assert float(dice_and_cross_entropy(labels, logits)) == pytest.approx(by_hand(labels, logits), rel=1e-5)


@pytest.mark.parametrize("only", [0, IGNORE])
def test_a_patch_without_foreground_gives_a_number(only):
    labels = np.full(SHAPE, only, np.int32)
    assert np.isfinite(float(dice_and_cross_entropy(labels, example()[1])))


def test_deep_supervision_weighs_the_heads():
    labels = np.random.default_rng(0).integers(0, 3, (1, 8, 8, 8)).astype(np.int32)
    rng = np.random.default_rng(1)
    heads = [rng.normal(size=(1, *[8 >> level] * 3, 3)).astype(np.float32) for level in range(3)]
    losses = [by_hand(labels[:, :: 2**k, :: 2**k, :: 2**k], head) for k, head in enumerate(heads)]
    expected = (losses[0] + losses[1] / 2 + losses[2] / 4) / 1.75
    assert float(supervised_deeply(tf.constant(labels), heads)) == pytest.approx(expected, rel=1e-5)
