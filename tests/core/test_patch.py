from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.patch import read_patch

edges = st.integers(1, 7)
shapes = st.tuples(edges, edges, edges)
margins = st.tuples(*[st.integers(0, 9)] * 3)


class Reader:
    """Reads from an array, and remembers what it was asked for."""

    def __init__(self, shape: Triple) -> None:
        self.values = np.arange(np.prod(shape) * 2, dtype=np.int32).reshape(*shape, 2)
        self.asked: list[Box] = []

    def __call__(self, box: Box) -> np.ndarray:
        self.asked.append(box)
        return self.values[box.slices]


@given(shape=shapes, before=margins, behind=margins)
@settings(deadline=None)
def test_beyond_the_faces_the_nearest_voxel_is_repeated(shape: Triple, before: Triple, behind: Triple) -> None:
    read = Reader(shape)
    box = Box(start=tuple(-n for n in before), stop=tuple(n + m for n, m in zip(shape, behind, strict=True)))
    padded = np.pad(read.values, [*zip(before, behind, strict=True), (0, 0)], mode="edge")
    np.testing.assert_array_equal(read_patch(read, box, shape), padded)
    assert read.asked == [Box.of(shape)]  # only voxels that exist are read


@given(shape=shapes, data=st.data())
@settings(deadline=None)
def test_a_patch_is_the_same_part_of_the_padded_volume(shape: Triple, data: st.DataObject) -> None:
    start = tuple(data.draw(st.integers(-9, n - 1)) for n in shape)
    stop = tuple(data.draw(st.integers(max(a, 0) + 1, n + 9)) for a, n in zip(start, shape, strict=True))
    box = Box(start=start, stop=stop)
    read = Reader(shape)
    padded = np.pad(read.values, [*[(9, 9)] * 3, (0, 0)], mode="edge")
    patch = read_patch(read, box, shape)
    assert patch.dtype == np.int32
    np.testing.assert_array_equal(patch, padded[box.shifted((9, 9, 9)).slices])
    assert read.asked == [box.intersect(Box.of(shape))]


def test_nothing_is_copied_where_nothing_is_padded() -> None:
    read = Reader((4, 5, 6))
    patch = read_patch(read, Box(start=(1, 0, 2), stop=(4, 5, 6)), (4, 5, 6))
    assert np.shares_memory(patch, read.values)
