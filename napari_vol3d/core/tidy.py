"""Tidying finished labels: the largest piece alone, no crumbs, no holes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BYTES_PER_VOXEL = 12  # of labels, of numbered pieces, and of masks, at the most
NEIGHBOURS = np.ones((3, 3, 3), bool)  # 26


def keep_largest(labels: NDArray[Any]) -> int:
    """Keep the largest 26-connected piece of all classes together, and give how many voxels became background.

    Parameters
    ----------
    labels : ndarray of integers, shape (Z, Y, X)
        Changed in place. Of pieces of one size the first stays.
    """
    return _drop(labels, labels != 0, lambda sizes: np.arange(len(sizes)) != int(np.argmax(sizes)))


def drop_small(labels: NDArray[Any], least: int) -> int:
    """Drop 26-connected pieces of a class with fewer than `least` voxels, in place; give how many voxels that were."""
    dropped = 0
    for number, box in _classes(labels):
        part = labels[box]
        dropped += _drop(part, part == number, lambda sizes: sizes < least)
    return dropped


def fill_holes(labels: NDArray[Any]) -> int:
    """Give background that a class encloses to that class, in place; give how many voxels that were."""
    filled = 0
    for number, box in _classes(labels):
        part = labels[box]
        holes = ndimage.binary_fill_holes(part == number) & (part == 0)
        part[holes] = number
        filled += int(np.count_nonzero(holes))
    return filled


def _drop(labels: NDArray[Any], mask: NDArray[np.bool_], chosen: Callable[[NDArray[np.int64]], Any]) -> int:
    """Make pieces of a mask background: those that `chosen` picks by the sizes of all."""
    pieces, count = ndimage.label(mask, NEIGHBOURS)
    if not count:
        return 0
    sizes = np.bincount(pieces.reshape(-1), minlength=count + 1)[1:]
    lost = np.concatenate([[False], chosen(sizes)])
    labels[lost[pieces]] = 0
    return int(sizes[lost[1:]].sum())


def _classes(labels: NDArray[Any]) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """Give each id and the box that holds it; ids may be any integers."""
    ids, numbers = np.unique(labels, return_inverse=True)
    boxes = ndimage.find_objects(numbers.reshape(labels.shape) + 1)
    for number, box in zip(ids, boxes, strict=True):
        if number and box is not None:
            yield int(number), box
