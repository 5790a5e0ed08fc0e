"""A coverage says of every voxel whether it is final, however boxes overlap."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.coverage import Coverage

SPACE = (7, 6, 5)
MARGIN = (3, 3, 3)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Boxes in and around a small space, empty ones too."""
    starts = [draw(st.integers(-2, n)) for n in SPACE]
    stops = [draw(st.integers(start, n + 2)) for start, n in zip(starts, SPACE, strict=True)]
    return Box(start=tuple(starts), stop=tuple(stops))


def painted(some: list[Box]) -> np.ndarray:
    """How many of the boxes hold each voxel."""
    times = np.zeros([n + 2 * m for n, m in zip(SPACE, MARGIN, strict=True)], int)
    for box in some:
        times[box.shifted(MARGIN).slices] += 1
    return times


@given(known=st.lists(boxes(), max_size=6), asked=boxes(), at_once=st.booleans())
def test_the_rest_is_each_voxel_that_no_box_holds_once(known: list[Box], asked: Box, at_once: bool) -> None:
    coverage = Coverage(known if at_once else ())
    for box in () if at_once else known:
        coverage.add(box)
    rest = coverage.rest(asked)
    assert bool(coverage) == bool(known)
    assert all(box.size for box in rest)
    np.testing.assert_array_equal(painted(rest), (painted([asked]) > 0) & (painted(known) == 0))


def test_a_box_around_which_nothing_is_known_stays_whole() -> None:
    coverage = Coverage([Box(start=(5, 0, 0), stop=(9, 9, 9))])
    box = Box.of((5, 9, 9))
    assert coverage.rest(box) == [box]
    coverage.add(box)
    assert coverage.rest(box) == []
    assert coverage.rest(Box.of((9, 9, 9))) == []
