"""What lies inside a line and what lies outside share the volume between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.lasso import give_inside, give_outside
from napari_vol3d.correct.limits import Limits

SHAPE = (7, 9, 8)
SQUARE = ((2.0, 2.0), (2.0, 5.5), (6.0, 5.5), (6.0, 2.0))


def some(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.uint8)


def drawn(axis: int, index: float, corners: tuple[tuple[float, float], ...]) -> list[tuple[float, float, float]]:
    points = [np.insert(corner, axis, index).tolist() for corner in corners]
    return [(z, y, x) for z, y, x in points]


def after(labels: NDArray[np.uint8], edit: object) -> NDArray[np.uint8]:
    done = labels.copy()
    if edit is not None:
        edit.apply(done)  # type: ignore[attr-defined]
    return done


# Hundredths of a voxel: nobody draws finer.
PLACES = st.tuples(*[st.integers(-300, 1200).map(lambda hundredths: hundredths / 100)] * 2)


@given(st.integers(0, 99), st.integers(0, 2), st.lists(PLACES, min_size=3, max_size=9))
def test_inside_and_outside_make_the_whole(seed: int, axis: int, corners: list[tuple[float, float]]) -> None:
    labels, line = some(seed), drawn(axis, 3, tuple(corners))
    inner = after(labels, give_inside(labels, line, class_id=0, axis=axis))
    outer = after(labels, give_outside(labels, line, class_id=0, axis=axis))
    assert not (inner.astype(bool) & outer.astype(bool)).any()
    assert np.array_equal(inner + outer, labels)
    # Straight through the slices: whether a voxel stays depends only on where it is in its slice.
    gone = (inner == 0) & (labels > 0)
    assert not (gone.any(axis=axis, keepdims=True) & (inner > 0)).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_only_classes_and_slices_that_are_meant(axis: int) -> None:
    labels = some(3)
    found = after(labels, give_inside(labels, drawn(axis, 3, SQUARE), class_id=9, of=[1, 2], axis=axis, slices=(3, 5)))
    inside = np.zeros(SHAPE, bool)
    part = [slice(2, 7), slice(2, 6)]
    part.insert(axis, slice(3, 5))
    inside[tuple(part)] = True
    assert np.array_equal(found, np.where(inside & np.isin(labels, (1, 2)), 9, labels))


def test_limits_hold_and_a_background_that_is_meant_is_filled() -> None:
    labels = some(4)
    line = drawn(0, 3, SQUARE)
    held = Limits(locked=frozenset({3}))
    found = after(labels, give_inside(labels, line, class_id=2, of=[0, 3], axis=0, limits=held))
    inside = np.zeros(SHAPE, bool)
    inside[:, 2:7, 2:6] = True
    assert np.array_equal(found, np.where(inside & (labels == 0), 2, labels))


def test_where_nothing_is_there_is_no_edit() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    assert give_inside(labels, drawn(0, 3, SQUARE), class_id=1, axis=0) is None
    assert give_outside(labels, drawn(0, 3, SQUARE), class_id=1, axis=0) is None
    assert give_inside(some(1), drawn(0, 3, ((20, 20), (20, 30), (30, 30))), class_id=0, axis=0) is None
    assert give_inside(some(1), drawn(0, 3, SQUARE), class_id=0, axis=0, slices=(8, 12)) is None
    with pytest.raises(Vol3dError, match="three points"):
        give_inside(labels, drawn(0, 3, SQUARE[:2]), class_id=0, axis=0)
