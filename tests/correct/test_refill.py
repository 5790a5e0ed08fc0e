"""What removed voxels become."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.correct.refill import to_background, to_neighbour

ONE = (1.0, 1.0, 1.0)


def test_background_takes_what_goes_and_nothing_else() -> None:
    labels = np.array([[[1, 2, 3, 4]]], np.uint8)
    assert to_background(labels, np.array([[[0, 1, 0, 2]]], np.int32), ONE).tolist() == [[[1, 0, 3, 0]]]


def test_the_neighbour_with_the_most_faces_takes_it() -> None:
    labels = np.full((5, 5, 5), 2, np.uint8)
    labels[:, :, 3:] = 3
    labels[2, 2, 2] = 1  # five faces to 2, one to 3
    labels[0, 0, 4] = 5  # only three faces, all to 3
    gone = (labels == 1) + 2 * (labels == 5).astype(np.int32)
    after = to_neighbour(labels, gone.astype(np.int32), ONE)
    assert (after[2, 2, 2], after[0, 0, 4]) == (2, 3)
    assert np.array_equal(after[gone == 0], labels[gone == 0])


def test_faces_count_by_their_area() -> None:
    """In thick slices two faces at the sides are more than two above and below."""
    labels = np.full((3, 3, 3), 7, np.uint8)
    labels[1, 1, 1], labels[:, 1, 1][::2], labels[1, 1, ::2], labels[1, ::2, 1] = 1, 4, 5, (4, 5)
    gone = (labels == 1).astype(np.int32)
    assert to_neighbour(labels, gone, ONE)[1, 1, 1] == 4  # three each: the lower id
    assert to_neighbour(labels, gone, (5.0, 1.0, 1.0))[1, 1, 1] == 5
    assert to_neighbour(labels, gone, (0.005, 0.01, 0.01))[1, 1, 1] == 4


def test_what_touches_only_what_goes_becomes_background() -> None:
    labels = np.array([[[1, 2]]], np.uint32)
    assert not to_neighbour(labels, np.array([[[1, 2]]], np.int32), ONE).any()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_as_counted_voxel_by_voxel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.array([0, 1, 2, 2**32 - 1], np.uint32), (4, 4, 4))
    gone = rng.choice(np.array([0, 0, 1, 2], np.int32), labels.shape)
    after = to_neighbour(labels, gone, (2.0, 1.0, 3.0))
    for number in (1, 2):
        area: dict[int, float] = {}
        for place in np.argwhere(gone == number):
            for axis, face in enumerate((3.0, 6.0, 2.0)):
                for step in (-1, 1):
                    near = place.copy()
                    near[axis] += step
                    if 0 <= near[axis] < 4 and gone[tuple(near)] == 0:
                        found = int(labels[tuple(near)])
                        area[found] = area.get(found, 0) + face
        best = min((i for i in area if area[i] > max(area.values()) - 1e-6), default=0)
        assert np.all(after[gone == number] == best)
