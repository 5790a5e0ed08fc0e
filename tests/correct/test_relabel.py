"""Other ids for classes and objects, and labels of others: voxel by voxel what NumPy and scikit-image say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import flood

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import Objects, find_objects
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.relabel import (
    add_classes,
    copy_box,
    copy_classes,
    merge,
    object_at,
    relabel,
    relabel_objects,
    swap,
)

SHAPE = (5, 6, 7)
SEED = st.integers(0, 2**31)
BOX = st.builds(
    lambda start, size: Box(start=start, stop=tuple(a + n for a, n in zip(start, size, strict=True))),
    st.tuples(*[st.integers(-3, 6)] * 3), st.tuples(*[st.integers(0, 8)] * 3),
)  # fmt: skip
IDS = st.sets(st.integers(0, 4))


def scattered(seed: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, SHAPE).astype(dtype)


def done(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        assert edit.count
        edit.apply(after)
    return after


def inside(box: Box | None) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for place in np.ndindex(SHAPE):
        mask[place] = box is None or all(a <= p < b for a, p, b in zip(box.start, place, box.stop, strict=True))
    return mask


@settings(max_examples=100, deadline=None)
@given(seed=SEED, ids=st.dictionaries(st.integers(0, 6), st.integers(0, 9)), box=st.none() | BOX)
def test_ids_change_all_at_once(seed: int, ids: dict[int, int], box: Box | None) -> None:
    labels = scattered(seed)
    kept = labels.copy()
    table = np.array([ids.get(i, i) for i in range(5)], np.uint8)
    expected = np.where(inside(box), table[labels], labels)
    np.testing.assert_array_equal(done(labels, relabel(labels, ids, box=box)), expected)
    np.testing.assert_array_equal(labels, kept)


@settings(max_examples=60, deadline=None)
@given(seed=SEED, first=st.integers(0, 4), second=st.integers(0, 4), box=st.none() | BOX)
def test_a_swap_done_twice_is_none(seed: int, first: int, second: int, box: Box | None) -> None:
    labels = scattered(seed)
    once = done(labels, swap(labels, first, second, box=box))
    here = inside(box)
    np.testing.assert_array_equal((once == first) & here, (labels == second) & here)
    np.testing.assert_array_equal(done(once, swap(once, first, second, box=box)), labels)


def test_merged_classes_are_one_and_the_others_as_they_were() -> None:
    labels = scattered(3)
    np.testing.assert_array_equal(
        done(labels, merge(labels, [1, 3, 4], into=3)), np.where(np.isin(labels, [1, 3, 4]), 3, labels)
    )
    with pytest.raises(Vol3dError, match="does not fit"):
        merge(labels, [1, 2], into=256)
    assert relabel(labels, {9: 256, 2: 2}) is None


@settings(max_examples=60, deadline=None)
@given(seed=SEED, locked=IDS, ids=st.dictionaries(st.integers(0, 4), st.integers(0, 4)), chosen=IDS)
def test_locked_classes_keep_their_voxels(seed: int, locked: set[int], ids: dict[int, int], chosen: set[int]) -> None:
    labels, other, limits = scattered(seed), scattered(seed + 1), Limits(locked=frozenset(locked))
    whole = Box.of(SHAPE)
    for edit in (
        relabel(labels, ids, limits=limits), swap(labels, 1, 2, limits=limits),
        copy_box(labels, other, box=whole, limits=limits), add_classes(labels, other, chosen, box=whole, limits=limits),
        copy_classes(labels, other, chosen, box=whole, limits=limits),
    ):  # fmt: skip
        after = done(labels, edit)
        for class_id in locked:
            np.testing.assert_array_equal(after == class_id, labels == class_id)


@settings(max_examples=80, deadline=None)
@given(seed=SEED, box=BOX, chosen=IDS, guard=st.booleans())
def test_copied_is_what_the_other_labels_say(seed: int, box: Box, chosen: set[int], guard: bool) -> None:
    labels, other = scattered(seed), scattered(seed + 1, np.uint32)
    guarded = np.random.default_rng(seed).random(SHAPE) < 0.5 if guard else None
    held = {"guarded": guarded} if guard else {}
    here = inside(box) & ~guarded if guard else inside(box)
    kept, theirs = np.isin(labels, list(chosen)), np.isin(other, list(chosen))
    for edit, expected in (
        (copy_box(labels, other, box=box, **held), other),
        (copy_classes(labels, other, chosen, box=box, **held),
         np.where(theirs, other, np.where(kept, 0, labels))),
        (add_classes(labels, other, chosen, box=box, **held), np.where(theirs & ~kept, other, labels)),
    ):  # fmt: skip
        np.testing.assert_array_equal(done(labels, edit), np.where(here, expected, labels))


def test_other_labels_that_do_not_fit_are_refused() -> None:
    labels, box = scattered(0), Box.of(SHAPE)
    for source, match in (
        (np.zeros((5, 6, 8), np.uint8), "differ in their grid"), (np.zeros(SHAPE), "Only labels"),
        (np.full(SHAPE, 530, np.uint16), "Class 530 does not fit into uint8"),
    ):  # fmt: skip
        with pytest.raises(Vol3dError, match=match):
            copy_box(labels, source, box=box)
    assert copy_classes(labels, np.full(SHAPE, 530, np.uint16), [7], box=box) is None


@settings(max_examples=60, deadline=None)
@given(seed=SEED, voxel=st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 6)))
def test_the_object_under_a_voxel_is_what_floods_from_it(seed: int, voxel: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(SHAPE) < 0.2, rng.integers(1, 3, SHAPE), 0).astype(np.uint16)
    labels[voxel] = 2
    found = object_at(labels, voxel)
    mask = np.zeros(SHAPE, bool)
    mask[found.box.slices] = found.numbers == 1
    np.testing.assert_array_equal(mask, flood(labels, voxel, connectivity=3))
    assert found.voxels == (0, mask.sum())
    assert found.at(voxel) == 1


def test_an_object_longer_than_the_first_look_is_found_whole() -> None:
    """And one that leaves what was read and comes back is one."""
    labels = np.zeros((3, 90, 120), np.uint8)
    labels[1, 4:80, 10] = labels[1, 80, 10:110] = labels[1, 4:80, 109] = 4
    labels[1, 4, 12] = 4
    found = object_at(labels, (1, 5, 10))
    assert found.voxels == (0, 76 + 100 + 76)
    assert found.box == Box(start=(1, 4, 10), stop=(2, 81, 110))
    np.testing.assert_array_equal(object_at(labels, (1, 70, 109)).numbers, found.numbers)


def test_objects_of_real_labels_renamed_merged_and_deleted(shared_data: Path) -> None:
    folder = shared_data / "scans"
    labels = np.asarray(nibabel.load(folder / "example_seg.nii.gz").dataobj).astype(np.uint16)
    ids, counts = np.unique(labels[labels > 0], return_counts=True)
    for class_id in ids[np.argsort(-counts)][:6].tolist():
        *_, objects = find_objects(labels, class_id)
        assert isinstance(objects, Objects)
        largest = np.zeros(labels.shape, bool)
        largest[objects.box.slices] = objects.numbers == 1
        after = done(labels, relabel_objects(labels, objects, [1], into=999))
        np.testing.assert_array_equal(after, np.where(largest, 999, labels))
        every = range(1, len(objects.voxels))
        gone = done(labels, relabel_objects(labels, objects, every, into=0))
        np.testing.assert_array_equal(gone, done(labels, relabel(labels, {class_id: 0})))
        place = tuple(int(v) for v in np.argwhere(largest)[0])
        clicked = object_at(labels, place)
        np.testing.assert_array_equal(done(labels, relabel_objects(labels, clicked, [1], into=999)), after)


def test_objects_that_are_no_more_are_not_relabelled() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 1:3, 1:3] = 2
    objects = object_at(labels, (1, 1, 1))
    assert relabel_objects(labels, objects, [0, 5], into=3) is None
    assert relabel_objects(labels, objects, [1], into=3, limits=Limits(locked=frozenset({2}))) is None
    for change in ((slice(1, 2), 1), (slice(1, 3), 0)):
        changed = labels.copy()
        changed[change[0]] = change[1]
        with pytest.raises(Vol3dError, match="changed since"):
            relabel_objects(changed, objects, [1], into=3)
    with pytest.raises(Vol3dError, match="changed since"):
        relabel_objects(labels[:2], objects, [1], into=3)


@pytest.mark.parametrize(("voxel", "match"), [
    ((0, 0, 0), "background"), ((0, 0, 7), "no voxel"), ((-1, 0, 0), "no voxel"),
])  # fmt: skip
def test_no_object_is_said_so(voxel: tuple[int, int, int], match: str) -> None:
    with pytest.raises(Vol3dError, match=match):
        object_at(np.zeros(SHAPE, np.uint8), voxel)
