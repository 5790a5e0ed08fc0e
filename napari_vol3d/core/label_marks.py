"""What marks the planes of a label volume: which classes changed since the last look, and where each lies."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.progress import Progress

FEW_IDS = 1024  # up to here a table by id is quicker than sorting the plane
AT_A_TIME = 8  # planes between two reports


@dataclass(frozen=True, slots=True)
class InPlane:
    """One class in one plane: a sum that any change of its voxels changes, and the box (y, x) around them."""

    sum: float
    start: tuple[int, int]
    stop: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class PlaneMarks:
    """A plane by the checksum of its voxels, and its classes."""

    checksum: int
    classes: dict[int, InPlane]


def marks_of(
    labels: Any, before: Sequence[PlaneMarks] = ()
) -> Generator[Progress, None, tuple[PlaneMarks, ...]]:
    """Look at each plane of a label volume (Z, Y, X), closely only at those that are not as they were before.

    Parameters
    ----------
    before : sequence of PlaneMarks
        Of the same volume, earlier; a plane that did not change keeps its marks, the same object.
    """
    # The same weights for each plane and each time: what a class weighs in a plane says which voxels it has.
    weights = np.random.default_rng(0).random(int(np.prod(labels.shape[1:])))
    marks: list[PlaneMarks] = []
    for z in range(labels.shape[0]):
        plane = np.ascontiguousarray(labels[z : z + 1])[0]
        marks.append(_marks(plane, weights, before[z] if before else None))
        if z % AT_A_TIME == 0:
            yield Progress(phase="Looking at the labels", done=z, total=labels.shape[0])
    return tuple(marks)


def changed_classes(before: Sequence[PlaneMarks], now: Sequence[PlaneMarks]) -> set[int]:
    """Give the ids that have other voxels than before, those that came and those that went among them."""
    changed: set[int] = set()
    for old, new in zip(before, now, strict=True):
        if old is not new:
            ids = old.classes.keys() | new.classes.keys()
            changed |= {i for i in ids if old.classes.get(i) != new.classes.get(i)}
    return changed


def boxes_of(marks: Sequence[PlaneMarks]) -> dict[int, Box]:
    """Give the smallest box around each class, in the order of the ids."""
    boxes: dict[int, Box] = {}
    for z, plane in enumerate(marks):
        for class_id, part in plane.classes.items():
            here = Box(start=(z, *part.start), stop=(z + 1, *part.stop))
            boxes[class_id] = _around(boxes.get(class_id, here), here)
    return dict(sorted(boxes.items()))


def _marks(plane: NDArray[Any], weights: NDArray[np.float64], before: PlaneMarks | None) -> PlaneMarks:
    checksum = zlib.crc32(plane.data)
    if before is not None and before.checksum == checksum:
        return before
    if plane.min() >= 0 and plane.max() < FEW_IDS:
        ids: NDArray[Any] = np.arange(int(plane.max()) + 1)
        place = plane.astype(np.intp)
    else:
        ids, place = np.unique(plane, return_inverse=True)
        place = place.reshape(plane.shape)
    sums = np.bincount(place.ravel(), weights=weights, minlength=len(ids))
    spans = ndimage.find_objects(place + 1)
    return PlaneMarks(checksum, {
        int(i): InPlane(float(total), (span[0].start, span[1].start), (span[0].stop, span[1].stop))
        for i, total, span in zip(ids, sums, spans, strict=True) if i != 0 and span is not None
    })  # fmt: skip


def _around(one: Box, other: Box) -> Box:
    start = (min(a, b) for a, b in zip(one.start, other.start, strict=True))
    stop = (max(a, b) for a, b in zip(one.stop, other.stop, strict=True))
    (z0, y0, x0), (z1, y1, x1) = start, stop
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))
