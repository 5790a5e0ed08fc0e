"""Scissors: cut objects along a line drawn in a slice, straight through the slices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import Objects
from napari_vol3d.core.polygon import fill_polygon
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import clipped
from napari_vol3d.correct.islands import objects_of
from napari_vol3d.correct.limits import Held, propose
from napari_vol3d.correct.parts import renamed

Line = NDArray[np.float64]  # (N, 2) points in voxels, along the two axes of a slice
ARC = 16  # corners of the arc, far outside, that makes an area of one side of a line
STEADY = 2.0  # pixels
STEP = 0.25  # voxels between the places at which a line is asked what it crosses


def cut(
    labels: Any,
    line: Sequence[Spacing],
    *,
    class_id: int,
    ids: Iterator[int],
    axis: int,
    slices: tuple[int, int] | None = None,
    name: str = "Cut",
    **held: Unpack[Held],
) -> Edit | None:
    """Cut the objects of a class that a drawn line crosses in two.

    The line goes on straight beyond its ends, and through the slices; each voxel falls to the side that its centre lies
    on, so that there is no gap between the sides. The smaller side of each object gets a new id.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    line : sequence of (z, y, x)
        Two points or more in voxels, whole numbers are centres; all in one slice, that of the first.
    class_id : int
        Whose objects are cut; other classes stay.
    ids : iterator of int
        Free ids, one for each object that is cut.
    axis : int
        Across the slice: 0, 1 or 2.
    slices : tuple of int, optional
        First slice, and one past the last, that the cut goes through; by default all. What lies beyond keeps its id.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where all of every object lies on one side. No voxel becomes background.

    Raises
    ------
    Vol3dError
        If the line has no length or crosses no object of the class; if ids run out or do not fit into the type of the
        labels.
    """
    points = np.asarray(line, np.float64)
    flat, found = _flat(points, axis), objects_of(labels, class_id)
    crossed = _crossed(found, flat, axis, round(float(points[0, axis])))
    if not crossed.size:
        raise Vol3dError("The line crosses no object of this class.", hint="Draw it across the object to cut.")
    part = _between(found.box, axis, slices, labels)
    if not part.size:
        return None
    numbers, before = found.numbers[_within(part, found.box)], np.asarray(labels[part.slices])
    side = np.expand_dims(beside(flat - _across(part.start, axis), _across(part.shape, axis)), axis)
    sides = np.where(np.isin(numbers, crossed), 2 * numbers + side, 0)
    return propose(name, before, renamed(before, sides, numbers, ids), box=part, **held)


def beside(line: Line, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which pixels of a slice lie on one side of a line that goes on straight beyond its ends.

    Parameters
    ----------
    line : ndarray, shape (N, 2)
        Points in pixels, no two in a row the same; of a line that crosses itself, even and odd count.
    shape : tuple of int

    Returns
    -------
    ndarray of bool, of that shape
        For two points one of the two half-planes, with the line itself.
    """
    middle = (line[0] + line[-1]) / 2
    size = float(np.abs(line - middle).max() + np.hypot(*shape) + np.abs(middle).max())
    radius = 8 * size  # of the arc; its chords stay far outside the slice
    first, last = line[0] + radius * _way_out(line[::-1]), line[-1] + radius * _way_out(line)
    start, stop = (np.arctan2(*(point - middle)[::-1]) for point in (last, first))
    turn = np.linspace(0, (stop - start) % (2 * np.pi), ARC + 1)[1:-1] + start
    arc = middle + radius * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    return fill_polygon(np.concatenate(([first], line, [last], arc)), shape)


def _way_out(line: Line) -> Line:
    """Give the direction, of length 1, in which a line ends; over a few pixels, as a hand is not steady."""
    ways = line[-1] - line[:-1]
    lengths = np.hypot(*ways.T)
    steady = np.flatnonzero(lengths >= STEADY)
    best = steady[-1] if steady.size else int(lengths.argmax())
    return np.asarray(ways[best] / lengths[best])


def _flat(points: NDArray[np.float64], axis: int) -> Line:
    """Give the points in their slice, each only once in a row."""
    flat = np.delete(points, axis, axis=1)
    flat = flat[np.concatenate(([True], np.any(np.diff(flat, axis=0) != 0, axis=1)))]
    if len(flat) < 2:
        raise Vol3dError("A cut needs a line; this is a point.", hint="Draw across the object to cut.")
    return flat


def _crossed(found: Objects, line: Line, axis: int, index: int) -> NDArray[np.int32]:
    """Give the numbers of the objects under a line in a slice."""
    start = found.box.start
    if not start[axis] <= index < found.box.stop[axis]:
        return np.zeros(0, np.int32)
    plane = np.take(found.numbers, index - start[axis], axis=axis)
    steps = [np.linspace(a, b, int(np.abs(b - a).max() / STEP) + 2) for a, b in itertools.pairwise(line)]
    at = np.rint(np.concatenate(steps)).astype(np.intp) - _across(start, axis)
    at = at[np.all((at >= 0) & (at < plane.shape), axis=1)]
    under = np.unique(plane[at[:, 0], at[:, 1]])
    return np.asarray(under[under > 0])


def _between(box: Box, axis: int, slices: tuple[int, int] | None, labels: Any) -> Box:
    """Give the part of a box between two slices."""
    if slices is None:
        return box
    start, stop = list(box.start), list(box.stop)
    start[axis], stop[axis] = max(start[axis], slices[0]), min(stop[axis], slices[1])
    return clipped(Box(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2])), labels)


def _within(box: Box, outer: Box) -> tuple[slice, slice, slice]:
    z, y, x = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, outer.start, strict=True))
    return (z, y, x)


def _across(triple: Triple, axis: int) -> tuple[int, int]:
    """Give what belongs to the two axes of a slice."""
    first, second = (value for k, value in enumerate(triple) if k != axis)
    return (first, second)
