"""A small copy is small enough, holds the averages of what it stands for, and reads a slab at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.coarse import LONGEST, block_for, blocks_of, coarsened, level_for
from napari_vol3d.core.sliced import Sliced
from tests.builders import finish

lengths = st.integers(1, 3000)
spacings = st.floats(0.1, 10)


class Lazy(Sliced):
    """Remembers what was read of it."""

    def __init__(self, data: Any) -> None:
        super().__init__(data.shape, data.dtype)
        self.data = data
        self.largest = 0

    def _part(self, spans: tuple[slice, ...]) -> Any:
        part = self.data[spans]
        self.largest = max(self.largest, part.size)
        return part


@given(st.tuples(lengths, lengths, lengths), st.tuples(spacings, spacings, spacings), st.integers(1, 200**3))
def test_blocks_are_few_enough_and_not_fewer_than_need_be(shape: Any, spacing: Any, most: int) -> None:
    block = block_for(shape, spacing, most)
    blocks = blocks_of(shape, block)
    assert math.prod(blocks) <= most
    assert max(blocks) <= LONGEST
    if block != (1, 1, 1):  # blocks one voxel shorter along one axis would have been too many
        shorter = [[b - (k == axis) for k, b in enumerate(block)] for axis in range(3) if block[axis] > 1]
        more = [blocks_of(shape, one) for one in shorter]
        assert any(math.prod(one) > most or max(one) > LONGEST for one in more)


def test_thick_slices_stay_apart_longest() -> None:
    assert block_for((25, 256, 256), (6.5, 0.8, 0.8), 64**3) == (1, 3, 3)


@pytest.mark.parametrize("block", [(1, 1, 1), (2, 3, 4), (7, 5, 1), (9, 9, 9)])
def test_each_block_is_the_mean_of_its_voxels(block: tuple[int, int, int]) -> None:
    data = np.random.default_rng(0).normal(size=(9, 11, 7)).astype(np.float32)
    coarse = finish(coarsened(data, block))[1]
    assert coarse.shape == blocks_of(data.shape, block)
    for index in np.ndindex(coarse.shape):
        part = data[tuple(slice(i * b, (i + 1) * b) for i, b in zip(index, block, strict=True))]
        assert coarse[index] == pytest.approx(part.mean(), abs=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_short_integers_stay_integers(dtype: Any) -> None:
    data = np.full((4, 4, 4), np.iinfo(dtype).max, dtype)
    coarse = finish(coarsened(data, (2, 2, 2)))[1]
    assert coarse.dtype == dtype
    assert (coarse == np.iinfo(dtype).max).all()


def test_what_is_no_number_is_left_out() -> None:
    data = np.ones((4, 4, 4), np.float32)
    data[0, 0, 0], data[2:, 2:, 2:] = np.nan, np.inf
    coarse = finish(coarsened(data, (2, 2, 2)))[1]
    np.testing.assert_array_equal(coarse, 1)
    assert (finish(coarsened(np.full((2, 2, 2), np.nan), (1, 1, 1)))[1] == 0).all()


def test_a_time_point_is_taken_and_a_slab_read_at_a_time() -> None:
    data = Lazy(np.arange(3 * 8 * 4 * 4, dtype=np.int32).reshape(3, 8, 4, 4))
    coarse = finish(coarsened(data, (2, 2, 2), at=(1,)))[1]
    np.testing.assert_array_equal(coarse, finish(coarsened(data.data[1], (2, 2, 2)))[1])
    assert data.largest == 2 * 4 * 4


def test_the_coarsest_level_that_is_large_enough_is_taken() -> None:
    shapes = [(2, 512, 512, 512), (2, 256, 256, 256), (2, 128, 128, 128), (2, 64, 64, 64)]
    assert level_for(shapes, 128**3) == 2
    assert level_for(shapes, 128**3 + 1) == 1
    assert level_for([(10, 10, 10)], 128**3) == 0
