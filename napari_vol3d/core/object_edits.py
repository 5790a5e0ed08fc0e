"""Giving measured objects to another class, 0 to delete them: one change, however many they are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_table import Ints, ObjectTable, spread

AT_A_TIME = 1 << 20  # voxels, 8 bytes each while they are changed


def give_objects(labels: Any, table: ObjectTable, rows: Ints, *, into: int, name: str) -> Edit | None:
    """Give objects to a class.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        Those that were measured; only the box around the objects is read.
    rows : ndarray of int
        Which objects, or classes of a table by class.
    into : int
        The id that they get; 0 deletes them.
    name : str
        For the list of edits.

    Returns
    -------
    Edit or None
        None where all of them have this class already.

    Raises
    ------
    Vol3dError
        If the labels changed there since they were measured, or do not hold such an id.
    """
    if into > np.iinfo(labels.dtype).max:
        raise Vol3dError(
            f"Class {into} does not fit into {labels.dtype} labels.", hint="Convert the labels to uint16 or uint32."
        )
    rows = np.unique(rows[table.class_id[rows] != into])
    if not len(rows):
        return None
    box = _around(table, rows)
    before = np.array(labels[box.slices])
    after = before.copy()
    for place in _places(before, table, rows, box):
        after.reshape(-1)[place] = into
    return Edit(name=name, box=box, before=before, after=after)


def _around(table: ObjectTable, rows: Ints) -> Box:
    (z0, y0, x0), (z1, y1, x1) = table.start[rows].min(axis=0).tolist(), table.stop[rows].max(axis=0).tolist()
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))


def _places(before: NDArray[Any], table: ObjectTable, rows: Ints, box: Box) -> Iterator[Ints]:
    """Give the voxels of the objects, counted through the box in C order, some at a time."""
    begin, length = table.stretches(rows)
    corner = np.array(box.start)[:, None]
    begin = np.ravel_multi_index(tuple(np.stack(np.unravel_index(begin, table.shape)) - corner), box.shape)
    classes = np.repeat(table.class_id[rows], np.diff(table.first)[rows])
    if not all(np.array_equal(before.reshape(-1)[at], classes) for at in (begin, begin + length - 1)):
        raise Vol3dError("The labels changed since these objects were found.", hint="Find the objects again.")
    parts = np.cumsum(length) // AT_A_TIME
    for first, last in pairwise([*np.searchsorted(parts, np.unique(parts)).tolist(), len(parts)]):
        yield spread(begin[first:last], length[first:last])
