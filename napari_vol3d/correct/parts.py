"""Ids for the parts that something falls into: the largest keeps the id it had, the others get new ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import label_dtype


def renamed(
    before: NDArray[Any], parts: NDArray[np.integer[Any]], wholes: NDArray[np.integer[Any]], ids: Iterator[int]
) -> NDArray[Any]:
    """Give a new id to every part but the largest of its whole.

    Parameters
    ----------
    before : ndarray of an unsigned integer type, shape (z, y, x)
    parts : ndarray of int, shape (z, y, x)
        The number of the part that a voxel belongs to; 0 and less: of none, it stays as it is.
    wholes : ndarray of int, shape (z, y, x)
        The number of the object that a part is of, not negative. Of parts of one size the lowest number is kept.
    ids : iterator of int
        Free ids, as many are taken as needed: object by object, large parts first.

    Returns
    -------
    ndarray, shape (z, y, x)
        In a type that holds the new ids, whether or not that of `before` does.

    Raises
    ------
    Vol3dError
        If the ids run out.
    """
    inside = parts > 0
    numbers, place, sizes = np.unique(parts[inside], return_inverse=True, return_counts=True)
    whole = np.zeros(len(numbers), np.int64)
    whole[place] = wholes[inside]
    order = np.lexsort((-sizes, whole))  # stable, so that of one size the lowest number comes first
    new = order[np.flatnonzero(np.diff(whole[order]) == 0) + 1]
    table = np.zeros(len(numbers), np.int64)
    table[new] = taken(ids, len(new))
    found = before.astype(np.promote_types(before.dtype, label_dtype(int(table.max(initial=0)))))
    found[inside] = np.where(table[place] > 0, table[place], found[inside])
    return found


def taken(ids: Iterator[int], count: int) -> list[int]:
    """Take free ids.

    Raises
    ------
    Vol3dError
        If there are not as many.
    """
    found = [int(i) for i in islice(ids, count)]
    if len(found) < count:
        raise Vol3dError(
            f"Too few free ids: {count} are needed, {len(found)} were left.", hint="Convert the labels to a wider type."
        )
    return found
