"""Lazy voxels slice as arrays do, and nothing more of them is read than what is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.sliced import Late, Moved, Taken, moved, some_planes, taken
from tests.core.watched import Watched

DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
PARTS = st.one_of(
    st.slices(7), st.integers(-5, 4), st.slices(3), st.builds(slice, st.none(), st.none(), st.sampled_from((-1, -2, 3)))
)


@given(index=st.lists(PARTS, max_size=3), dots=st.integers(0, 3), axes=st.permutations(range(3)))
def test_lazy_voxels_are_sliced_as_an_array_is(index: list[Any], dots: int, axes: list[int]) -> None:
    lazy, meant = moved(Watched(DATA), axes), DATA.transpose(axes)
    assert (lazy.shape, lazy.size, lazy.nbytes, lazy.ndim, len(lazy), lazy.dtype) == (
        meant.shape, meant.size, meant.nbytes, 3, len(meant), meant.dtype,
    )  # fmt: skip
    for asked in (tuple(index), (*index[:dots], ..., *index[dots:])):
        found = lazy[asked]
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, meant[asked])
    assert np.asarray(lazy, dtype=np.float32).dtype == np.float32


@given(first=st.lists(st.slices(7), max_size=3), index=st.lists(PARTS, max_size=3))
def test_a_box_of_lazy_voxels_is_a_box_of_the_array(first: list[Any], index: list[Any]) -> None:
    """A part of a part, whatever it is, is what NumPy would give."""
    meant = DATA[tuple(first)]
    box = Late(Watched(DATA))[tuple(first)]
    assert box.shape == meant.shape
    try:
        wanted = meant[tuple(index)]
    except IndexError:
        return
    np.testing.assert_array_equal(np.asarray(box[tuple(index)]), wanted)
    np.testing.assert_array_equal(np.asarray(box), meant)


def test_of_a_box_only_the_plane_is_read() -> None:
    """As napari asks for it: the frame through all planes, then one of them."""
    watched = Watched(DATA)
    frame = Late(watched)[:, 1:4, 2:6]
    assert watched.read == 0
    np.testing.assert_array_equal(frame[3, :, :], DATA[3, 1:4, 2:6])
    assert watched.read == 12


@pytest.mark.parametrize("index", [(0, 0, 0, 0), (5,), (0, -8), (..., ...), (None,), ([0, 1],), ("a",)])
def test_other_indices_are_refused(index: Any) -> None:
    with pytest.raises((IndexError, TypeError)):
        Watched(DATA)[index]
    with pytest.raises(ValueError, match="copied"):
        np.asarray(Watched(DATA), copy=False)


def test_one_slice_of_moved_voxels_reads_one_slice() -> None:
    series = Watched(np.arange(3 * 4 * 5 * 2 * 6).reshape(3, 4, 5, 2, 6))
    shown = moved(series, (4, 3, 0, 1, 2))
    assert series.read == 0
    np.testing.assert_array_equal(shown[5, 1, 2], series.data[2, :, :, 1, 5])
    assert series.read == 20


def test_moving_back_gives_the_very_voxels() -> None:
    lazy = Watched(DATA)
    there = moved(lazy, (2, 0, 1))
    assert isinstance(there, Moved)
    assert moved(there, (1, 2, 0)) is lazy
    assert moved(DATA, (0, 1, 2)) is DATA
    assert np.shares_memory(moved(DATA, (2, 0, 1)), DATA)


@pytest.mark.parametrize(("length", "most", "wanted"), [(5, 16, [0, 1, 2, 3, 4]), (5, 3, [0, 2, 4]), (1, 3, [0])])
def test_some_planes_are_spread_evenly(length: int, most: int, wanted: list[int]) -> None:
    lazy = Watched(DATA[:length])
    np.testing.assert_array_equal(some_planes(lazy, most), DATA[wanted])
    assert lazy.read == len(wanted) * 42


def test_of_a_long_series_only_three_moments_are_looked_at() -> None:
    lazy = Watched(np.arange(50 * 4 * 5 * 6).reshape(50, 4, 5, 6))
    np.testing.assert_array_equal(
        some_planes(lazy, 2, thin=2), lazy.data[[0, 25, 49]][:, [0, 3], ::2, ::2].reshape(6, 3, 3)
    )
    assert lazy.read == 3 * 2 * 30


@given(first=st.one_of(st.integers(-4, 3), st.slices(4)), second=st.one_of(st.integers(-4, 3), st.slices(4)),
       axis=st.integers(0, 2), index=st.integers(0, 3))  # fmt: skip
def test_one_index_of_an_axis_is_taken(first: object, second: object, axis: int, index: int) -> None:
    data = np.arange(64).reshape(4, 4, 4)
    lazy = taken(Moved(data, (0, 1, 2)), axis, index)
    assert isinstance(lazy, Taken)
    np.testing.assert_array_equal(lazy[first, second], data.take(index, axis=axis)[first, second])
