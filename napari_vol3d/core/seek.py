"""Looking through labels for ids and places, plane by plane: each report is a point where one may stop."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from napari_vol3d.core.box import Triple
from napari_vol3d.core.objects import Objects, find_objects
from napari_vol3d.core.progress import Progress


def ids_in(labels: Any) -> Generator[Progress, None, frozenset[int]]:
    """Find the ids above 0 that occur.

    Parameters
    ----------
    labels : array of integers, shape (..., Y, X)
        May be painted on meanwhile.

    Returns
    -------
    frozenset of int
    """
    found: set[int] = set()
    places = list(np.ndindex(tuple(labels.shape[:-2])))
    for done, place in enumerate(places):
        yield Progress(phase="Looking for classes", done=done, total=len(places))
        found.update(np.unique(np.asarray(labels[place])).tolist())
    return frozenset(int(i) for i in found if i > 0)


def middle_of_largest(labels: Any, class_id: int) -> Generator[Progress, None, Triple | None]:
    """Find a voxel in the middle of a class's largest object.

    Parameters
    ----------
    labels : array of integers, shape (Z, Y, X)
    class_id : int

    Returns
    -------
    tuple of int or None
        Index (z, y, x) of the object's voxel that is nearest to its centroid: it lies in the object, however bent
        that is. None where the class has no voxels.
    """
    found: Objects | None = None
    for report in find_objects(labels, class_id):
        found = report
        yield Progress(phase="Looking for the largest object")
    return _middle(found) if found is not None and len(found.voxels) > 1 else None


def _middle(objects: Objects) -> Triple:
    voxels = np.argwhere(objects.numbers == 1)
    nearest = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    z, y, x = (int(v) + start for v, start in zip(nearest, objects.box.start, strict=True))
    return z, y, x
