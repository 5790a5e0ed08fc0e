"""A name says what was done to which class where; a person finds the step again by it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.correct.naming import LETTERS, SEVERAL, name_change, name_class, name_slices

NAMES = {1: "anterior", 2: "posterior"}


def edit(before: list[int], after: list[int]) -> Edit:
    """A row along x of the slice z 4."""
    old, new = (np.array(ids, np.uint16).reshape(1, 1, -1) for ids in (before, after))
    made = Edit.between("", old, new, start=(4, 5, 6))
    assert made is not None
    return made


@pytest.mark.parametrize(("class_id", "name"), [(1, "anterior"), (7, "class 7"), (0, "background")])
def test_a_class_has_its_name_or_its_number(class_id: int, name: str) -> None:
    assert name_class(class_id, NAMES) == name


@given(start=st.tuples(*[st.integers(0, 500)] * 3), shape=st.tuples(*[st.integers(1, 90)] * 3))
def test_slices_are_those_along_the_thinnest_axis(
    start: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:  # fmt: skip
    z, y, x = (a + n for a, n in zip(start, shape, strict=True))
    letter, _, span = name_slices(Box(start=start, stop=(z, y, x))).partition(" ")
    axis = LETTERS.index(letter)
    assert shape[axis] == min(shape)
    first, _, last = span.partition("-")
    assert int(first) == start[axis]
    assert int(last or first) == start[axis] + shape[axis] - 1
    assert bool(last) == (shape[axis] > 1)


@pytest.mark.parametrize(("before", "after", "name"), [
    ([0, 0], [1, 1], "Paint anterior, z 4"),
    ([2, 1], [7, 7], "Paint class 7, z 4"),
    ([0, 0], [1, 2], f"Paint {SEVERAL}, z 4"),
    ([2, 2], [0, 0], "Erase posterior, z 4"),
    ([1, 2], [0, 0], f"Erase {SEVERAL}, z 4"),
    ([1, 1, 1, 0], [0, 0, 0, 1], "Paint anterior, z 4"),  # an edge that went in more than it came out
    ([1, 0, 2], [2, 0, 2], "Paint posterior, z 4"),  # what stays is not counted
])  # fmt: skip
def test_a_change_is_named_by_the_class_that_gains_or_else_by_what_was_taken_away(
    before: list[int], after: list[int], name: str
) -> None:
    assert name_change("Paint", edit(before, after), NAMES) == name
