"""Ids and places are found in labels as NumPy and SciPy would find them, and looking can be stopped."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from napari_vol3d.core.seek import ids_in, middle_of_largest


def run(verb: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(verb)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
@given(labels=hnp.arrays(np.int64, st.sampled_from([(3, 4), (2, 3, 4), (2, 2, 3, 4)]), elements=st.integers(0, 127)))
def test_all_ids_but_the_background_are_found(dtype: type, labels: np.ndarray) -> None:
    assert run(ids_in(labels.astype(dtype))) == set(np.unique(labels).tolist()) - {0}


def test_looking_tells_how_far_it_is_and_stops() -> None:
    labels = np.zeros((5, 4, 4), np.uint8)
    assert [(p.done, p.total) for p in ids_in(labels)] == [(k, 5) for k in range(5)]
    looking = ids_in(labels)
    next(looking)
    looking.close()
    with pytest.raises(StopIteration):
        next(looking)


@given(labels=hnp.arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 2)))
def test_the_middle_lies_in_a_largest_object(labels: np.ndarray) -> None:
    middle = run(middle_of_largest(labels, 2))
    numbers, count = ndimage.label(labels == 2, np.ones((3, 3, 3)))
    if not count:
        assert middle is None
        return
    sizes = np.bincount(numbers.ravel())[1:]
    assert numbers[middle] > 0
    assert sizes[numbers[middle] - 1] == sizes.max()


def test_of_a_ball_it_is_the_centre_and_of_a_ring_the_ring() -> None:
    z, y, x = np.ogrid[:20, :21, :22]
    ball = ((z - 8) ** 2 + (y - 9) ** 2 + (x - 12) ** 2 <= 25).astype(np.uint16) * 530
    ball[19, 20, 21] = 530  # a speck far away does not pull the middle off
    assert run(middle_of_largest(ball, 530)) == (8, 9, 12)
    ring = ball * ((y - 9) ** 2 + (x - 12) ** 2 > 9)
    assert ring[run(middle_of_largest(ring, 530))] == 530
