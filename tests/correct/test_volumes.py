"""Scores shifted until each class wins as many voxels as it had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_vol3d.correct.volumes import keeping_volumes


def won(scores: np.ndarray, added: np.ndarray) -> np.ndarray:
    return np.bincount((scores + added[:, None]).argmax(axis=0), minlength=len(scores))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(2, 6))
def test_each_class_gets_its_number_of_voxels(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 1, (rows, 3000)).astype(np.float32)
    now = rng.choice(rows, 3000, p=rng.dirichlet(np.full(rows, 3.0)))
    added = keeping_volumes(scores, now)
    wanted = np.bincount(now, minlength=rows)
    assume(np.any(np.abs(won(scores, np.zeros(rows)) - wanted) > 10))  # else it would have fitted without
    assert added[0] == 0
    assert np.all(np.abs(won(scores, added) - wanted)[1:] <= np.maximum(1, 0.01 * wanted[1:]))


def test_voxels_that_may_choose_one_class_only_count_too() -> None:
    scores = np.random.default_rng(1).uniform(0, 1, (2, 1000)).astype(np.float32)
    now = np.repeat([0, 1], 500)
    scores[1, :300] = scores[0, 900:] = -np.inf
    added = keeping_volumes(scores, now)
    assert abs(int(won(scores, added)[1]) - 500) <= 1


@pytest.mark.parametrize(("tied", "wanted", "expected"), [(90, 40, 10), (90, 70, 100), (2, 99, 100)])
def test_equal_scores_go_together(tied: int, wanted: int, expected: int) -> None:
    """A flat face moves as a whole or not at all, whichever is nearer: it is not speckled."""
    scores = np.zeros((2, 200), np.float32)
    scores[0] = 0.5
    scores[1, :100] = 0.3
    scores[1, : 100 - tied] = 0.4
    now = np.repeat([1, 0], [wanted, 200 - wanted])
    assert won(scores, keeping_volumes(scores, now))[1] == expected


@pytest.mark.parametrize("owned", [0, 50])
def test_a_class_may_have_none_or_all(owned: int) -> None:
    scores = np.full((2, 50), 0.5, np.float32)
    now = np.repeat([1, 0], [owned, 50 - owned])
    assert won(scores, keeping_volumes(scores, now))[1] == owned
