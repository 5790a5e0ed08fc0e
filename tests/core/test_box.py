from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box

edges = st.tuples(*[st.integers(-5, 12)] * 3)
boxes = st.builds(lambda a, b: Box(start=a, stop=b), edges, edges)
FIELD = 20  # every test box lies within -FIELD..FIELD


def painted(box: Box) -> np.ndarray:
    """Mark the box's voxels one by one."""
    z, y, x = np.indices((2 * FIELD,) * 3) - FIELD
    inside = [(a <= at) & (at < b) for at, a, b in zip((z, y, x), box.start, box.stop, strict=True)]
    return inside[0] & inside[1] & inside[2]


@given(first=boxes, second=boxes)
@settings(deadline=None, max_examples=40)
def test_intersection_holds_exactly_the_common_voxels(first: Box, second: Box) -> None:
    common = first.intersect(second)
    assert np.array_equal(painted(common), painted(first) & painted(second))
    assert common.size == painted(common).sum()
    assert common.size == np.prod(common.shape)


@given(first=boxes, second=boxes)
@settings(deadline=None, max_examples=40)
def test_joining_gives_the_smallest_box_that_holds_both(first: Box, second: Box) -> None:
    both = first.joined(second)
    assert both == second.joined(first)
    assert first.intersect(both) == first
    assert second.intersect(both) == second
    for axis in range(3):  # one slice less on any side would leave a part out
        assert both.start[axis] in (first.start[axis], second.start[axis])
        assert both.stop[axis] in (first.stop[axis], second.stop[axis])


@given(box=boxes, offset=st.tuples(*[st.integers(-4, 4)] * 3))
@settings(deadline=None, max_examples=40)
def test_shifting_back_gives_the_same_box(box: Box, offset: tuple[int, int, int]) -> None:
    z, y, x = offset
    assert box.shifted(offset).shifted((-z, -y, -x)) == box
    assert box.shifted(offset).shape == box.shape


def test_slices_cut_a_volume_and_growing_reaches_past_it() -> None:
    box = Box(start=(1, 2, 0), stop=(3, 4, 2))
    volume = np.arange(5 * 6 * 4).reshape(5, 6, 4)
    assert np.array_equal(volume[box.slices], volume[1:3, 2:4, 0:2])
    assert box.grown((1, 3, 2)) == Box(start=(0, -1, -2), stop=(4, 7, 4))
    assert box.grown((9, 9, 9)).intersect(Box.of((5, 6, 4))) == Box.of((5, 6, 4))


@pytest.mark.parametrize(
    ("point", "expected"),
    [((1, 1, 1), 0), ((0, 0, 0), 0), ((2, 3, 4), 0), ((3, 1, 1), 1), ((-2, 1, 1), 4), ((4, 5, 1), 8)],
)
def test_distance_counts_voxels_to_the_nearest_face(point: tuple[int, int, int], expected: float) -> None:
    assert Box.of((3, 4, 5)).distance2(point) == expected
