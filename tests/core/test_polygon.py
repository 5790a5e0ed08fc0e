"""A polygon holds the pixels that another library finds in it, in a hundredth of the time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.draw import polygon

from napari_vol3d.core.polygon import fill_polygon

corner = st.tuples(st.integers(-4, 14), st.integers(-3, 13))
fraction = st.tuples(st.floats(-4, 14).map(lambda v: round(v, 2)), st.floats(-3, 13).map(lambda v: round(v, 2)))


def by_skimage(points, shape) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[polygon(*np.transpose(points), shape=shape)] = True
    return mask


def winding_free(points, place) -> bool | None:
    """Even-odd rule, one ray at a time; None on an edge."""
    inside = False
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        cross = (x1 - x0) * (place[1] - y0) - (y1 - y0) * (place[0] - x0)
        within = min(x0, x1) <= place[0] <= max(x0, x1) and min(y0, y1) <= place[1] <= max(y0, y1)
        if abs(cross) < 1e-9 and within:
            return None
        if (y0 > place[1]) != (y1 > place[1]) and place[0] < x0 + (place[1] - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


@given(st.lists(st.one_of(corner, fraction), min_size=3, max_size=9))
def test_even_and_odd_decide_and_edges_belong_to_it(points):
    filled = fill_polygon(np.array(points, float), (11, 10))
    for place in np.ndindex(11, 10):
        assert filled[place] == (winding_free(points, place) is not False), place


@pytest.mark.parametrize("seed", range(5))
def test_as_scikit_image_does(seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 60))
    points = rng.uniform(15, 45, 60)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + (40, 30)
    np.testing.assert_array_equal(fill_polygon(points, (90, 65)), by_skimage(points, (90, 65)))


def test_degenerate_polygons_are_their_edges():
    line = np.array([(1.0, 1.0), (4.0, 4.0), (1.0, 1.0)])
    np.testing.assert_array_equal(fill_polygon(line, (6, 6)), np.diag([0, 1, 1, 1, 1, 0]).astype(bool))
    assert not fill_polygon(line + 100, (6, 6)).any()
    assert fill_polygon(line, (0, 6)).shape == (0, 6)
    assert fill_polygon(np.array([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)]), (6, 6)).all()
