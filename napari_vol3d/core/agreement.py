"""How well two readings of one scan agree, class by class: neither is the truth.

Dice and HD95 are those of `core.metrics`. Objects are those of `core.objects`, parts of a class that touch by a face,
an edge or a corner. Two objects are the same where they share more than half of their union: then each has one partner
at most, so no assignment is needed (Kirillov et al. 2019, Panoptic Segmentation, CVPR, section 4.1; F1 at IoU 0.5 as
Caicedo et al. 2019, Nature Methods 16:1247).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.metrics import dice, hd95, volume_ml
from napari_vol3d.core.objects import TOUCHING
from napari_vol3d.core.regions import Region, find_regions
from napari_vol3d.core.volume import Spacing

PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMatches:
    """How many objects two readings have in common.

    Attributes
    ----------
    first, second : int
        Objects in each.
    matched : int
        Pairs whose intersection is more than half of their union.
    """

    first: int
    second: int
    matched: int

    @property
    def precision(self) -> float | None:
        """Share of the first's objects that the second has too; None where the first has none."""
        return self.matched / self.first if self.first else None

    @property
    def recall(self) -> float | None:
        """Share of the second's objects that the first has too; None where the second has none."""
        return self.matched / self.second if self.second else None

    @property
    def f1(self) -> float | None:
        """Matched objects among all; 0 where only one reading has any, None where neither has."""
        return 2 * self.matched / (self.first + self.second) if self.first + self.second else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAgreement:
    """How well two readings agree in one class.

    Attributes
    ----------
    id, name : int, str
        The class.
    dice : float or None
        0 to 1; 0 where only one reading has the class.
    hd95_mm : float or None
        None where a reading lacks the class, or the spacing has no unit of length.
    first_ml, second_ml, difference_ml : float or None
        Volumes, and the first less the second; None where the spacing has no unit of length.
    difference_percent : float or None
        The difference in percent of the mean of both, -200 to 200; needs no unit.
    objects_first, objects_second, objects_matched : int
    object_precision, object_recall, object_f1 : float or None
        See `ObjectMatches`.
    """

    id: int
    name: str
    dice: float | None
    hd95_mm: float | None
    first_ml: float | None
    second_ml: float | None
    difference_ml: float | None
    difference_percent: float | None
    objects_first: int
    objects_second: int
    objects_matched: int
    object_precision: float | None
    object_recall: float | None
    object_f1: float | None


def agreement(
    first: Any, second: Any, spacing: Spacing | None, *, names: Mapping[int, str] | None = None
) -> tuple[ClassAgreement, ...]:
    """Compare two readings class by class.

    Parameters
    ----------
    first, second : array of integers, shape (Z, Y, X)
        On one grid, in memory or lazy; 0 is background.
    spacing : tuple of float or None
        Along (z, y, x), in mm; None where the scan has no unit of length.
    names : mapping, optional
        Class names by id.

    Returns
    -------
    tuple of ClassAgreement
        For every id that occurs in either reading, in order of the ids.

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    Vol3dError
        If one holds no integers.

    Examples
    --------
    >>> import numpy as np
    >>> one, other = np.zeros((2, 4, 4, 4), np.uint8)
    >>> one[1:3, 1:3, 1:3], other[1:3, 1:3, 1:4] = 1, 1
    >>> found = agreement(one, other, (1.0, 1.0, 1.0))[0]
    >>> found.dice, found.hd95_mm, found.difference_percent, found.object_f1
    (0.8, 1.0, -40.0, 1.0)
    """
    check_readings(first, second)
    known, places = names or {}, (find_regions(first), find_regions(second))
    found = []
    for i in sorted(places[0].keys() | places[1].keys()):
        box = _around(places[0].get(i), places[1].get(i))
        masks = np.asarray(first[box]) == i, np.asarray(second[box]) == i
        found.append(_of_class(i, known.get(i, f"class {i}"), *masks, spacing))
    return tuple(found)


def match_objects(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> ObjectMatches:
    """Pair the objects of two masks, both (Z, Y, X), of one shape."""
    (ones, n), (others, m) = (ndimage.label(mask, TOUCHING, output=np.int32) for mask in (first, second))
    sizes = np.bincount(ones[first], minlength=n + 1), np.bincount(others[second], minlength=m + 1)
    both = first & second
    pairs, common = np.unique(ones[both].astype(np.int64) * (m + 1) + others[both], return_counts=True)
    one, other = np.divmod(pairs, m + 1)
    # In whole numbers, so that exactly half is never taken for more: c / (a + b - c) > 1 / 2.
    matched = np.count_nonzero(3 * common > sizes[0][one] + sizes[1][other])
    return ObjectMatches(first=n, second=m, matched=int(matched))


def check_readings(*readings: Any) -> None:
    """Refuse volumes that are no labels of one grid."""
    shapes = list(dict.fromkeys(tuple(int(n) for n in one.shape) for one in readings))
    if len(shapes) > 1:
        raise ScanMismatch(
            f"The readings differ in shape: {' and '.join(map(str, shapes))}.", hint="Choose readings of one scan."
        )
    others = [str(one.dtype) for one in readings if np.dtype(one.dtype).kind not in "biu"]
    if others or len(shapes[0]) != 3:
        what = others[0] if others else f"of shape {shapes[0]}"
        raise Vol3dError(f"Readings must be label volumes; this is {what}.", hint="Choose a labels layer.")


def _of_class(
    class_id: int, name: str, first: NDArray[np.bool_], second: NDArray[np.bool_], spacing: Spacing | None
) -> ClassAgreement:
    one, other = int(first.sum()), int(second.sum())
    volumes = None if spacing is None else (volume_ml(one, spacing), volume_ml(other, spacing))
    matches = match_objects(first, second)
    return ClassAgreement(
        id=class_id, name=name, dice=dice(first, second),
        hd95_mm=None if spacing is None else hd95(first, second, spacing),
        first_ml=volumes and volumes[0], second_ml=volumes and volumes[1],
        difference_ml=volumes and volumes[0] - volumes[1],
        difference_percent=PERCENT * (one - other) / ((one + other) / 2) if one + other else None,
        objects_first=matches.first, objects_second=matches.second, objects_matched=matches.matched,
        object_precision=matches.precision, object_recall=matches.recall, object_f1=matches.f1,
    )  # fmt: skip


def _around(one: Region | None, other: Region | None) -> tuple[slice, slice, slice]:
    boxes = [region.box for region in (one, other) if region is not None]
    return boxes[0].joined(boxes[-1]).slices
