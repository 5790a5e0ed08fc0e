"""Planes that are read ahead are the planes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.sliced import Sliced
from napari_vol3d.gui.bench.ahead import KEPT, Ahead
from tests.core.watched import Watched

DATA = np.arange(2 * 40 * 9 * 11, dtype=np.int16).reshape(2, 40, 9, 11)


def rested(ahead: Ahead) -> Ahead:
    """Wait until nothing is being read."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon and "_load" in thread.name:
            thread.join()
    return ahead


@settings(max_examples=40, deadline=None)
@given(
    axis=st.integers(0, 2), way=st.lists(st.integers(0, 39), min_size=1, max_size=30), time=st.integers(0, 1),
    wait=st.booleans(),
)  # fmt: skip
def test_any_way_through_the_planes_gives_the_planes(axis: int, way: list[int], time: int, wait: bool) -> None:
    """Whether or not they were prepared."""
    ahead = Ahead(DATA, axis)
    for at in way:
        index: list[Any] = [time, slice(None), slice(None), slice(None)]
        index[axis + 1] = at % DATA.shape[axis + 1]
        np.testing.assert_array_equal(ahead[tuple(index)], DATA[tuple(index)])
        if wait:
            rested(ahead)
    assert len(ahead._blocks) <= KEPT


def test_other_parts_are_read_as_they_are() -> None:
    """A box, a thinned plane, some planes together, everything."""
    ahead = Ahead(DATA[0], 2)
    for index in ((slice(2, 9), slice(1, 5), slice(3, 4)), (..., slice(None, None, 2)), (3,), (slice(None),) * 3):
        np.testing.assert_array_equal(ahead[index], DATA[0][index])


def test_the_next_planes_are_there_before_they_are_asked_for() -> None:
    """After a few slices of a lazy volume nothing more is read from it by who asks."""
    lazy = Watched(DATA[0])
    ahead = Ahead(lazy, 0)
    for at in range(12):
        ahead[at]
        rested(ahead)
    asked_by: list[threading.Thread] = []

    class Listening(Sliced):
        def _part(self, spans: tuple[slice, ...]) -> np.ndarray:
            asked_by.append(threading.current_thread())
            return lazy._part(spans)

    ahead.data = Listening(lazy.shape, lazy.dtype)
    for at in range(12, 40):
        np.testing.assert_array_equal(ahead[at], DATA[0, at])
        rested(ahead)
    assert asked_by
    assert threading.current_thread() not in asked_by


def test_what_was_written_is_seen_after_forgetting() -> None:
    """A block that was still being read is not kept either."""
    data = np.zeros((40, 5, 6), np.uint8)
    ahead = Ahead(data, 2)
    ahead[..., 3]
    rested(ahead)
    data[...] = 7
    ahead.forget()
    assert (ahead[..., 3] == 7).all()
    assert (rested(ahead)[..., 3] == 7).all()


def test_a_file_that_is_gone_is_told_to_who_asks() -> None:
    """The thread keeps quiet, and nothing hangs."""

    class Gone(Sliced):
        def _part(self, spans: tuple[slice, ...]) -> np.ndarray:
            raise OSError("gone")

    ahead = Ahead(Gone((40, 5, 6), np.uint8), 0)
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            ahead[4]
        rested(ahead)


def test_large_planes_make_small_blocks() -> None:
    """A block has some megabytes, and one plane at least."""
    assert Ahead(np.empty((3, 5000, 5000), np.uint16), 0).planes == 1
    assert Ahead(np.empty((512, 64, 64), np.uint8), 0).planes == 16
