"""Free ids are those that neither a voxel nor a name has, and the type holds."""

from __future__ import annotations

from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.gui.correct.tools.free_ids import free_ids


@given(st.sets(st.integers(0, 255)), st.sets(st.integers(1, 255)))
def test_all_that_are_free_and_no_others(used: set[int], known: set[int]) -> None:
    labels = np.zeros((2, 8, 16), np.uint8)
    labels.ravel()[: len(used)] = list(used)
    found = list(free_ids(labels, known))
    assert sorted(found) == sorted(set(range(1, 256)) - used - known)
    top = max(used | known | {0})
    assert found[: 255 - top] == list(range(top + 1, 256))  # first those above


def test_ids_of_wide_types_are_not_counted_out() -> None:
    assert list(islice(free_ids(np.full((1, 1, 1), 70_000, np.uint32), {5}), 2)) == [70_001, 70_002]
