"""Islands as scikit-image and SimpleITK find, sort and remove them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.sliced import Moved
from napari_vol3d.correct.islands import (
    class_at,
    keep_largest,
    keep_object,
    objects_of,
    remove_few,
    remove_small,
    split_islands,
)
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.refill import to_neighbour

SPACING = (3.0, 0.5, 1.0)
RANKS = {6: 1, 18: 2, 26: 3}


def speckled(seed: int, shape: tuple[int, int, int] = (11, 14, 17)) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([0, 0, 0, 0, 0, 1, 1, 4], np.uint8), shape)


def applied(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        assert edit.fits(after)
        edit.apply(after)
    return after


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), connectivity=st.sampled_from([6, 18, 26]), class_id=st.sampled_from([1, 4]))
def test_objects_are_those_of_scikit_image(seed: int, connectivity: Any, class_id: int) -> None:
    labels = speckled(seed)
    found = objects_of(labels, class_id, connectivity=connectivity)
    whole = np.zeros(labels.shape, np.int32)
    whole[found.box.slices] = found.numbers
    wanted = label(labels == class_id, connectivity=RANKS[connectivity])
    pairs = set(zip(wanted.ravel().tolist(), whole.ravel().tolist(), strict=True))
    assert len(pairs) == wanted.max() + 1  # one to one
    assert list(found.voxels[1:]) == sorted(np.bincount(wanted.ravel())[1:].tolist(), reverse=True)
    assert found.voxels == (0, *np.bincount(whole.ravel())[1:].tolist())


@pytest.mark.parametrize("whole_corners", [False, True])
def test_objects_are_numbered_as_by_simpleitk(whole_corners: bool) -> None:
    labels = speckled(5)
    image = sitk.ConnectedComponent(sitk.GetImageFromArray((labels == 1).astype(np.uint8)), whole_corners)
    wanted = sitk.GetArrayFromImage(sitk.RelabelComponent(image, sortByObjectSize=True))
    found = objects_of(labels, 1, connectivity=26 if whole_corners else 6)
    whole = np.zeros(labels.shape, np.int32)
    whole[found.box.slices] = found.numbers
    sizes = np.bincount(wanted.ravel())
    clear = np.isin(wanted, [n for n in range(1, len(sizes)) if (sizes == sizes[n]).sum() == 1])
    assert clear.any()
    assert np.array_equal(whole[clear], wanted[clear])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), connectivity=st.sampled_from([6, 18, 26]))
def test_the_largest_of_each_class_is_kept(seed: int, connectivity: Any) -> None:
    labels = speckled(seed)
    before = labels.copy()
    after = applied(labels, keep_largest(labels, [1, 4, 77], spacing=SPACING, connectivity=connectivity))
    assert np.array_equal(labels, before)
    for class_id in (1, 4):
        parts = label(labels == class_id, connectivity=RANKS[connectivity])
        sizes = np.bincount(parts.ravel())[1:]
        kept = np.unique(parts[after == class_id])
        assert len(kept) == 1
        assert np.array_equal(after == class_id, parts == kept[0])
        assert sizes[kept[0] - 1] == sizes.max()
    assert keep_largest(after, [1, 4], spacing=SPACING, connectivity=connectivity) is None  # once is enough


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), least=st.integers(1, 30), connectivity=st.sampled_from([6, 18, 26]))
def test_small_ones_go_as_by_simpleitk(seed: int, least: int, connectivity: Any) -> None:
    labels = speckled(seed)
    parts = label(labels == 1, connectivity=RANKS[connectivity])
    image = sitk.RelabelComponent(sitk.GetImageFromArray(parts.astype(np.uint32)), minimumObjectSize=least)
    wanted = np.where(labels == 1, sitk.GetArrayFromImage(image) > 0, labels)
    for edit in (
        remove_few(labels, [1], least=least, spacing=SPACING, connectivity=connectivity),
        remove_small(labels, [1], least=least * 1.5, spacing=SPACING, connectivity=connectivity),  # 1.5 mm3 a voxel
    ):
        assert np.array_equal(applied(labels, edit), wanted)


def test_the_clicked_one_is_kept() -> None:
    labels = np.zeros((6, 9, 20), np.uint8)
    labels[1:3, 1:4, 1:5], labels[3:5, 4:8, 8:19], labels[0, 8, 0] = 2, 2, 3
    after = applied(labels, keep_object(labels, (2, 2, 2), spacing=SPACING))
    assert np.array_equal(after == 2, np.pad(np.ones((2, 3, 4), bool), ((1, 3), (1, 5), (1, 15))))
    assert after[0, 8, 0] == 3
    for voxel, match in (((0, 0, 0), "background"), ((6, 0, 0), "no voxel"), ((0, -1, 0), "no voxel")):
        with pytest.raises(Vol3dError, match=match):
            class_at(labels, voxel)


def test_an_island_becomes_part_of_what_surrounds_it() -> None:
    labels = np.full((9, 9, 9), 2, np.uint8)
    labels[:, :, 5:] = 0
    labels[0, :4], labels[4, 4, 2], labels[7, 7, 7], labels[8, 8, 8] = 1, 1, 1, 1  # the last two touch at a corner
    after = applied(labels, keep_largest(labels, [1], spacing=SPACING, refill=to_neighbour))
    assert after[4, 4, 2] == 2
    assert after[7, 7, 7] == after[8, 8, 8] == 0
    held = keep_largest(labels, [1], spacing=SPACING, refill=to_neighbour, limits=Limits(locked=frozenset({2})))
    assert held is not None
    assert applied(labels, held)[4, 4, 2] == 1


def test_a_box_limits_what_changes_not_what_is_an_island() -> None:
    labels = np.zeros((4, 4, 30), np.uint8)
    labels[1, 1, :20], labels[3, 3, 3], labels[3, 3, 28] = 1, 1, 1
    box = Box(start=(-1, 0, 0), stop=(9, 9, 5))  # holds five voxels of the largest
    edit = keep_largest(labels, [1], spacing=SPACING, box=box)
    assert edit is not None
    assert edit.box == Box(start=(3, 3, 3), stop=(4, 4, 4))


def test_every_island_gets_an_id() -> None:
    labels = speckled(3)
    after = applied(labels, split_islands(labels, 1, ids=itertools.count(10)))
    wanted = label(labels == 1, connectivity=3)
    assert len(np.unique(after[labels == 1])) == wanted.max()
    for number in range(1, wanted.max() + 1):
        assert len(np.unique(after[wanted == number])) == 1
    sizes = [int((after == i).sum()) for i in [1, *range(10, 9 + wanted.max())]]
    assert sizes == sorted(sizes, reverse=True)
    assert np.array_equal(after[labels != 1], labels[labels != 1])
    assert split_islands(labels, 77, ids=iter(())) is None


def test_ids_beyond_the_type_are_refused() -> None:
    labels = np.zeros((3, 3, 9), np.uint8)
    labels[1, 1, 1], labels[1, 1, 5] = 1, 1
    with pytest.raises(Vol3dError, match="300 does not fit"):
        split_islands(labels, 1, ids=itertools.count(300))
    with pytest.raises(Vol3dError, match="Too few free ids"):
        split_islands(labels, 1, ids=iter(()))


def test_lazy_labels_give_the_same() -> None:
    labels = speckled(8)
    lazy = Moved(labels.transpose(2, 0, 1), (1, 2, 0))
    one, other = (remove_few(volume, [1, 4], least=5, spacing=SPACING) for volume in (labels, lazy))
    assert np.array_equal(applied(labels, one), applied(labels, other))


@pytest.mark.parametrize(("call", "match"), [
    (lambda a: keep_largest(a, [0], spacing=SPACING), "background has no objects"),
    (lambda a: objects_of(a, 1, connectivity=8), "received 8"),  # type: ignore[arg-type]
    (lambda a: remove_small(a, [1], least=0, spacing=SPACING), "smaller than"),
    (lambda a: remove_few(a, [1], least=float("nan"), spacing=SPACING), "smaller than"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(call: Any, match: str) -> None:
    with pytest.raises(Vol3dError, match=match):
        call(speckled(1))


def test_real_labels_with_specks_are_cleaned(shared_data: Path) -> None:
    path = shared_data / "hippocampus" / "labels" / "hippocampus_001.nii.gz"
    labels = np.ascontiguousarray(np.asarray(nib.load(path).dataobj).astype(np.uint8))
    clean = applied(labels, keep_largest(labels, [1, 2], spacing=(1.0, 1.0, 1.0)))
    dirty = clean.copy()
    near = np.random.default_rng(0).random(clean.shape) < 0.004
    # Far enough that no speck touches the classes.
    dirty[near & ~ndimage.binary_dilation(clean > 0, np.ones((3, 3, 3)), iterations=2)] = 1
    assert (dirty != clean).sum() > 20
    assert np.array_equal(applied(dirty, keep_largest(dirty, [1, 2], spacing=(1.0, 1.0, 1.0))), clean)
    assert np.array_equal(applied(dirty, remove_small(dirty, [1], least=40.0, spacing=(1.0, 1.0, 1.0))), clean)
