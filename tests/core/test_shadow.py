"""The shadow says what the labels were, whoever holds its array meanwhile, and finds all that differs from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_vol3d.core import shadow as module
from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit, bounds, replay
from napari_vol3d.core.shadow import Shadow, together

SHAPE = (6, 9, 8)
seeds = st.integers(0, 2**31)


def some_box(rng: np.random.Generator) -> Box:
    start = tuple(int(rng.integers(0, n)) for n in SHAPE)
    stop = tuple(int(rng.integers(a + 1, n + 1)) for a, n in zip(start, SHAPE, strict=True))
    return Box(start=start, stop=stop)  # type: ignore[arg-type]


def change(labels: NDArray[np.uint16], rng: np.random.Generator, frame: int = 0) -> Edit:
    """Change some voxels of a box, one in three times to ids beyond 255."""
    box, highest = some_box(rng), 700 if rng.random() < 0.3 else 4
    space = labels[frame] if labels.ndim == 4 else labels
    before = space[box.slices]
    after = np.where(rng.random(box.shape) < 0.6, rng.integers(0, highest, box.shape), before).astype(np.uint16)
    edit = Edit.between("step", before, after, start=box.start, frame=frame)
    return change(labels, rng, frame) if edit is None else edit


@settings(max_examples=60, deadline=None)
@given(seed=seeds, timed=st.booleans(), steps=st.lists(st.sampled_from(["edit", "lend", "take"]), max_size=14))
def test_what_is_read_is_what_the_labels_hold_and_what_is_lent_stays_as_it_is(
    seed: int, timed: bool, steps: list[str]
) -> None:
    """Types grow on the way: the first labels hold ids to 255."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 4, ((2,) if timed else ()) + SHAPE).astype(np.uint8)
    labels, shadow = first.astype(np.uint16), Shadow(first)
    lent, as_lent = None, first
    for step in steps:
        if step == "edit":
            edit = change(labels, rng, frame=int(rng.integers(2)) if timed else 0)
            edit.apply(labels)
            shadow.apply(edit)
        elif step == "lend" and lent is None:
            lent = shadow.lend()
            as_lent = lent.copy()
            np.testing.assert_array_equal(lent, labels)
        elif step == "take" and lent is not None:
            shadow.take_back()
            lent = None
        if lent is not None:
            np.testing.assert_array_equal(lent, as_lent)
        for frame in range(2 if timed else 1):
            for box in (some_box(rng), Box.of(SHAPE)):
                now = labels[frame] if timed else labels
                np.testing.assert_array_equal(shadow.read(box, frame), now[box.slices])
    assert shadow.shape == first.shape
    shadow.take_back()
    assert np.iinfo(shadow.dtype).max >= labels.max()


def test_the_array_is_a_copy_and_grows_no_wider_than_it_must() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    shadow = Shadow(labels)
    labels[0, 0, 0] = 3
    assert not shadow.read(Box.of(SHAPE)).any()
    wide = Edit.between("wide type, small id", labels.astype(np.uint32) * 0, labels.astype(np.uint32))
    assert wide is not None
    shadow.apply(wide)
    assert shadow.dtype == np.uint8
    np.testing.assert_array_equal(shadow.read(Box.of(SHAPE)), labels)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, slab=st.sampled_from([1, 72, 150, 10**6]), lent=st.booleans())
def test_each_slab_says_where_it_differs(seed: int, slab: int, lent: bool) -> None:
    """The boxes together are the bounds of all differences, and none holds a plane without one at its ends."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (2, *SHAPE)).astype(np.uint16)
    shadow = Shadow(labels)
    if lent:
        shadow.lend()
        known = change(labels, rng, frame=1)
        known.apply(labels)
        shadow.apply(known)
    before = labels.copy()
    for _ in range(int(rng.integers(0, 3))):
        z, y, x = (int(rng.integers(n)) for n in SHAPE)
        labels[1, z, y, x] += 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLAB", slab)
        found = list(shadow.differences(labels[1], frame=1))
        assert not any(shadow.differences(before[0], frame=0))
    assert len(found) == -(-SHAPE[0] // max(slab // 72, 1))
    whole: Box | None = None
    for box in filter(None, found):
        assert box == bounds(_only(before[1] != labels[1], box))
        whole = box if whole is None else whole.joined(box)
    assert whole == bounds(before[1] != labels[1])


def _only(mask: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    inside = np.zeros_like(mask)
    inside[box.slices] = mask[box.slices]
    return inside


@settings(max_examples=60, deadline=None)
@given(seed=seeds, steps=st.integers(1, 6), lent=st.booleans())
def test_several_changes_made_one_do_what_they_did(seed: int, steps: int, lent: bool) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 3, (2, *SHAPE)).astype(np.uint8)
    shadow, labels, edits = Shadow(first), first.astype(np.uint16), []
    if lent:
        shadow.lend()
    for _ in range(steps):
        edits.append(change(labels, rng, frame=1))
        edits[-1].apply(labels)
    made = together("all", edits, shadow)
    if made is None:
        np.testing.assert_array_equal(labels, first)
        return
    assert (made.name, made.frame) == ("all", 1)
    assert made.box == bounds(labels[1] != first[1])  # what was changed and changed back is not part of it
    done = first.astype(np.uint16)
    replay(done, [made])
    np.testing.assert_array_equal(done, labels)
    made.undo(done)
    np.testing.assert_array_equal(done, first)


def test_nothing_is_left_of_what_was_taken_back() -> None:
    labels = np.zeros(SHAPE, np.uint16)
    edit = change(labels, np.random.default_rng(0))
    assert together("both", [edit, edit.inverse()], Shadow(labels)) is None
