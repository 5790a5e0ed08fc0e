"""Marks tell which classes have changed, all of them and no other, and where each lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.label_marks import boxes_of, changed_classes, marks_of
from napari_vol3d.core.regions import find_regions
from tests.builders import finish

DTYPES = (np.uint8, np.uint16, np.int32)


def some_labels(dtype: Any, ids: int = 9) -> Any:
    return np.random.default_rng(1).integers(0, ids, (6, 12, 10)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ids", [9, 50_000])
def test_boxes_are_those_of_the_classes(dtype: Any, ids: int) -> None:
    labels = some_labels(dtype, min(ids, np.iinfo(dtype).max))
    boxes = boxes_of(finish(marks_of(labels))[1])
    assert boxes == {class_id: region.box for class_id, region in find_regions(labels).items()}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_plane_that_is_as_it_was_keeps_its_marks(dtype: Any) -> None:
    labels = some_labels(dtype)
    before = finish(marks_of(labels))[1]
    labels[3, 4, 5] = 8 if labels[3, 4, 5] != 8 else 7
    now = finish(marks_of(labels, before))[1]
    assert [old is new for old, new in zip(before, now, strict=True)] == [True, True, True, False, True, True]


@pytest.mark.parametrize("seed", range(20))
def test_the_classes_that_changed_are_named_and_no_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = some_labels(np.uint8)
    before, old = finish(marks_of(labels))[1], labels.copy()
    for z, y, x in rng.integers(0, (6, 12, 10), (rng.integers(0, 4), 3)):
        labels[z, y, x] = rng.integers(0, 12)
    wanted = {i for i in range(1, 12) if ((old == i) != (labels == i)).any()}
    assert changed_classes(before, finish(marks_of(labels, before))[1]) == wanted


def test_two_voxels_that_change_places_are_a_change() -> None:
    labels = np.zeros((1, 4, 4), np.uint8)
    labels[0, 1, 1], labels[0, 2, 2] = 1, 2
    before = finish(marks_of(labels))[1]
    labels[0, 1, 1], labels[0, 2, 2] = 2, 1
    assert changed_classes(before, finish(marks_of(labels, before))[1]) == {1, 2}


def test_negative_ids_and_empty_labels_are_borne() -> None:
    labels = np.zeros((2, 3, 3), np.int32)
    assert boxes_of(finish(marks_of(labels))[1]) == {}
    labels[1, 2, 2] = -5
    assert list(boxes_of(finish(marks_of(labels))[1])) == [-5]
