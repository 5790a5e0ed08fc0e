"""Boxes around what a model is unsure of: few, tight, and none over another.

To look at a voxel costs something, and an unsure voxel is worth it: a box is worth the uncertainty of its voxels, less
for each the mean uncertainty of all that are not sure. So a box lies tightly around a cluster, flat along a boundary if
that is how the cluster lies, and holds many voxels that are wrong. The one that is worth the most is taken first, then
the best of those that do not overlap it, and so on.

The search is in two steps, so that it takes no longer in large scans: cells of a few voxels with more unsure voxels
than the cells around them, and around each of these all boxes of the shapes below, by sums over a table.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.volume import Spacing

NOT_SURE = 13  # of 255: from here on a voxel is not sure
EDGES = (1, 2, 3, 4, 5, 6, 8)  # of a box, in units
SMALLEST, LARGEST = 40.0, 130.0  # box, in cubic units: smaller ones hold a larger share of wrong voxels, but few
LEAST = 0.5  # mean uncertainty of a box, of the cost of looking: below that the rest is not worth a look
CELL = 2.0  # edge of a cell, in units
REACH = 5  # cells that are searched around a seed
PARTS = 12.0  # units in the edge of a cube as large as an object, where the unit is a voxel
MOST_SEEDS = 200  # where the most is unsure; a few ms each
TAKEN = -1e6  # worth of a voxel that is in a box already


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsureBox:
    """A box around a cluster of unsure voxels.

    Attributes
    ----------
    unsure : float
        Sum of the uncertainty (0 to 1), in cubic units: about how much is expected to be wrong.
    worth : float
        The same, less the cost of looking.
    """

    box: Box
    unsure: float
    worth: float


def cost_of_looking(uncertainty: NDArray[np.uint8]) -> int:
    """Give the mean of a map of uncertainty (Z, Y, X) over the voxels that are not sure, 1 to 255."""
    counts = sum((np.bincount(plane.ravel(), minlength=256) for plane in uncertainty), start=np.zeros(256, np.int64))
    unsure = counts[NOT_SURE:]
    total = int(unsure.sum())
    return round(float((unsure * np.arange(NOT_SURE, 256)).sum()) / total) if total else NOT_SURE


def unit_of(voxels: Sequence[int], spacing: Spacing) -> float:
    """Give the unit in which boxes are measured, in that of the spacing.

    Parameters
    ----------
    voxels : sequence of int
        Of each class.

    Returns
    -------
    float
        A voxel where a class is 12 voxels an edge, as the hippocampus at 1 mm; it grows with the square root of an
        object's edge: places in a large organ are larger, but not as much as it is.
    """
    edge = math.prod(spacing) ** (1 / 3)
    typical = float(np.median(voxels)) ** (1 / 3) if len(voxels) else 0.0
    return float(edge * max(1.0, (typical / PARTS) ** 0.5))


def unsure_boxes(
    uncertainty: NDArray[np.uint8], spacing: Spacing, *, unit: float, cost: int
) -> Iterator[UnsureBox]:
    """Find boxes around clusters of unsure voxels, the most worth first.

    Parameters
    ----------
    uncertainty : ndarray of uint8, shape (Z, Y, X)
        0 is sure, 255 the most unsure.
    spacing : tuple of float
        Voxel edges (z, y, x).
    unit : float
        See `unit_of`.
    cost : int
        See `cost_of_looking`.

    Yields
    ------
    UnsureBox
        No two have a voxel in common.
    """
    cell = _cell(spacing, unit)
    search = _Search(uncertainty, cell, _shapes(spacing, unit, uncertainty.shape), cost, unit**3 / math.prod(spacing))
    heap: list[tuple[float, int, UnsureBox]] = []
    for number, seed in enumerate(search.seeds):
        _push(heap, number, search.best(seed))
    while heap:
        _, number, found = heapq.heappop(heap)
        if all(not found.box.intersect(other).size for other in search.taken):
            search.taken.append(found.box)
            yield found
        _push(heap, number, search.best(search.seeds[number]))


class _Search:
    """Looks for the best box around a seed that overlaps none that was taken."""

    def __init__(
        self, uncertainty: NDArray[np.uint8], cell: Triple, shapes: list[Triple], cost: int, voxels_per_unit: float
    ) -> None:
        self._uncertainty, self._cell, self._shapes, self._cost = uncertainty, cell, shapes, cost
        self._scale = 1.0 / (255.0 * voxels_per_unit)
        self.taken: list[Box] = []
        self.seeds = _peaks(_pooled(uncertainty, cell, round(LEAST * cost)))

    def best(self, seed: Triple) -> UnsureBox | None:
        window = self._window(seed)
        part = self._uncertainty[window.slices].astype(np.float64) - self._cost
        for box in self.taken:
            common = box.intersect(window)
            if common.size:
                part[common.shifted(_minus(window.start)).slices] = TAKEN
        found = _largest_sum(part, self._shapes)
        if found is None:
            return None
        worth, box = found  # of 255, in voxels
        unsure = worth + self._cost * box.size
        if unsure < LEAST * self._cost * box.size:
            return None
        return UnsureBox(box=box.shifted(window.start), worth=worth * self._scale, unsure=unsure * self._scale)

    def _window(self, seed: Triple) -> Box:
        start = tuple((at - REACH // 2) * edge for at, edge in zip(seed, self._cell, strict=True))
        stop = tuple((at + REACH // 2 + 1) * edge for at, edge in zip(seed, self._cell, strict=True))
        z, y, x = self._uncertainty.shape
        window = Box(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2]))
        return window.intersect(Box.of((z, y, x)))


def _push(heap: list[tuple[float, int, UnsureBox]], number: int, found: UnsureBox | None) -> None:
    if found is not None:  # a seed is in the heap once, so boxes are never compared
        heapq.heappush(heap, (-found.worth, number, found))


def _cell(spacing: Spacing, unit: float) -> Triple:
    z, y, x = (max(1, round(CELL * unit / edge)) for edge in spacing)
    return (z, y, x)


def _shapes(spacing: Spacing, unit: float, within: tuple[int, ...]) -> list[Triple]:
    """Give the shapes of boxes in voxels; where none has the right volume, because a slice is thick, the smallest."""
    each = [sorted({min(max(1, round(n * unit / edge)), length) for n in EDGES})
            for edge, length in zip(spacing, within, strict=True)]  # fmt: skip
    every = [(z, y, x) for z, y, x in itertools.product(*each)]
    volume = {shape: math.prod(shape) * math.prod(spacing) / unit**3 for shape in every}
    right = [shape for shape in every if SMALLEST <= volume[shape] <= LARGEST]
    return right or [min(every, key=lambda shape: abs(volume[shape] - SMALLEST))]


def _pooled(uncertainty: NDArray[np.uint8], cell: Triple, least: int) -> NDArray[np.int64]:
    """Sum what voxels have above `least` over cells; the last of an axis may be smaller."""
    dz, dy, dx = cell
    depth, height, width = uncertainty.shape
    rows = []
    for z in range(0, depth, dz):
        slab = uncertainty[z : z + dz]
        above = (np.maximum(slab, least) - np.uint8(least)).sum(axis=0, dtype=np.int64)
        above = np.add.reduceat(above, np.arange(0, height, dy), axis=0)
        rows.append(np.add.reduceat(above, np.arange(0, width, dx), axis=1))
    return np.stack(rows)


def _peaks(pooled: NDArray[np.int64]) -> list[Triple]:
    """Give the cells with more than those around them, neighbours included in each; those with the most first."""
    around = ndimage.convolve(pooled, np.ones((3, 3, 3), np.int64), mode="constant")
    found = np.argwhere((around > 0) & (around == ndimage.maximum_filter(around, 3)))
    order = np.argsort(-around[tuple(found.T)], kind="stable")[:MOST_SEEDS]
    return [(int(z), int(y), int(x)) for z, y, x in found[order]]


def _largest_sum(values: NDArray[np.float64], shapes: list[Triple]) -> tuple[float, Box] | None:
    """Find the box of one of the shapes with the largest sum."""
    table = np.zeros(tuple(n + 1 for n in values.shape))
    table[1:, 1:, 1:] = values.cumsum(0).cumsum(1).cumsum(2)
    best: tuple[float, Box] | None = None
    for shape in shapes:
        if all(a <= b for a, b in zip(shape, values.shape, strict=True)):
            sums = _sums(table, shape)
            place = int(sums.argmax())
            most = float(sums.flat[place])
            if best is None or most > best[0]:
                z, y, x = (int(i) for i in np.unravel_index(place, sums.shape))
                best = most, Box(start=(z, y, x), stop=(z + shape[0], y + shape[1], x + shape[2]))
    return best


def _sums(table: NDArray[np.float64], shape: Triple) -> NDArray[np.float64]:
    dz, dy, dx = shape
    planes = table[dz:] - table[:-dz]
    rows = planes[:, dy:] - planes[:, :-dy]
    return rows[:, :, dx:] - rows[:, :, :-dx]


def _minus(offset: Triple) -> Triple:
    return (-offset[0], -offset[1], -offset[2])
