"""A small copy of a volume for a look at all of it: averages over blocks, read slab by slab."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing

LONGEST = 1024  # blocks along an axis: the smallest 3D texture that graphics cards are built for
KEPT = (np.uint8, np.int8, np.uint16, np.int16)  # of other types the averages are float32


def block_for(shape: Sequence[int], spacing: Spacing, most: int) -> Triple:
    """Give the smallest blocks (z, y, x) of which a volume holds at most so many, about as long along each axis.

    Parameters
    ----------
    shape : sequence of int
        Voxels along (z, y, x).
    spacing : tuple of float
        Along (z, y, x): thick slices are not made thicker as long as there is detail along the others.
    most : int
        Blocks in all.

    Examples
    --------
    >>> block_for((25, 256, 256), (6.5, 0.8, 0.8), 128**3)
    (1, 1, 1)
    >>> block_for((25, 256, 256), (6.5, 0.8, 0.8), 64**3)
    (1, 3, 3)
    """
    block = [1, 1, 1]
    while math.prod(blocks := blocks_of(shape, block)) > max(most, 1) or max(blocks) > LONGEST:
        too_long = [axis for axis in range(3) if blocks[axis] > LONGEST]
        axes = too_long or [axis for axis in range(3) if blocks[axis] > 1]
        block[min(axes, key=lambda axis: block[axis] * spacing[axis])] += 1
    return block[0], block[1], block[2]


def blocks_of(shape: Sequence[int], block: Sequence[int]) -> Triple:
    """Give how many blocks lie along each axis; the last may be cut."""
    z, y, x = (-(-int(length) // edge) for length, edge in zip(shape, block, strict=True))
    return z, y, x


def level_for(shapes: Sequence[Sequence[int]], most: int) -> int:
    """Give the coarsest level of a pyramid that still has so many voxels (z, y, x); the finest where none has."""
    enough = [k for k, shape in enumerate(shapes) if math.prod(int(length) for length in shape[-3:]) >= most]
    return max(enough, default=0)


def coarsened(
    data: Any, block: Triple, *, at: tuple[int, ...] = ()
) -> Generator[Progress, None, NDArray[Any]]:
    """Average voxels over blocks; one slab of blocks is in memory at a time.

    Parameters
    ----------
    data : array, shape (..., Z, Y, X)
        In memory or lazy.
    at : tuple of int
        Place on the axes before z.

    Returns
    -------
    ndarray, shape (blocks along z, y, x)
        8 and 16 bit integers stay what they are. Values that are no numbers are left out of the averages.
    """
    planes, depth = [], int(data.shape[-3])
    for start in range(0, depth, block[0]):
        slab = np.asarray(data[(*at, slice(start, start + block[0]))]).astype(np.float32)
        planes.append(_mean(slab, block))
        yield Progress(phase="Preparing 3D", done=start, total=depth)
    coarse = np.stack(planes)
    holes = ~np.isfinite(coarse)
    if holes.any():
        coarse[holes] = 0 if holes.all() else coarse[~holes].min()
    dtype = np.dtype(data.dtype)
    return np.rint(coarse).astype(dtype) if dtype in KEPT else coarse


def _mean(slab: NDArray[np.float32], block: Triple) -> NDArray[np.float32]:
    """Average a slab (z, y, x) of one block along z over its blocks (y, x); blocks at the end may be cut."""
    known = np.isfinite(slab)
    if known.all():
        down, across = (np.diff([*range(0, n, edge), n]) for n, edge in zip(slab.shape[1:], block[1:], strict=True))
        counts = slab.shape[0] * down[:, None] * across
        return np.asarray(_sums(slab, block) / counts, np.float32)
    with np.errstate(invalid="ignore"):
        return np.asarray(_sums(np.where(known, slab, 0), block) / _sums(known.astype(np.float32), block))


def _sums(slab: NDArray[np.float32], block: Triple) -> NDArray[np.float32]:
    plane = slab.sum(axis=0)
    for axis, edge in ((0, block[1]), (1, block[2])):
        plane = np.add.reduceat(plane, np.arange(0, plane.shape[axis], edge), axis=axis)
    return np.asarray(plane)
