"""Objects are the connected parts of a class, numbered by size, as scikit-image and SimpleITK find them."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from skimage.measure import label

from napari_vol3d.core.objects import Objects, find_objects
from napari_vol3d.core.sliced import Moved


def found_in(labels: object, class_id: int) -> Objects:
    *_, last = find_objects(labels, class_id)
    assert last is not None
    return last


@pytest.fixture
def blobs() -> np.ndarray:
    rng = np.random.default_rng(11)
    return rng.choice(np.array([0, 0, 0, 0, 0, 0, 0, 1, 5], np.uint8), (19, 23, 30))


@pytest.mark.parametrize("class_id", [1, 5])
def test_objects_are_those_of_scikit_image(blobs: np.ndarray, class_id: int) -> None:
    found = found_in(blobs, class_id)
    wanted = label(blobs == class_id, connectivity=3)
    whole = np.zeros(blobs.shape, np.int32)
    whole[found.box.slices] = found.numbers
    pairs = set(zip(wanted.ravel().tolist(), whole.ravel().tolist(), strict=True))
    assert len(pairs) == wanted.max() + 1  # one to one
    assert list(found.voxels[1:]) == sorted(np.bincount(wanted.ravel())[1:].tolist(), reverse=True)


def test_sizes_are_those_of_simpleitk(blobs: np.ndarray) -> None:
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(blobs) == 5, True))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(parts)
    assert found_in(blobs, 5).voxels[1:] == tuple(shape.GetNumberOfPixels(i) for i in shape.GetLabels())


def test_a_voxel_tells_its_object() -> None:
    labels = np.zeros((10, 12, 40), np.uint8)
    labels[1, 1, 1:3], labels[4:8, 4:8, 20:31], labels[2, 2, 3] = 3, 3, 3  # the last touches the first by a corner
    found = found_in(labels, 3)
    assert found.voxels == (0, 4 * 4 * 11, 3)
    assert [found.at(v) for v in ((5, 5, 25), (1, 1, 1), (2, 2, 3))] == [1, 2, 2]
    assert [found.at(v) for v in ((0, 0, 0), (2, 2, 2), (9, 11, 39))] == [0, 0, 0]
    assert (found.box.start, found.box.stop) == ((1, 1, 1), (8, 8, 31))


def test_of_one_size_the_first_comes_first() -> None:
    labels = np.zeros((3, 3, 9), np.uint8)
    labels[0, 0, 8] = labels[1, 1, 4] = labels[2, 2, 0] = 1
    found = found_in(labels, 1)
    assert [found.at(v) for v in ((0, 0, 8), (1, 1, 4), (2, 2, 0))] == [1, 2, 3]


def test_a_class_without_voxels_has_no_objects(blobs: np.ndarray) -> None:
    found = found_in(blobs, 77)
    assert found.voxels == (0,)
    assert found.at((3, 3, 3)) == 0


def test_lazy_labels_give_the_same(blobs: np.ndarray) -> None:
    lazy = Moved(blobs.transpose(2, 0, 1), (1, 2, 0))
    assert found_in(lazy, 5).voxels == found_in(blobs, 5).voxels


def test_it_can_be_stopped_between_planes(blobs: np.ndarray) -> None:
    steps = find_objects(blobs, 5)
    assert next(steps) is None
    steps.close()
    assert list(steps) == []
