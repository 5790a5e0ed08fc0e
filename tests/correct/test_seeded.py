"""Seeds spread along edges, as scikit-image spreads them, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import random_walker, watershed

from napari_vol3d.core.metrics import dice
from napari_vol3d.correct import seeded
from napari_vol3d.correct.seeded import flooded, gradient, walked

ONE = (1.0, 1.0, 1.0)


def noisy_ball(n: int, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give a noisy image of a ball, the ball, and a small seed in its middle with others at the faces."""
    place = np.indices((n, n, n)) - n / 2
    ball = (place**2).sum(axis=0) < (n / 3.5) ** 2
    image = ball + np.random.default_rng(0).normal(0, noise, ball.shape)
    seeds = np.full(ball.shape, 2, np.int32)
    seeds[2:-2, 2:-2, 2:-2] = 0
    seeds[n // 2 - 2 : n // 2 + 2, n // 2 - 2 : n // 2 + 2, n // 2 - 2 : n // 2 + 2] = 1
    return image, ball, seeds


def test_small_boxes_are_those_of_scikit_image() -> None:
    image, _, seeds = noisy_ball(20)
    wanted = random_walker(image / image.std(), seeds, beta=60.0, mode="cg_j", tol=1e-6, spacing=[2.0, 1.0, 1.0])
    found = walked(image, seeds, (1.4, 0.7, 0.7), edges=60.0)  # only proportions count
    assert np.mean(found == wanted) > 0.999


def test_large_boxes_are_as_solved_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image, ball, seeds = noisy_ball(26)
    quick = walked(image, seeds, ONE, edges=100.0)
    monkeypatch.setattr(seeded, "DIRECT", image.size)
    whole = walked(image, seeds, ONE, edges=100.0)
    assert (dice(quick == 1, ball) or 0) > 0.97
    assert (dice(quick == 1, whole == 1) or 0) > 0.97


def test_a_kind_that_has_no_border_to_find_does_not_shift_the_others() -> None:
    """All around 2 and 3 is known, so that only 1 and 4 are left to the solver."""
    image = np.zeros((12, 20, 40))
    image[..., 20:] = 1.0
    seeds = np.full(image.shape, 1, np.int32)
    seeds[2:10, 2:18, 10:30] = 0
    seeds[4:8, 6:14, 14:26], seeds[0, 0, 0], seeds[..., 39] = 4, 2, 3
    found = walked(image, seeds, ONE, edges=60.0)
    assert set(np.unique(found)) == {1, 2, 3, 4}
    assert set(np.unique(found[3:9, 3:17, 11:29])) == {1, 4}
    assert found[6, 10, 26] == 4


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), shape=st.tuples(*[st.integers(1, 13)] * 3), direct=st.sampled_from([1, 60, 5000]))
def test_seeds_stay_and_nothing_is_left_over(seed: int, shape: tuple[int, int, int], direct: int) -> None:
    """Whatever the shape, and however often it is halved."""
    rng = np.random.default_rng(seed)
    image = rng.random(shape)
    seeds = rng.choice(np.array([0, 0, 0, 0, 1, 2, 3], np.int32), shape)
    seeds.flat[0] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeded, "DIRECT", max(direct, 1))
        found = walked(image, seeds, (2.0, 1.0, 0.6), edges=60.0)
        again = walked(image, seeds, (2.0, 1.0, 0.6), edges=60.0)
    flood = flooded(image + 1e-9 * np.arange(image.size).reshape(shape), seeds, ONE, sigma=1.0, compactness=0.05)
    for result in (found, flood):
        assert result.shape == shape
        assert set(np.unique(result)) <= set(np.unique(seeds[seeds > 0]).tolist())
        assert np.array_equal(result[seeds > 0], seeds[seeds > 0])
    assert np.array_equal(found, again)


def test_where_fine_structure_averages_out_the_nearest_seed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    board = np.indices((8, 8, 8)).sum(axis=0) % 2.0
    seeds = np.zeros(board.shape, np.int32)
    seeds[..., 0], seeds[..., -1] = 1, 2
    monkeypatch.setattr(seeded, "DIRECT", 64)
    found = walked(board, seeds, ONE, edges=60.0)
    assert (found[..., :2] == 1).all()
    assert (found[..., -2:] == 2).all()


def test_without_compactness_it_is_the_plain_watershed() -> None:
    image, _, seeds = noisy_ball(20)
    wanted = watershed(gradient(image / image.std(), ONE, sigma=1.0), seeds)
    assert np.array_equal(flooded(image, seeds, ONE, sigma=1.0, compactness=0.0), wanted)


def test_a_step_is_found_between_two_seeds() -> None:
    image = np.zeros((8, 10, 30))
    image[..., 17:] = 1.0  # not in the middle between the seeds
    seeds = np.zeros(image.shape, np.int32)
    seeds[4, 5, 2], seeds[4, 5, 27] = 1, 2
    for found in (
        walked(image, seeds, (3.0, 1.0, 1.0), edges=130.0),
        flooded(image, seeds, (3.0, 1.0, 1.0), sigma=0.5, compactness=0.01),
    ):
        assert (found[..., :16] == 1).all()
        assert (found[..., 18:] == 2).all()


def test_the_gradient_is_per_mm() -> None:
    z, _, x = np.indices((12, 5, 20)).astype(float)
    slope = gradient(2.0 * 3.0 * z + 0.5 * x, (3.0, 1.0, 0.25), sigma=1e-3)
    np.testing.assert_allclose(slope, np.hypot(2.0, 2.0))
    np.testing.assert_allclose(gradient(x[:1], (3.0, 1.0, 0.5), sigma=1e-3), 2.0)  # of one slice
