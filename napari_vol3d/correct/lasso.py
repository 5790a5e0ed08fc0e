"""What lies inside or outside a closed line drawn in a slice, straight through the slices: erased, or another class."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit, bounds
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.polygon import fill_polygon
from napari_vol3d.correct.extent import NOTHING, clipped
from napari_vol3d.correct.limits import Held, one_of, propose, with_class

Point = tuple[float, float, float]


def give_inside(
    labels: Any,
    line: Sequence[Point],
    *,
    class_id: int,
    of: Collection[int] | None = None,
    axis: int,
    slices: tuple[int, int] | None = None,
    name: str = "Cut out",
    **held: Unpack[Held],
) -> Edit | None:
    """Give the voxels inside a closed line to a class.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    line : sequence of (z, y, x)
        Three points or more in voxels, whole numbers are centres; the last is joined to the first. Voxels whose centre
        lies on the line are inside; where it crosses itself, even and odd count.
    class_id : int
        0 erases.
    of : collection of int, optional
        Only voxels of these classes change; by default all but the background's.
    axis : int
        Across the slice that the line was drawn in: 0, 1 or 2.
    slices : tuple of int, optional
        First slice, and one past the last; by default all.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If the line has fewer than three points, or the id does not fit into the type of the labels.
    """
    flat = _flat(line, axis)
    around = _around(flat, axis, labels)
    box = _found(labels, of, _between(around, axis, slices, labels))
    return _give(labels, box, _mask(flat, box, axis), class_id, of, name, held)


def give_outside(
    labels: Any,
    line: Sequence[Point],
    *,
    class_id: int,
    of: Collection[int] | None = None,
    axis: int,
    slices: tuple[int, int] | None = None,
    name: str = "Cut off",
    **held: Unpack[Held],
) -> Edit | None:
    """Give the voxels outside a closed line to a class; see `give_inside`. What lies beyond the slices stays."""
    flat = _flat(line, axis)
    box = _found(labels, of, _between(clipped(None, labels), axis, slices, labels))
    return _give(labels, box, ~_mask(flat, box, axis), class_id, of, name, held)


def _give(
    labels: Any, box: Box, mask: NDArray[np.bool_], class_id: int, of: Collection[int] | None, name: str, held: Held
) -> Edit | None:
    before = np.asarray(labels[box.slices])
    return propose(name, before, with_class(before, mask & _are(before, of), class_id), box=box, **held)


def _are(labels: NDArray[Any], of: Collection[int] | None) -> NDArray[np.bool_]:
    return np.asarray(labels != 0) if of is None else one_of(labels, of)


def _found(labels: Any, of: Collection[int] | None, within: Box) -> Box:
    """Give the smallest box around the classes inside another, read by planes; without voxels where they are not."""
    found: Box | None = None
    for z in range(within.start[0], within.stop[0]):
        plane = Box(start=(z, *within.start[1:]), stop=(z + 1, *within.stop[1:]))
        here = bounds(_are(np.asarray(labels[plane.slices]), of))
        if here is not None:
            here = here.shifted(plane.start)
            found = here if found is None else found.joined(here)
    return NOTHING if found is None else found


def _flat(line: Sequence[Point], axis: int) -> NDArray[np.float64]:
    """Give the points in their slice."""
    if len(line) < 3:
        raise Vol3dError("A closed line has three points or more.", hint="Draw around what you want to cut.")
    return np.delete(np.asarray(line, np.float64), axis, axis=1)


def _around(flat: NDArray[np.float64], axis: int, labels: Any) -> Box:
    """Give the box of all slices around a line."""
    start = np.insert(np.ceil(flat.min(axis=0)).astype(int), axis, 0).tolist()
    stop = np.insert(np.floor(flat.max(axis=0)).astype(int) + 1, axis, labels.shape[axis]).tolist()
    return clipped(Box(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2])), labels)


def _between(box: Box, axis: int, slices: tuple[int, int] | None, labels: Any) -> Box:
    """Give the part of a box between two slices."""
    if slices is None:
        return box
    start, stop = list(box.start), list(box.stop)
    start[axis], stop[axis] = max(start[axis], slices[0]), min(stop[axis], slices[1])
    return clipped(Box(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2])), labels)


def _mask(flat: NDArray[np.float64], box: Box, axis: int) -> NDArray[np.bool_]:
    """Tell which voxels of a box are inside the line, one slice thick."""
    first, second = (k for k in range(3) if k != axis)
    start = np.array((box.start[first], box.start[second]))
    return np.expand_dims(fill_polygon(flat - start, (box.shape[first], box.shape[second])), axis)
