"""Objects given to a class: exactly their voxels change, in one step that can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core import object_edits
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_edits import give_objects
from tests.core.test_object_table import measured, some_labels


@given(seed=st.integers(0, 2**32 - 1), into=st.sampled_from([0, 2, 9]), by_class=st.booleans())
def test_exactly_their_voxels_change(seed: int, into: int, by_class: bool) -> None:
    labels = some_labels(seed)
    table = measured(labels).by_class() if by_class else measured(labels)
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(table)) < 0.5)
    wanted = labels.copy()
    for begin, length in zip(*table.stretches(rows), strict=True):
        wanted.ravel()[begin : begin + length] = into
    edit, untouched = give_objects(labels, table, rows, into=into, name="Delete"), labels.copy()
    assert (edit is None) == np.array_equal(wanted, labels)
    if edit is not None:
        smallest = Edit.between("Delete", labels, wanted)
        assert smallest is not None
        assert (edit.box, edit.count) == (smallest.box, smallest.count)
        edit.apply(labels)
        assert np.array_equal(labels, wanted)
        edit.undo(labels)
    assert np.array_equal(labels, untouched)


def test_labels_that_changed_are_left_alone() -> None:
    labels = np.zeros((3, 3, 6), np.uint8)
    labels[1, 1, 1:5] = 2
    table, rows = measured(labels), np.array([0])
    for x in (1, 4):
        painted = labels.copy()
        painted[1, 1, x] = 1
        with pytest.raises(Vol3dError, match="changed since"):
            give_objects(painted, table, rows, into=0, name="Delete")


def test_an_id_that_does_not_fit_is_refused() -> None:
    labels = np.ones((1, 1, 1), np.uint8)
    with pytest.raises(Vol3dError, match="Class 256 does not fit"):
        give_objects(labels, measured(labels), np.array([0]), into=256, name="Give")


def test_a_row_named_twice_counts_once() -> None:
    labels = np.ones((1, 1, 2), np.uint8)
    edit = give_objects(labels, measured(labels), np.array([0, 0]), into=3, name="Give")
    assert edit is not None
    assert edit.after.tolist() == [[[3, 3]]]


def test_many_voxels_are_changed_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = some_labels(4, 0.9)
    table = measured(labels)
    for few in (1, 3, 10):
        monkeypatch.setattr(object_edits, "AT_A_TIME", few)
        edit = give_objects(labels, table, np.arange(len(table)), into=0, name="Delete")
        assert edit is not None
        assert edit.count == np.count_nonzero(labels)
        assert not edit.after.any()
