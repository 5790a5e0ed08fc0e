"""Where classes lie in a volume, so that a tool reads no more of it than it needs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import bounds
from napari_vol3d.correct.limits import one_of

NOTHING = Box(start=(0, 0, 0), stop=(0, 0, 0))


def clipped(box: Box | None, labels: Any) -> Box:
    """Give the part of a box that lies in a volume (Z, Y, X), which may be lazy; of None the whole volume.

    Unlike `Box.intersect` a box without voxels is one that can be read.
    """
    z, y, x = (int(length) for length in labels.shape)
    whole = Box.of((z, y, x))
    inside = whole if box is None else whole.intersect(box)
    return inside if inside.size else NOTHING


def extent(labels: Any, class_ids: Collection[int], *, box: Box | None = None) -> Box | None:
    """Find the smallest box around the voxels of some classes; None where there are none.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        May be lazy: it is read by planes.
    box : Box, optional
        Where to look, by default everywhere; may reach past the volume.
    """
    within = clipped(box, labels)
    found: Box | None = None
    for z in range(within.start[0], within.stop[0]):
        plane = Box(start=(z, *within.start[1:]), stop=(z + 1, *within.stop[1:]))
        here = bounds(one_of(np.asarray(labels[plane.slices]), class_ids))
        found = found if here is None else _joined(found, here.shifted(plane.start))
    return found


def _joined(first: Box | None, second: Box) -> Box:
    return second if first is None else first.joined(second)
