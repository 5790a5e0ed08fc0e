"""What looks odd about labels by themselves: islands, holes, and objects that the scan's border cuts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.objects import Objects

ISLAND_SHARE = 0.25  # of the largest object of its class; what is larger is a part of its own
MOST_PARTS = 4  # a class with more parts than that is one of many objects, and a small one is none of its islands
LEAST_CUT = 0.1  # of the largest section along the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A place where labels look odd.

    Attributes
    ----------
    class_id : int
        Of a hole: the class around it.
    centre : tuple of int
        The voxel (z, y, x) of it that is nearest to its middle.
    box : Box
        The smallest that holds it.
    voxels : int
        Of it; of an object that is cut, those at the border.
    share : float
        Of an object that is cut: those voxels, of its largest section along the axis; else 1.
    """

    class_id: int
    centre: Triple
    box: Box
    voxels: int
    share: float = 1.0


def islands(objects: Objects, class_id: int, *, most: int) -> list[Oddity]:
    """Give the small objects of a class beside its few large ones, the largest first.

    Parameters
    ----------
    objects : Objects
        What `core.objects.find_objects` gives of the class.
    most : int
        Give no more than so many.
    """
    sizes = np.array(objects.voxels[1:])
    parts = int((sizes >= ISLAND_SHARE * sizes.max(initial=0)).sum())
    if not 0 < parts <= MOST_PARTS or parts == len(sizes):
        return []
    found = ndimage.find_objects(objects.numbers, max_label=min(len(sizes), parts + most))[parts:]
    return [_oddity(objects.numbers[at] == number, at, objects.box.start, class_id)
            for number, at in enumerate(found, start=parts + 1)]  # fmt: skip


def holes(labels: NDArray[Any], *, most: int) -> list[Oddity]:
    """Give the background that labels (Z, Y, X) enclose, by faces, the largest first.

    What is open to the scan's border is none: there it may go on outside.
    """
    box = _extent(labels)
    if box is None:
        return []
    numbers, count = ndimage.label(labels[box.slices] == 0)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    sizes[np.unique(np.concatenate([np.take(numbers, end, axis).ravel() for axis in range(3) for end in (0, -1)]))] = 0
    sizes[0] = 0
    inside = np.argsort(-sizes, kind="stable")[:most]
    places = ndimage.find_objects(numbers)
    return [_hole(labels, numbers, int(n), places[n - 1], box) for n in inside if sizes[n]]


def cuts(objects: Objects, class_id: int, shape: Triple) -> Iterator[Oddity]:
    """Give the faces of the scan, of `shape`, at which a class ends that is large there.

    Parameters
    ----------
    objects : Objects
        What `core.objects.find_objects` gives of the class.
    """
    for axis in range(3):
        at_first, at_last = objects.box.start[axis] == 0, objects.box.stop[axis] == shape[axis]
        if not objects.box.size or not (at_first or at_last):
            continue
        sections = np.count_nonzero(objects.numbers, axis=tuple(other for other in range(3) if other != axis))
        for index in [0] * at_first + [len(sections) - 1] * at_last:
            share = float(sections[index] / sections.max())
            if share >= LEAST_CUT:
                plane = tuple(slice(index, index + 1) if other == axis else slice(None) for other in range(3))
                yield _cut(objects, plane, class_id, share)


def _cut(objects: Objects, plane: tuple[slice, ...], class_id: int, share: float) -> Oddity:
    mask = objects.numbers[plane] > 0
    within = ndimage.find_objects(mask.view(np.int8))[0]
    at = tuple(_at(inner, outer) for inner, outer in zip(within, plane, strict=True))
    found = _oddity(mask[within], at, objects.box.start, class_id)
    return Oddity(class_id=class_id, centre=found.centre, box=found.box, voxels=found.voxels, share=share)


def _at(inner: slice, outer: slice) -> slice:
    start = outer.start or 0
    return slice(inner.start + start, inner.stop + start)


def _hole(labels: NDArray[Any], numbers: NDArray[Any], number: int, at: tuple[slice, ...], box: Box) -> Oddity:
    found = _oddity(numbers[at] == number, at, box.start, 0)
    around = labels[found.box.grown((1, 1, 1)).slices]  # it is enclosed, so there is a voxel on each side of it
    ids, counts = np.unique(around[around > 0], return_counts=True)
    return Oddity(class_id=int(ids[counts.argmax()]), centre=found.centre, box=found.box, voxels=found.voxels)


def _oddity(mask: NDArray[np.bool_], at: tuple[slice, ...], start: Triple, class_id: int) -> Oddity:
    """Describe what fills a box, of which `at` is the place in a larger one that begins at `start`."""
    z, y, x = (part.start + offset for part, offset in zip(at, start, strict=True))
    dz, dy, dx = mask.shape
    return Oddity(
        class_id=class_id, centre=_middle(mask, (z, y, x)), box=Box(start=(z, y, x), stop=(z + dz, y + dy, x + dx)),
        voxels=int(np.count_nonzero(mask)),
    )  # fmt: skip


def _middle(mask: NDArray[np.bool_], start: Triple) -> Triple:
    """Give the voxel of a mask that is nearest to its centroid: the centroid of a bent object lies outside it."""
    places = np.argwhere(mask)
    nearest = places[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    z, y, x = (int(i) + offset for i, offset in zip(nearest, start, strict=True))
    return (z, y, x)


def _extent(labels: NDArray[Any]) -> Box | None:
    found = ndimage.find_objects((labels > 0).view(np.int8))
    if not found:
        return None
    (z, y, x) = found[0]
    return Box(start=(z.start, y.start, x.start), stop=(z.stop, y.stop, x.stop))
