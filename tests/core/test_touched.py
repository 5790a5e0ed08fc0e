"""A voxel is touched as long as an edit that changed it is done."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.touched import Touched
from tests.core.test_shadow import SHAPE, change


def expected(shape: tuple[int, ...], edits: list[Edit]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for edit in edits:
        space = mask[edit.frame] if mask.ndim == 4 else mask
        space[edit.box.slices] |= edit.changed
    return mask


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**31), timed=st.booleans(),
    steps=st.lists(st.sampled_from(["edit", "edit", "undo", "redo"]), max_size=25),
)  # fmt: skip
def test_it_is_the_union_of_what_is_done_whatever_is_undone_and_done_again(
    seed: int, timed: bool, steps: list[str]
) -> None:
    """An edit after an undo begins a branch, as in a history."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, ((2,) if timed else ()) + SHAPE).astype(np.uint16)
    touched = Touched(labels.shape)
    done: list[tuple[str, Edit]] = []
    undone: list[tuple[str, Edit]] = []
    for number, step in enumerate(steps):
        if step == "edit":
            edit = change(labels, rng, frame=int(rng.integers(2)) if timed else 0)
            edit.apply(labels)
            undone.clear()
            done.append((f"step {number}", edit))
            touched.add(*done[-1])
        elif step == "undo" and done:
            undone.append(done.pop())
            touched.take_back(*undone[-1])
        elif step == "redo" and undone:
            done.append(undone.pop())
            touched.add(*done[-1])
        np.testing.assert_array_equal(touched.mask, expected(labels.shape, [edit for _, edit in done]))


def test_an_edit_that_was_never_added_is_taken_back_without_harm() -> None:
    """As one of a model, which touches nothing."""
    labels = np.zeros(SHAPE, np.uint16)
    edit = change(labels, np.random.default_rng(3))
    touched = Touched(SHAPE)
    touched.add("a person's", edit)
    before = touched.mask.copy()
    touched.take_back("a model's", edit)
    np.testing.assert_array_equal(touched.mask, before)
    assert before.any()
