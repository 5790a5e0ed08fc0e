"""Which objects of a table are listed, and in which order: 200,000 are filtered and sorted in some 20 ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.object_table import Ints, ObjectTable
from napari_vol3d.core.volume import Geometry

ROUNDING = 1e-9  # relative: a volume that was typed as it is shown counts as reached


class Key(IntEnum):
    """What objects can be sorted by."""

    CLASS = 0
    NUMBER = 1
    VOLUME = 2
    MEAN = 3
    X = 4
    Y = 5
    Z = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which objects are listed.

    Attributes
    ----------
    class_id : int or None
        Only of this class.
    text : str
        Words; each is in the name of the class, or is its id or the number of the object.
    least : float
        The smallest volume, in the cube of the spacing's unit.
    """

    class_id: int | None = None
    text: str = ""
    least: float = 0.0


def find_rows(table: ObjectTable, wanted: Wanted, *, names: Mapping[int, str]) -> Ints:
    """Give the rows that are wanted, in the order of the table.

    Parameters
    ----------
    names : mapping of int to str
        Of the classes; one that is missing is "class 7".
    """
    kept = table.volume >= wanted.least * (1 - ROUNDING)
    if wanted.class_id is not None:
        kept &= table.class_id == wanted.class_id
    words = wanted.text.casefold().split()
    if words:
        ids, place = np.unique(table.class_id, return_inverse=True)
        known = np.array([names.get(i, f"class {i}").casefold() for i in ids.tolist()], np.str_)
        for word in words:
            # `find` and no regular expression: a name may hold anything.
            named = np.char.find(known, word) >= 0
            kept &= named[place] | _is_number(table, word)
    return np.flatnonzero(kept)


def sort_rows(table: ObjectTable, rows: Ints, key: Key, *, falling: bool, geometry: Geometry) -> Ints:
    """Sort rows; those that are equal keep their order, and what is not known comes last either way."""
    values = _values(table, key, geometry)[rows]
    order = np.argsort(-values if falling else values, kind="stable")
    return np.asarray(rows[order])


def places_of(table: ObjectTable, geometry: Geometry) -> NDArray[np.float64]:
    """Give the centres (x, y, z) in the unit of a geometry, shape (n, 3): RAS+ where it is anatomical."""
    return np.stack([_along(table, geometry, axis) for axis in range(3)], axis=1)


def _values(table: ObjectTable, key: Key, geometry: Geometry) -> NDArray[np.float64]:
    if key is Key.CLASS:
        return table.class_id.astype(np.float64)
    if key is Key.NUMBER:
        return table.number.astype(np.float64)
    if key is Key.VOLUME:
        return table.volume
    return table.mean if key is Key.MEAN else _along(table, geometry, key - Key.X)


def _along(table: ObjectTable, geometry: Geometry, axis: int) -> NDArray[np.float64]:
    # No product of matrices: for three columns BLAS needs longer to wake its threads than to multiply.
    z, y, x, start = geometry.affine[axis].tolist()
    centre = table.centre.T
    return np.asarray(centre[0] * z + centre[1] * y + centre[2] * x + start)


def _is_number(table: ObjectTable, word: str) -> NDArray[np.bool_]:
    # ASCII digits of a length that an int64 holds: "²" is a digit too, and no number.
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 19 else -1
    return np.asarray((table.class_id == number) | (table.number == number))
