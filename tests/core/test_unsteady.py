"""The score by what a model says of altered scans: Dice as the metrics give it, and in the order of what changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.metrics import compare_labels
from napari_vol3d.core.plausible import Outlier
from napari_vol3d.core.unsteady import mean_dice, unsteady_score


def block(offset: int = 0) -> np.ndarray:
    labels = np.zeros((16, 18, 20), np.uint8)
    labels[4:12, 4:9, 4 + offset : 12 + offset] = 1
    labels[4:12, 9:14, 4 + offset : 12 + offset] = 7
    return labels


@given(seed=st.integers(0, 10_000), kind=st.sampled_from([np.uint8, np.uint16]))
@settings(deadline=None, max_examples=40)
def test_dice_is_the_mean_of_the_classes_that_either_has(seed: int, kind) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.choice([0, 0, 1, 2, rng.integers(3, 200)], (6, 7, 8)).astype(kind) for _ in range(2))
    wanted = np.mean([figures.dice for figures in compare_labels(first, second, (1.0, 1.0, 1.0))])
    assert mean_dice(first, second) == pytest.approx(wanted)
    assert mean_dice(second, first) == mean_dice(first, second)


def test_the_more_labels_change_the_higher_the_score() -> None:
    scores = [unsteady_score(block(), [block(), block(shift)]) for shift in (0, 1, 2, 5)]
    assert scores[0] == 0.0
    assert scores == sorted(set(scores))
    assert scores[-1] < 1.0
    assert unsteady_score(block(), [block(1), block(5)]) == unsteady_score(block(), [block(5), block(1)])


def test_outliers_add_a_little() -> None:
    far = [Outlier(words="", class_id=1, sigma=-8.0)]
    plain = unsteady_score(block(), [block(1)])
    assert plain < unsteady_score(block(), [block(1)], outliers=far) < plain + 0.02


def test_nothing_labelled_deserves_the_first_look() -> None:
    nothing = np.zeros((4, 4, 4), np.uint8)
    assert unsteady_score(nothing, [nothing]) == 1.0
    assert mean_dice(nothing, nothing) == 1.0
    assert unsteady_score(block(), [np.zeros_like(block())]) > 0.99


@pytest.mark.parametrize("others", [[], [np.zeros((2, 2, 2), np.uint8)]])
def test_nothing_to_compare_with_is_refused(others) -> None:
    with pytest.raises(ScanMismatch, match="need others of their shape"):
        unsteady_score(block(), others)
