"""Tidied labels: one piece, no crumbs, no holes."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import measure, morphology

from napari_vol3d.core.tidy import drop_small, fill_holes, keep_largest


def blobs(seed, *, share=0.12, shape=(18, 20, 16)):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < share, rng.choice([3, 700], shape), 0).astype(np.uint16)


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_piece_of_all_classes_together_stays(seed):
    labels = blobs(seed, share=0.03)
    pieces = measure.label(labels > 0, connectivity=3)
    sizes = np.bincount(pieces.ravel())[1:]
    left = labels.copy()
    dropped = keep_largest(left)
    assert dropped == np.count_nonzero(left != labels) == sizes.sum() - sizes.max()
    assert np.unique(measure.label(left > 0, connectivity=3)).size == 2
    np.testing.assert_array_equal(left[left > 0], labels[left > 0])


@pytest.mark.parametrize("seed", range(3))
def test_small_pieces_are_dropped_as_scikit_image_drops_them(seed):
    labels = blobs(seed)
    left = labels.copy()
    dropped = drop_small(left, 5)
    for number in (3, 700):
        expected = morphology.remove_small_objects(labels == number, max_size=4, connectivity=3)
        np.testing.assert_array_equal(left == number, expected)
    assert dropped == np.count_nonzero(left != labels) > 0


def test_holes_are_filled_and_no_other_class_is():
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[1:11, 1:11, 1:11] = 5
    labels[3:6, 3:6, 3:6] = 0
    labels[7:9, 7:9, 7:9] = 2
    labels[4, 4, 4] = 2
    assert fill_holes(labels) == 26
    assert labels[4, 4, 4] == labels[7, 7, 7] == 2
    assert labels[3, 3, 3] == 5
    assert (labels == 0).sum() == 12**3 - 10**3


def test_empty_and_full_volumes_stay():
    for value in (0, 4):
        labels = np.full((4, 5, 6), value, np.uint8)
        assert keep_largest(labels) == drop_small(labels, 9) == fill_holes(labels) == 0
        assert (labels == value).all()
