"""What removed voxels become: background, or a part of what they touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.volume import Spacing

Refill = Callable[[NDArray[Any], NDArray[np.int32], Spacing], NDArray[Any]]
"""Gets labels, the numbers of removed objects (0: stays), both (z, y, x), and voxel edges; gives the new labels."""

IDS = 1 << 32  # labels are uint32 at most, so a number and an id share an int64


def to_background(labels: NDArray[Any], gone: NDArray[np.int32], spacing: Spacing) -> NDArray[Any]:
    """Make background of removed objects."""
    return np.where(gone > 0, labels.dtype.type(0), labels)


def to_neighbour(labels: NDArray[Any], gone: NDArray[np.int32], spacing: Spacing) -> NDArray[Any]:
    """Give each removed object to the class, or the background, that it has the largest common surface with.

    Surface is counted in faces of voxels, by their area. Of equal ones the lowest id wins; what only touches other
    removed objects, or the faces of the volume, becomes background.
    """
    objects, neighbours, areas = _contacts(labels, gone, spacing)
    order = np.lexsort((neighbours, -areas, objects))
    objects, neighbours = objects[order], neighbours[order]
    first = np.flatnonzero(np.diff(objects, prepend=0))
    becomes = np.zeros(int(gone.max(initial=0)) + 1, labels.dtype)
    becomes[objects[first]] = neighbours[first]
    return np.where(gone > 0, becomes[gone], labels)


def _contacts(
    labels: NDArray[Any], gone: NDArray[np.int32], spacing: Spacing
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Give which removed objects have a common surface with which ids that stay, and its area."""
    pairs, areas = [], []
    for axis in range(3):
        for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            own, other = ((slice(None),) * axis + (part,) for part in (here, there))
            meets = (gone[own] > 0) & (gone[other] == 0)
            pairs.append(gone[own][meets].astype(np.int64) * IDS + labels[other][meets].astype(np.int64))
            areas.append(np.full(len(pairs[-1]), max(spacing) / spacing[axis]))  # all others are common to all
    found, place = np.unique(np.concatenate(pairs), return_inverse=True)
    area = np.bincount(place, weights=np.concatenate(areas), minlength=len(found))
    return found // IDS, found % IDS, np.round(area, 9)  # so that sums in another order are still equal
