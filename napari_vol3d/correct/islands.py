"""Islands: the connected objects of a class, kept, removed, or told apart; as Islands of 3D Slicer's Segment Editor.

Objects are always those of the whole volume, so that one which a box cuts off is not taken for a small one; a box only
says where voxels may change.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit, bounds
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import Objects
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import NOTHING, clipped, extent
from napari_vol3d.correct.limits import Held, propose
from napari_vol3d.correct.parts import renamed
from napari_vol3d.correct.refill import Refill, to_background

Connectivity = Literal[6, 18, 26]
RANKS: dict[int, int] = {6: 1, 18: 2, 26: 3}  # by a face; also an edge; also a corner
ROUNDING = 1e-9  # relative, of a volume in voxels

def objects_of(labels: Any, class_id: int, *, connectivity: Connectivity = 26) -> Objects:
    """Find the objects of a class; `core.objects.find_objects` does so in steps, but for 26 only.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    connectivity : 6, 18 or 26
        How voxels hang together: by faces; also by edges; also by corners.

    Returns
    -------
    Objects
        Numbered from 1, the largest first; of one size the one that begins first comes first.

    Raises
    ------
    Vol3dError
        If the class is the background, or the connectivity another number.
    """
    _check(class_id, connectivity)
    box = extent(labels, [class_id]) or NOTHING
    structure = ndimage.generate_binary_structure(3, RANKS[connectivity])
    found, count = ndimage.label(np.asarray(labels[box.slices]) == class_id, structure, output=np.int32)
    sizes = np.bincount(found.ravel(), minlength=count + 1)
    order = np.argsort(-sizes[1:], kind="stable") + 1
    number = np.zeros(count + 1, np.int32)
    number[order] = np.arange(1, count + 1)
    return Objects(box=box, numbers=number[found], voxels=(0, *sizes[order].tolist()))


def keep_largest(
    labels: Any,
    class_ids: Collection[int],
    *,
    spacing: Spacing,
    connectivity: Connectivity = 26,
    refill: Refill = to_background,
    box: Box | None = None,
    name: str = "Keep largest island",
    **held: Unpack[Held],
) -> Edit | None:
    """Remove all objects of each class but its largest.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    class_ids : collection of int
        Each by itself; all others stay.
    spacing : tuple of float
        Voxel edges (z, y, x).
    connectivity : 6, 18 or 26
        See `objects_of`.
    refill : `to_background` or `to_neighbour`
        What removed voxels become.
    box : Box, optional
        Where voxels may change, by default everywhere; may reach past the volume.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`. An object whose neighbour is locked stays where it would have become part of it.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If one of the classes is the background.
    """
    gone = [_but(objects_of(labels, c, connectivity=connectivity), 1) for c in _each(class_ids)]
    return _remove(labels, gone, spacing, refill, clipped(box, labels), name, held)


def keep_object(
    labels: Any,
    voxel: Triple,
    *,
    spacing: Spacing,
    connectivity: Connectivity = 26,
    refill: Refill = to_background,
    box: Box | None = None,
    name: str = "Keep island",
    **held: Unpack[Held],
) -> Edit | None:
    """Remove all objects of a class but the one at a voxel (z, y, x); see `keep_largest`.

    Raises
    ------
    Vol3dError
        If the voxel is background or lies outside the volume.
    """
    objects = objects_of(labels, class_at(labels, voxel), connectivity=connectivity)
    gone = [_but(objects, objects.at(voxel))]
    return _remove(labels, gone, spacing, refill, clipped(box, labels), name, held)


def remove_small(
    labels: Any,
    class_ids: Collection[int],
    *,
    least: float,
    spacing: Spacing,
    connectivity: Connectivity = 26,
    refill: Refill = to_background,
    box: Box | None = None,
    name: str = "Remove small islands",
    **held: Unpack[Held],
) -> Edit | None:
    """Remove objects with less volume than `least`, in the unit of the spacing cubed (mm3); see `keep_largest`.

    Raises
    ------
    Vol3dError
        If the volume is not a positive number.
    """
    fewest = least / math.prod(spacing) * (1 - ROUNDING)
    return remove_few(
        labels, class_ids, least=fewest, spacing=spacing, connectivity=connectivity, refill=refill, box=box, name=name,
        **held,
    )  # fmt: skip


def remove_few(
    labels: Any,
    class_ids: Collection[int],
    *,
    least: float,
    spacing: Spacing,
    connectivity: Connectivity = 26,
    refill: Refill = to_background,
    box: Box | None = None,
    name: str = "Remove small islands",
    **held: Unpack[Held],
) -> Edit | None:
    """Remove objects with fewer than `least` voxels; see `keep_largest`."""
    if not least > 0:
        raise Vol3dError("No object is smaller than nothing.", hint="Choose a size above 0.")
    gone = [_below(objects_of(labels, c, connectivity=connectivity), least) for c in _each(class_ids)]
    return _remove(labels, gone, spacing, refill, clipped(box, labels), name, held)


def split_islands(
    labels: Any,
    class_id: int,
    *,
    ids: Iterator[int],
    connectivity: Connectivity = 26,
    name: str = "Split islands",
    **held: Unpack[Held],
) -> Edit | None:
    """Give each object of a class an id of its own; the largest keeps the class.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    ids : iterator of int
        Free ids; the next largest object gets the first.

    Returns
    -------
    Edit or None
        None where the class has one object at most.

    Raises
    ------
    Vol3dError
        If the ids run out or do not fit into the type of the labels.
    """
    objects = objects_of(labels, class_id, connectivity=connectivity)
    before = np.asarray(labels[objects.box.slices])
    wanted = renamed(before, objects.numbers, np.zeros(before.shape, np.int8), ids)
    return propose(name, before, wanted, box=objects.box, **held)


def class_at(labels: Any, voxel: Triple) -> int:
    """Give the class of a voxel (z, y, x).

    Raises
    ------
    Vol3dError
        If the voxel is background or lies outside the volume.
    """
    z, y, x = (int(v) for v in voxel)
    box = clipped(Box(start=(z, y, x), stop=(z + 1, y + 1, x + 1)), labels)
    if not box.size:
        raise Vol3dError(f"There is no voxel {(z, y, x)} in these labels.", hint="Click inside the scan.")
    class_id = int(np.asarray(labels[box.slices])[0, 0, 0])
    if not class_id:
        raise Vol3dError("There is no object here: this voxel is background.", hint="Click into an object.")
    return class_id


def _check(class_id: int, connectivity: int) -> None:
    if not class_id:
        raise Vol3dError("The background has no objects to choose from.", hint="Choose a class, or fill its holes.")
    if connectivity not in RANKS:
        raise Vol3dError(f"Voxels touch 6, 18 or 26 others; received {connectivity}.", hint="Choose one of the three.")


def _each(class_ids: Collection[int]) -> list[int]:
    return sorted({int(class_id) for class_id in class_ids})


def _but(objects: Objects, number: int) -> Objects:
    """Leave one object out."""
    return _only(objects, np.arange(len(objects.voxels)) != number)


def _below(objects: Objects, fewest: float) -> Objects:
    """Give those with fewer voxels."""
    return _only(objects, np.array(objects.voxels) < fewest)


def _only(objects: Objects, wanted: NDArray[np.bool_]) -> Objects:
    """Give some objects, under their numbers, in the smallest box."""
    table = np.where(wanted, np.arange(len(wanted)), 0).astype(np.int32)
    inside = bounds((table > 0)[objects.numbers]) or NOTHING
    box = inside.shifted(objects.box.start) if inside.size else NOTHING
    return Objects(box=box, numbers=table[objects.numbers[inside.slices]], voxels=objects.voxels)


def _remove(
    labels: Any, gone: list[Objects], spacing: Spacing, refill: Refill, box: Box, name: str, held: Held
) -> Edit | None:
    """Propose other labels for objects, reading one voxel around them for their neighbours."""
    boxes = [objects.box for objects in gone if objects.box.size]
    if not boxes:
        return None
    read = clipped(_around(boxes).grown((1, 1, 1)), labels)
    before = np.asarray(labels[read.slices])
    refilled = refill(before, _together(gone, read), spacing)
    part = clipped(read.intersect(box), labels)
    here = _within(part, read)
    return propose(name, before[here], refilled[here], box=part, **held)


def _around(boxes: list[Box]) -> Box:
    (z0, y0, x0), (z1, y1, x1) = (
        np.min([box.start for box in boxes], axis=0).tolist(),
        np.max([box.stop for box in boxes], axis=0).tolist(),
    )
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))


def _together(gone: list[Objects], read: Box) -> NDArray[np.int32]:
    """Number the objects of several classes through, in one box."""
    numbers = np.zeros(read.shape, np.int32)
    first = 0
    for objects in gone:
        if objects.box.size:
            numbers[_within(objects.box, read)] += np.where(objects.numbers > 0, objects.numbers + np.int32(first), 0)
        first += len(objects.voxels)
    return numbers


def _within(box: Box, outer: Box) -> tuple[slice, slice, slice]:
    z, y, x = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, outer.start, strict=True))
    return (z, y, x)
