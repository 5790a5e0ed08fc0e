"""Figures on their way from one slice to another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.correct.morph import passages, signed_distance

SPACING = (1.0, 0.5)
SHAPE = (40, 90)


def disc(v: float, u: float, radius: float) -> np.ndarray:
    """A disc in mm around (v, u) mm."""
    rows, columns = np.indices(SHAPE)
    return np.asarray((rows * SPACING[0] - v) ** 2 + (columns * SPACING[1] - u) ** 2 <= radius**2)


def at(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    heights = np.full(first.shape, -np.inf, np.float32)
    for passage in passages(first, second, SPACING):
        passage.write(share, heights)
    return heights


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.floats(0.5, 3.0))
def test_at_both_ends_it_is_what_was_drawn(seed: int, size: float) -> None:
    """However many parts there are, whichever belong together, and also where they touch the border of the slice."""
    rng = np.random.default_rng(seed)
    first, second = (ndimage.gaussian_filter(rng.normal(size=(24, 30)), size) > 0.05 / size for _ in range(2))
    np.testing.assert_array_equal(at(first, second, 0.0) >= 0, first)
    np.testing.assert_array_equal(at(first, second, 1.0) >= 0, second)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0, 1))
def test_where_nothing_moves_it_is_the_plain_blend_of_distances(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    inner = disc(20, 22, 6) & (ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5) > -0.1)
    inner = ndimage.label(inner, np.ones((3, 3)))[0] == 1
    outer = disc(20, 22, 12)
    if not inner.any():
        return
    blend = (1 - share) * signed_distance(inner, SPACING) + share * signed_distance(outer, SPACING)
    found = at(inner, outer, share)
    np.testing.assert_allclose(found[outer], blend[outer], atol=1e-3)
    np.testing.assert_array_equal(found[~outer] >= 0, blend[~outer] >= 0)


@pytest.mark.parametrize("apart", [0.0, 4.3, 9.0, 19.0, 26.4])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_a_disc_that_moves_stays_a_disc(apart: float, share: float) -> None:
    """Whether it overlaps with where it was or not; one that gets larger passes through the sizes between."""
    found = at(disc(12, 9, 6), disc(12 + apart / 3, 9 + apart, 6), share) >= 0
    assert dice(found, disc(12 + share * apart / 3, 9 + share * apart, 6)) > 0.94
    found = at(disc(12, 9, 4), disc(12 + apart / 3, 9 + apart, 8), share) >= 0
    assert dice(found, disc(12 + share * apart / 3, 9 + share * apart, 4 + 4 * share)) > 0.9


def test_a_figure_that_grows_an_arm_stays_where_it_is() -> None:
    body = disc(15, 12, 7)
    arm = body | ((np.indices(SHAPE)[0] > 13) & (np.indices(SHAPE)[0] < 18) & (np.indices(SHAPE)[1] < 85))
    arm &= np.indices(SHAPE)[1] > 20
    arm |= body
    ways = list(passages(body, arm, SPACING))
    assert [passage.way for passage in ways] == [(0.0, 0.0)]
    assert ways[0].overlaps
    assert (at(body, arm, 0.5) >= 0)[body].all()


def test_one_part_branches_into_two() -> None:
    trunk, branches = disc(20, 22, 8), disc(20, 16, 4) | disc(20, 29, 4)
    assert len(list(passages(trunk, branches, SPACING))) == 1
    areas = [np.count_nonzero(at(trunk, branches, share) >= 0) for share in np.linspace(0, 1, 7)]
    assert areas == sorted(areas, reverse=True)
    assert ndimage.label(at(trunk, branches, 0.05) >= 0)[1] == 1
    assert ndimage.label(at(trunk, branches, 0.95) >= 0)[1] == 2


def test_parts_go_to_the_nearest_and_not_through_each_other() -> None:
    """Two tubes that run side by side, each too steep to overlap with itself."""
    first, second = disc(8, 6, 3) | disc(30, 6, 3), disc(8, 16, 3) | disc(30, 16, 3)
    found = at(first, second, 0.5) >= 0
    assert dice(found, disc(8, 11, 3) | disc(30, 11, 3)) > 0.94


def test_what_stays_alone_ends_half_way() -> None:
    """Also where another part is in the other slice, but too far away to be the same."""
    alone, nothing = disc(10, 8, 5), np.zeros(SHAPE, bool)
    for first, second in ((alone, nothing), (alone | disc(30, 8, 4), disc(30, 8, 4)),
                          (alone | disc(30, 8, 4), disc(30, 8, 4) | disc(5, 42, 2))):  # fmt: skip
        upper = np.indices(SHAPE)[0] < 20
        upper &= np.indices(SHAPE)[1] < 50
        areas = [np.count_nonzero((at(first, second, share) >= 0) & upper) for share in (0.1, 0.3, 0.45, 0.55, 0.9)]
        back = [np.count_nonzero((at(second, first, 1 - share) >= 0) & upper) for share in (0.1, 0.3, 0.45, 0.55, 0.9)]
        assert areas == back
        assert areas[0] > areas[1] > areas[2] > 0
        assert areas[3:] == [0, 0]


def test_nothing_on_either_side_goes_nowhere() -> None:
    nothing = np.zeros(SHAPE, bool)
    assert list(passages(nothing, nothing, SPACING)) == []
