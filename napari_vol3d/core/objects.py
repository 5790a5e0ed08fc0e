"""The objects of a class: voxels of it that touch each other, by a face, an edge or a corner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple

TOUCHING = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Objects:
    """The objects of one class, the largest first: its number is 1.

    Attributes
    ----------
    box : Box
        The smallest that holds the class.
    numbers : ndarray of int32
        Of the voxels in the box; 0 outside the class.
    voxels : tuple of int
        Of each object, by number; `voxels[0]` is unused.
    """

    box: Box
    numbers: NDArray[np.int32]
    voxels: tuple[int, ...]

    def at(self, voxel: Triple) -> int:
        """Give the number of the object at a voxel (z, y, x), 0 where there is none."""
        if not all(a <= v < b for v, a, b in zip(voxel, self.box.start, self.box.stop, strict=True)):
            return 0
        z, y, x = (v - a for v, a in zip(voxel, self.box.start, strict=True))
        return int(self.numbers[z, y, x])


def find_objects(labels: Any, class_id: int) -> Iterator[Objects | None]:
    """Find the objects of a class in a label volume (Z, Y, X), which may be lazy: it is read by planes.

    Yields
    ------
    Objects or None
        None after each plane, where one may stop; at last what was found.
    """
    planes: list[tuple[int, NDArray[np.uint8]]] = []
    for z in range(labels.shape[0]):
        plane = np.asarray(labels[z : z + 1])[0] == class_id
        if plane.any():
            planes.append((z, np.packbits(plane, axis=1)))
        yield None
    if not planes:
        yield Objects(box=Box(start=(0, 0, 0), stop=(0, 0, 0)), numbers=np.zeros((0, 0, 0), np.int32), voxels=(0,))
        return
    mask, start = _together(planes, int(labels.shape[2]))
    yield None
    numbers, count = ndimage.label(mask, TOUCHING, output=np.int32)
    yield None
    yield _numbered(numbers, count, start)


def _together(planes: list[tuple[int, NDArray[np.uint8]]], width: int) -> tuple[NDArray[np.bool_], Triple]:
    """Put planes of packed bits into the smallest mask that holds them all; give it with where it begins."""
    rows = np.logical_or.reduce([packed.any(axis=1) for _, packed in planes])
    columns = np.bitwise_or.reduce([np.bitwise_or.reduce(packed, axis=0) for _, packed in planes])
    (y0, y1), (x0, x1) = (_span(line) for line in (rows, np.unpackbits(columns, count=width)))
    first, last = planes[0][0], planes[-1][0]
    mask = np.zeros((last - first + 1, y1 - y0, x1 - x0), bool)
    for z, packed in planes:
        mask[z - first] = np.unpackbits(packed[y0:y1], axis=1, count=width)[:, x0:x1]
    return mask, (first, y0, x0)


def _span(line: NDArray[Any]) -> tuple[int, int]:
    found = np.flatnonzero(line)
    return int(found[0]), int(found[-1]) + 1


def _numbered(found: NDArray[np.int32], count: int, start: Triple) -> Objects:
    """Number objects by size; of those of one size the one that begins first comes first."""
    sizes = np.bincount(found.ravel(), minlength=count + 1)
    order = np.argsort(-sizes[1:], kind="stable")
    number = np.zeros(count + 1, np.int32)
    number[order + 1] = np.arange(1, count + 1)
    z, y, x = (a + n for a, n in zip(start, found.shape, strict=True))
    voxels = (0, *(int(size) for size in sizes[order + 1]))
    return Objects(box=Box(start=start, stop=(z, y, x)), numbers=number[found], voxels=voxels)
