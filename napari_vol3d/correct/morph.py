"""How a figure in one slice turns into the figure of another slice: the plane part of filling between slices.

Shape-based interpolation by signed distances (Raya and Udupa 1990, IEEE Trans Med Imaging 9:32-42), where, as in
morphological contour interpolation (Albu et al. 2008; the ITK module by Zukic et al. 2016, after which 3D Slicer's
"Fill between slices" works), parts that belong together are found first and laid over each other: without that, two
discs that hardly overlap would leave a sliver between them, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, signal, sparse

Pair = tuple[float, float]

CORNERS = np.ones((3, 3), bool)
ROOM = 2  # voxels of canvas around the figures; a shift between voxels takes one of them
FAR = 3.0  # parts further apart than so many times the sum of their radii do not belong together
AS_GOOD = 0.98  # of the largest overlap: a jagged border must not send a figure far along itself


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passage:
    """One part of a class on its way from a slice to another.

    Attributes
    ----------
    first, second : ndarray of float32, shape (u, v)
        Signed distances to the part's border in mm, positive inside, one figure laid over the other. Where the part
        is in one slice only, the other array is so low that the part shrinks to nothing half-way.
    origin : tuple of int
        Where the first voxel of `first` lies in the slice.
    way : tuple of float
        How far the part moves from the first slice to the second, in voxels.
    overlaps : bool
        Whether the part has voxels in the same place in both slices.
    """

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    origin: tuple[int, int]
    way: Pair
    overlaps: bool

    def write(self, share: float, heights: NDArray[np.float32]) -> None:
        """Raise `heights` (u, v) of a slice to the part's signed distances there, at a share 0..1 of the way."""
        moved = [share * step for step in self.way]
        whole = [round(step) for step in moved]
        rest = [step - n for step, n in zip(moved, whole, strict=True)]
        back = [a - (step - round(step)) for a, step in zip(rest, self.way, strict=True)]
        blend = (1 - share) * _shifted(self.first, rest) + share * _shifted(self.second, back)
        here, there = _common([a + n for a, n in zip(self.origin, whole, strict=True)], blend.shape, heights.shape)
        np.maximum(heights[there], blend[here], out=heights[there])


def passages(first: NDArray[np.bool_], second: NDArray[np.bool_], spacing: Pair) -> Iterator[Passage]:
    """Find how the parts of a class get from one slice to another.

    Parts that overlap go together, so that one can branch into several. Of those that overlap with none, each goes
    with the nearest of the other slice that is left (the sum of all ways is the least), unless it is far away; a part
    that stays alone ends half-way.

    Parameters
    ----------
    first, second : ndarray of bool, shape (u, v)
        The class in two slices.
    spacing : tuple of float
        In the slice, in mm.
    """
    (parts, counts), (others, other_counts) = _grouped(first, second, spacing)
    boxes, other_boxes = ndimage.find_objects(parts), ndimage.find_objects(others)
    for number in range(1, len(counts)):
        one = _cut(parts, boxes, number)
        other = _cut(others, other_boxes, number)
        single = bool(counts[number] == 1 and other_counts[number] == 1)
        yield _passage(one, other, spacing, single=single)


def signed_distance(mask: NDArray[np.bool_], spacing: Pair) -> NDArray[np.float32]:
    """Give the distance in mm to the nearest voxel of the other kind, positive in the mask (u, v), which has both."""
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    return np.asarray(inside - ndimage.distance_transform_edt(~mask, sampling=spacing), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Figure:
    """A part in one slice: where its box begins, and the mask in it; no voxels where it is not in this slice."""

    start: NDArray[np.intp]
    mask: NDArray[np.bool_]

    @property
    def centre(self) -> NDArray[np.float64]:
        return np.asarray(np.argwhere(self.mask).mean(axis=0) + self.start)

    def on(self, origin: NDArray[np.intp], shape: NDArray[np.intp]) -> NDArray[np.bool_]:
        canvas = np.zeros(tuple(shape), bool)
        (u, v), (height, width) = (int(n) for n in self.start - origin), self.mask.shape
        canvas[u : u + height, v : v + width] = self.mask
        return canvas


def _cut(parts: NDArray[np.int32], boxes: list[Any], number: int) -> _Figure:
    if number > len(boxes) or boxes[number - 1] is None:
        return _Figure(start=np.zeros(2, np.intp), mask=np.zeros((0, 0), bool))
    box = boxes[number - 1]
    return _Figure(start=np.array([part.start for part in box], np.intp), mask=parts[box] == number)


def _passage(one: _Figure, other: _Figure, spacing: Pair, *, single: bool) -> Passage:
    """Lay the figures over each other on a canvas that holds both."""
    if not one.mask.size or not other.mask.size:
        return _ending(one, other, spacing)
    overlap = _overlap(one, other)
    way = _way(one, other, spacing, overlap=overlap) if single else np.zeros(2)
    laid = _Figure(start=other.start - np.rint(way).astype(np.intp), mask=other.mask)
    origin = np.minimum(one.start, laid.start) - ROOM
    stop = np.maximum(one.start + one.mask.shape, laid.start + laid.mask.shape) + ROOM
    first, second = (signed_distance(figure.on(origin, stop - origin), spacing) for figure in (one, laid))
    return Passage(
        first=first, second=second, origin=(int(origin[0]), int(origin[1])), way=(float(way[0]), float(way[1])),
        overlaps=overlap,
    )  # fmt: skip


def _ending(one: _Figure, other: _Figure, spacing: Pair) -> Passage:
    """Half-way the deepest voxel is at the border: where a part ends between two slices is not known better."""
    figure = one if one.mask.size else other
    origin = figure.start - ROOM
    there = signed_distance(figure.on(origin, np.array(figure.mask.shape) + 2 * ROOM), spacing)
    gone = there - 2 * there.max()
    first, second = (there, gone) if one.mask.size else (gone, there)
    return Passage(
        first=first, second=second, origin=(int(origin[0]), int(origin[1])), way=(0.0, 0.0), overlaps=False
    )


def _overlap(one: _Figure, other: _Figure) -> bool:
    here, there = _common([int(n) for n in one.start - other.start], one.mask.shape, other.mask.shape)
    return bool((one.mask[here] & other.mask[there]).any())


def _way(one: _Figure, other: _Figure, spacing: Pair, *, overlap: bool) -> NDArray[np.float64]:
    """Give how a figure moves, in voxels: from centre to centre; where they overlap, no further than they must.

    Of the shifts under which they overlap most the shortest: a figure that only grows, or grows an arm, stays.
    """
    if not overlap:
        return np.asarray(other.centre - one.centre)
    shared = signal.correlate(other.mask.astype(np.float32), one.mask.astype(np.float32), method="fft")
    steps = np.argwhere(shared >= AS_GOOD * shared.max()) - (np.array(one.mask.shape) - 1) + other.start - one.start
    return np.asarray(steps[np.argmin(((steps * spacing) ** 2).sum(axis=1))], np.float64)


def _grouped(
    first: NDArray[np.bool_], second: NDArray[np.bool_], spacing: Pair
) -> tuple[tuple[NDArray[np.int32], NDArray[np.intp]], tuple[NDArray[np.int32], NDArray[np.intp]]]:
    """Number what belongs together: of each slice the numbers (u, v), and by number how many parts it has there."""
    (one, count), (other, more) = (ndimage.label(mask, CORNERS, output=np.int32) for mask in (first, second))
    both = first & second
    pairs = np.unique(np.stack([one[both], other[both]], axis=1), axis=0) - 1
    lone = [np.setdiff1d(np.arange(n), pairs[:, side]) for side, n in enumerate((count, more))]
    pairs = np.concatenate([pairs, _nearest(one, other, lone, spacing)])
    links = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], count + pairs[:, 1])), shape=(count + more,) * 2)
    groups, number = sparse.csgraph.connected_components(links, directed=False)
    number = np.asarray(number + 1, np.int32)
    return _renumbered(one, number[:count], groups), _renumbered(other, number[count:], groups)


def _renumbered(
    parts: NDArray[np.int32], number: NDArray[np.int32], groups: int
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    table = np.concatenate([np.zeros(1, np.int32), number])
    return table[parts], np.bincount(number, minlength=groups + 1)


def _nearest(
    one: NDArray[np.int32], other: NDArray[np.int32], lone: list[NDArray[np.intp]], spacing: Pair
) -> NDArray[np.intp]:
    """Pair parts that overlap with none, (n, 2); those that are alone in their slices belong together anyhow."""
    if not lone[0].size or not lone[1].size:
        return np.zeros((0, 2), np.intp)
    (centres, radii), (others, more) = _places(one, lone[0], spacing), _places(other, lone[1], spacing)
    apart = np.linalg.norm(centres[:, None] - others[None], axis=2)
    far = apart > FAR * (radii[:, None] + more[None])
    if one.max() == other.max() == 1:
        far[:] = False
    rows, columns = optimize.linear_sum_assignment(np.where(far, 1e6 + apart, apart))
    near = ~far[rows, columns]
    return np.stack([lone[0][rows[near]], lone[1][columns[near]]], axis=1)


def _places(
    parts: NDArray[np.int32], chosen: NDArray[np.intp], spacing: Pair
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the centres of parts in mm, (n, 2), and the radii of discs as large as they."""
    voxels = np.bincount(parts.ravel())[chosen + 1]
    centres = np.array(ndimage.center_of_mass(parts > 0, parts, chosen + 1)) * spacing
    return centres, np.sqrt(voxels * spacing[0] * spacing[1] / np.pi)


def _shifted(heights: NDArray[np.float32], step: list[float]) -> NDArray[np.float32]:
    """Move by a part of a voxel."""
    if not any(step):
        return heights
    return np.asarray(ndimage.shift(heights, step, order=1, mode="nearest"))


def _common(
    start: list[int], shape: tuple[int, ...], whole: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Give what a piece that begins at `start` has in common with a whole: in the piece, and in the whole."""
    low = [max(0, a) for a in start]
    high = [max(b, min(n, a + m)) for a, b, m, n in zip(start, low, shape, whole, strict=True)]
    there = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return tuple(slice(p.start - a, p.stop - a) for p, a in zip(there, start, strict=True)), there
