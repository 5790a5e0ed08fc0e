"""Where the classes of a label volume lie: how many voxels, their middle, the box around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.labels import LabelClass, classes_for, to_label_dtype
from napari_vol3d.core.volume import Spacing, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The voxels of one class.

    Attributes
    ----------
    voxels : int
    centroid : tuple of float
        Mean index (z, y, x).
    box : Box
        The smallest that holds all of them.
    """

    voxels: int
    centroid: Spacing
    box: Box


def find_regions(labels: Any) -> dict[int, Region]:
    """Find the region of each id of a label volume (Z, Y, X), background left out; lazy voxels are read by planes."""
    sums: dict[int, NDArray[np.float64]] = {}  # voxels, and the sums of z, y and x
    boxes: dict[int, tuple[NDArray[Any], NDArray[Any]]] = {}
    for z in range(labels.shape[0]):
        for class_id, low, high, plane_sums in _in_plane(np.asarray(labels[z : z + 1])[0], z):
            first, last = boxes.get(class_id, (low, high))
            boxes[class_id] = np.minimum(first, low), np.maximum(last, high)
            sums[class_id] = sums.get(class_id, np.zeros(4)) + plane_sums
    return {class_id: _region(sums[class_id], *boxes[class_id]) for class_id in sorted(sums)}


def as_ids(volume: Volume) -> Volume:
    """Give a label map whose voxels are ids: itself, or where it holds whole-numbered floats or the like, a copy.

    Raises
    ------
    Vol3dError
        If a value is negative or not whole.
    """
    return volume if volume.data.dtype.kind in "bu" else volume.with_data(to_label_dtype(np.asarray(volume.data)))


def classes_in(ids: Iterable[int], classes: tuple[LabelClass, ...]) -> tuple[LabelClass, ...]:
    """Give the named classes and, of the ids that occur, those without a name under one of ours."""
    known = {item.id for item in classes}
    others = classes_for(np.array([i for i in ids if i not in known], np.int64))
    return tuple(sorted((*classes, *others), key=lambda item: item.id))


def _in_plane(plane: NDArray[Any], z: int) -> list[tuple[int, NDArray[Any], NDArray[Any], NDArray[np.float64]]]:
    """Give of each id in a plane (y, x): its first and one past its last index (z, y, x), its voxels and their sums."""
    ids, place = np.unique(plane, return_inverse=True)
    place = place.reshape(plane.shape)
    counts = np.bincount(place.ravel(), minlength=len(ids))
    down, across = (np.broadcast_to(axis, plane.shape).ravel() for axis in np.ogrid[: plane.shape[0], : plane.shape[1]])
    along_y, along_x = (np.bincount(place.ravel(), weights=axis) for axis in (down, across))
    found = []
    for k, (rows, columns) in enumerate(ndimage.find_objects(place + 1)):
        if ids[k] != 0:
            low, high = np.array([z, rows.start, columns.start]), np.array([z + 1, rows.stop, columns.stop])
            found.append((int(ids[k]), low, high, np.array([counts[k], z * counts[k], along_y[k], along_x[k]])))
    return found


def _region(sums: NDArray[np.float64], first: NDArray[Any], last: NDArray[Any]) -> Region:
    z, y, x = (float(value) for value in sums[1:] / sums[0])
    (z0, y0, x0), (z1, y1, x1) = first.tolist(), last.tolist()
    return Region(voxels=int(sums[0]), centroid=(z, y, x), box=Box(start=(z0, y0, x0), stop=(z1, y1, x1)))
