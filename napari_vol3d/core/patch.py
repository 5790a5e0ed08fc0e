"""Reading a patch that may reach past a volume's faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple

Read = Callable[[Box], NDArray[Any]]


def read_patch(read: Read, box: Box, shape: Triple) -> NDArray[Any]:
    """Give the voxels of `box`, shape (z, y, x, C); beyond the volume's faces the nearest voxel is repeated.

    Parameters
    ----------
    read : callable
        Gives the voxels (z, y, x, C) of a box that lies inside the volume.
    shape : tuple of int
        The volume, (Z, Y, X).
    """
    inside = box.intersect(Box.of(shape))
    part = read(inside)
    if inside == box:
        return part
    widths = [(a - o, p - b) for o, a, b, p in zip(box.start, inside.start, inside.stop, box.stop, strict=True)]
    return np.pad(part, [*widths, (0, 0)], mode="edge")
