"""Changes: done, undone, done again, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit, bounds, replay
from napari_vol3d.core.errors import Vol3dError

SHAPE = (5, 6, 7)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), steps=st.integers(1, 12), timed=st.booleans())
def test_all_undone_gives_the_first_and_all_redone_the_last(seed: int, steps: int, timed: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, ((2,) if timed else ()) + SHAPE).astype(np.uint8)
    first, edits = labels.copy(), []
    for _ in range(steps):
        frame = int(rng.integers(2)) if timed else 0
        now = labels[frame] if timed else labels
        wanted = np.where(rng.random(SHAPE) < rng.random() / 3, rng.integers(0, 4, SHAPE), now).astype(np.uint8)
        edit = Edit.between("step", now, wanted, frame=frame)
        if edit is not None:
            assert edit.fits(labels)
            edit.apply(labels)
            np.testing.assert_array_equal(labels[frame] if timed else labels, wanted)
            edits.append(edit)
    last = labels.copy()
    for edit in reversed(edits):
        edit.undo(labels)
    np.testing.assert_array_equal(labels, first)
    replay(labels, edits)
    np.testing.assert_array_equal(labels, last)


def test_only_what_changed_is_touched() -> None:
    """Voxels of the box that the change leaves alone may have been changed by another."""
    before = np.zeros(SHAPE, np.uint16)
    after = before.copy()
    after[1, 1, 1] = after[3, 4, 5] = 2
    edit = Edit.between("two voxels", before, after)
    assert edit is not None
    assert edit.box == Box(start=(1, 1, 1), stop=(4, 5, 6))
    assert edit.count == 2
    labels = np.full(SHAPE, 9, np.uint16)
    edit.apply(labels)
    assert np.count_nonzero(labels != 9) == 2
    assert not edit.fits(labels)
    assert np.array_equal(edit.inverse().inverse().after, edit.after)


def test_nothing_changed_is_no_edit() -> None:
    same = np.ones(SHAPE, np.uint8)
    assert Edit.between("none", same, same.copy()) is None
    assert bounds(np.zeros(SHAPE, bool)) is None


def test_a_piece_lies_where_it_was_taken_from() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    piece = labels[4:9, 5:11, 6:13]
    edit = Edit.between("piece", piece, piece + 1, start=(4, 5, 6))
    assert edit is not None
    edit.apply(labels)
    assert labels.sum() == piece.size
    assert labels[4:9, 5:11, 6:13].all()


@pytest.mark.parametrize(("labels", "match"), [
    (np.zeros((4, 4, 4), np.uint8), "outside"), (np.zeros((5, 6, 7), np.uint8), "does not fit"),
    (np.zeros((1, 5, 6, 7), np.uint16), "outside"),
])  # fmt: skip
def test_labels_that_do_not_hold_it_are_refused(labels: np.ndarray, match: str) -> None:
    """And are left as they were."""
    wanted = np.zeros(SHAPE, np.uint16)
    wanted[4, 5, 6] = 700
    edit = Edit.between("far", np.zeros(SHAPE, np.uint16), wanted, frame=1 if labels.ndim == 4 else 0)
    assert edit is not None
    with pytest.raises(Vol3dError, match=match):
        edit.apply(labels)
    assert not labels.any()
    with pytest.raises(ValueError, match="expected"):
        Edit(name="odd", box=edit.box, before=edit.before, after=wanted)
