"""Slices are said in runs, and what is said can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.gui.forms.slice_words import runs, slices_in_words


@given(st.sets(st.integers(0, 60)))
def test_runs_name_exactly_the_numbers(numbers: set[int]) -> None:
    read: list[int] = []
    for part in runs(numbers).split(", ") if numbers else ():
        first, _, last = part.partition("-")
        read += range(int(first), int(last or first) + 1)
    assert read == sorted(numbers)


@pytest.mark.parametrize(
    ("axis", "slices", "words"), [(0, [16, 12, 13, 14], "z 12-14, 16"), (1, [3], "y 3"), (2, [5, 6, 6], "x 5-6")]
)
def test_the_axis_is_named(axis: int, slices: list[int], words: str) -> None:
    assert slices_in_words(axis, slices) == words
