"""Islands, holes and cut objects: exactly those that were made, and none on sound labels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import ball

from napari_vol3d.core.box import Box
from napari_vol3d.core.objects import find_objects
from napari_vol3d.core.oddities import cuts, holes, islands


def objects(labels: np.ndarray, class_id: int):
    *_, found = find_objects(labels, class_id)
    return found


def blob(shape=(24, 26, 28), centre=(12, 13, 14), radius=8, class_id=1) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    put = tuple(slice(c - radius, c + radius + 1) for c in centre)
    labels[put][ball(radius) > 0] = class_id
    return labels


def cut_blob(axis: int, end: int) -> np.ndarray:
    """A ball that the scan ends in the middle of."""
    whole = blob((30, 30, 30), (14, 14, 14), 9)
    part = [slice(None)] * 3
    part[axis] = slice(14, None) if end == 0 else slice(0, 15)
    return np.ascontiguousarray(whole[tuple(part)])


def test_islands_are_the_small_objects_the_largest_first() -> None:
    labels = blob()
    labels[1:3, 1:3, 1:4] = 1
    labels[21, 22, 23] = 1
    found = islands(objects(labels, 1), 1, most=9)
    assert [each.voxels for each in found] == [12, 1]
    assert found[0].box == Box(start=(1, 1, 1), stop=(3, 3, 4))
    assert found[1].centre == (21, 22, 23)
    assert all(labels[each.centre] == 1 for each in found)
    assert len(islands(objects(labels, 1), 1, most=1)) == 1


def test_two_halves_are_no_islands_and_neither_is_one_of_many_nuclei() -> None:
    halves = np.zeros((20, 20, 40), np.uint8)
    halves[5:15, 5:15, 2:14] = halves[5:15, 5:15, 26:36] = 3
    assert islands(objects(halves, 3), 3, most=9) == []
    nuclei = np.zeros((12, 40, 40), np.uint8)
    nuclei[2:6, ::8, ::8] = 1
    nuclei[2:3, ::8, 4] = 1
    assert islands(objects(nuclei, 1), 1, most=9) == []
    assert islands(objects(np.zeros((4, 4, 4), np.uint8), 1), 1, most=9) == []


def test_the_middle_of_a_bent_island_is_in_it() -> None:
    labels = blob()
    labels[0, 0, 0:9] = labels[0, 0:9, 0] = 1
    found = islands(objects(labels, 1), 1, most=9)[0]
    assert labels[found.centre] == 1


@pytest.mark.parametrize("size", [1, 3])
def test_a_hole_is_what_labels_enclose(size: int) -> None:
    labels = blob(class_id=2)
    labels[10 : 10 + size, 12, 13] = 0
    labels[14, 12, 13] = 0
    found = holes(labels, most=9)
    assert [each.voxels for each in found] == sorted([size, 1], reverse=True)
    assert all(each.class_id == 2 and labels[each.centre] == 0 for each in found)
    filled = ndimage.binary_fill_holes(labels > 0) & (labels == 0)
    assert sum(each.voxels for each in found) == filled.sum()


def test_what_is_open_to_the_border_is_no_hole() -> None:
    labels = np.ones((6, 7, 8), np.uint8)
    labels[:3, 3, 3] = 0
    assert holes(labels, most=9) == []
    labels[:3, 3, 3] = 1
    labels[1:3, 3, 3] = 0
    assert [each.voxels for each in holes(labels, most=9)] == [2]
    assert holes(np.zeros((3, 3, 3), np.uint8), most=9) == []


def test_holes_of_random_labels_are_those_of_scipy() -> None:
    for seed in range(20):
        labels = (np.random.default_rng(seed).random((9, 10, 11)) < 0.75).astype(np.uint8)
        found = holes(labels, most=999)
        # SciPy fills what no path of background connects to the border of the array.
        filled = ndimage.binary_fill_holes(labels) & (labels == 0)
        assert sum(each.voxels for each in found) == filled.sum()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_an_object_that_the_border_cuts(axis: int, end: int) -> None:
    labels = cut_blob(axis, end)
    (found,) = cuts(objects(labels, 1), 1, labels.shape)
    face = np.take(labels, end, axis)
    assert found.voxels == np.count_nonzero(face)
    assert found.share == 1.0
    assert found.box.shape[axis] == 1
    assert found.box.start[axis] == (0 if end == 0 else labels.shape[axis] - 1)
    assert labels[found.centre] == 1
    assert np.count_nonzero(labels[found.box.slices]) == found.voxels


def test_an_object_that_only_touches_the_border_is_not_cut() -> None:
    labels = blob((17, 26, 28), (8, 13, 14), 8)
    assert labels[0].any()
    assert labels[-1].any()
    assert list(cuts(objects(labels, 1), 1, labels.shape)) == []
    assert list(cuts(objects(labels, 5), 5, labels.shape)) == []
