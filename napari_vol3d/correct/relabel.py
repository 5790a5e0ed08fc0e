"""Give voxels another id: classes and objects renamed, merged, swapped, and labels copied from other ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit, bounds
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.objects import TOUCHING, Objects
from napari_vol3d.correct.extent import clipped, extent
from napari_vol3d.correct.limits import Held, one_of, propose, with_class

FIRST_LOOK = 16  # voxels to each side of a clicked one; doubled until the object ends inside


def relabel(
    labels: Any, ids: Mapping[int, int], *, box: Box | None = None, name: str = "Relabel", **held: Unpack[Held]
) -> Edit | None:
    """Give classes other ids, all at once: ``{1: 2, 2: 1}`` swaps two.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy.
    ids : mapping of int to int
        Old id to new id; 0 is background.
    box : Box, optional
        Where voxels may change, by default everywhere; may reach past the volume.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`: a locked class on either side of an arrow keeps its voxels.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If a new id does not fit into the type of the labels.
    """
    moves = {old: new for old, new in ids.items() if old != new}
    near = extent(labels, moves, box=box)
    if near is None:
        return None
    before = np.asarray(labels[near.slices])
    wanted = before
    for old, new in moves.items():
        wanted = with_class(wanted, one_of(before, [old]), new)
    return propose(name, before, wanted, box=near, **held)


def merge(
    labels: Any, class_ids: Collection[int], *, into: int, box: Box | None = None, name: str = "Merge",
    **held: Unpack[Held],
) -> Edit | None:  # fmt: skip
    """Make one class of several; see `relabel`."""
    return relabel(labels, dict.fromkeys(class_ids, into), box=box, name=name, **held)


def swap(
    labels: Any, first: int, second: int, *, box: Box | None = None, name: str = "Swap", **held: Unpack[Held]
) -> Edit | None:
    """Exchange two classes; see `relabel`."""
    return relabel(labels, {first: second, second: first}, box=box, name=name, **held)


def object_at(labels: Any, voxel: Triple) -> Objects:
    """Find the object under a voxel (z, y, x): its voxels of one class that touch, by a face, an edge or a corner.

    Only the surroundings are read, twice as far each time until the object ends inside them.

    Returns
    -------
    Objects
        With one object, number 1, that has the class of the voxel.

    Raises
    ------
    Vol3dError
        If the voxel is background or lies outside the volume.
    """
    box = _voxel(labels, voxel)
    class_id = int(np.asarray(labels[box.slices])[0, 0, 0])
    if class_id == 0:
        raise Vol3dError("There is no object here: this voxel is background.", hint="Click into an object.")
    reach = FIRST_LOOK
    while True:
        read = clipped(box.grown((reach, reach, reach)), labels)
        found = _touched(np.asarray(labels[read.slices]) == class_id, box.shifted(_minus(read.start)))
        inside = bounds(found)
        if inside is not None and _ends_inside(inside.shifted(read.start), read, labels.shape):
            numbers = found[inside.slices].astype(np.int32)
            return Objects(box=inside.shifted(read.start), numbers=numbers, voxels=(0, int(found.sum())))
        reach *= 2


def relabel_objects(
    labels: Any, objects: Objects, numbers: Collection[int], *, into: int, name: str = "Relabel object",
    **held: Unpack[Held],
) -> Edit | None:  # fmt: skip
    """Give objects of a class to another: one to rename it, several to merge them, 0 to delete them.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the box around the objects is read.
    objects : Objects
        Of these labels, as `object_at` or `core.objects.find_objects` gives them.
    numbers : collection of int
        Which of them.
    into : int
        The id that they get.

    Raises
    ------
    Vol3dError
        If the labels changed there since the objects were found, or the id does not fit into their type.
    """
    mask = one_of(objects.numbers, [number for number in numbers if number > 0])
    inside = bounds(mask)
    if inside is None:
        return None
    mask, box = mask[inside.slices], inside.shifted(objects.box.start)
    before = np.asarray(labels[box.slices])
    if before.shape != mask.shape or np.ptp(before[mask]) or not before[mask].all():
        raise Vol3dError("The labels changed since these objects were found.", hint="Look for the objects again.")
    return propose(name, before, with_class(before, mask, into), box=box, **held)


def copy_box(labels: Any, source: Any, *, box: Box, name: str = "Copy labels", **held: Unpack[Held]) -> Edit | None:
    """Make a box as it is in other labels, their background included.

    Parameters
    ----------
    labels, source : array of an unsigned integer type, shape (Z, Y, X)
        The labels to correct, and those of another layer or the prediction, on the same grid; only the box is read.
    box : Box
        May reach past the volume.
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
        If the grids differ, the source holds no ids, or an id does not fit into the type of the labels.
    """
    return _copy(labels, source, lambda _, theirs: theirs, box=box, name=name, held=held)


def copy_classes(
    labels: Any, source: Any, class_ids: Collection[int], *, box: Box, name: str = "Copy labels", **held: Unpack[Held]
) -> Edit | None:
    """Make some classes in a box exactly as they are in other labels; see `copy_box`.

    Voxels that have such a class here but not there become background.
    """

    def wanted(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
        return _put(with_class(ours, one_of(ours, class_ids), 0), theirs, class_ids)

    return _copy(labels, source, wanted, box=box, name=name, held=held)


def add_classes(
    labels: Any, source: Any, class_ids: Collection[int], *, box: Box, name: str = "Add labels", **held: Unpack[Held]
) -> Edit | None:
    """Add to some classes in a box what other labels give to them; see `copy_box`. None of their voxels is lost."""

    def wanted(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
        return np.where(one_of(ours, class_ids), ours, _put(ours, theirs, class_ids))

    return _copy(labels, source, wanted, box=box, name=name, held=held)


def _put(ours: NDArray[Any], theirs: NDArray[Any], class_ids: Collection[int]) -> NDArray[Any]:
    # In the type that holds the ids of both: `limited` refuses those that the labels cannot hold.
    return np.where(one_of(theirs, class_ids), theirs, ours)


def _copy(
    labels: Any, source: Any, wanted: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], *, box: Box, name: str,
    held: Held,
) -> Edit | None:  # fmt: skip
    if tuple(source.shape) != tuple(labels.shape):
        raise Vol3dError(
            f"The two label volumes differ in their grid: {tuple(source.shape)} and {tuple(labels.shape)} voxels.",
            hint="Choose labels of the same scan.",
        )
    if np.dtype(source.dtype).kind not in "ui":
        raise Vol3dError(f"Only labels can be copied; this is {source.dtype}.", hint="Choose a labels layer.")
    part = clipped(box, labels)
    ours = np.asarray(labels[part.slices])
    return propose(name, ours, wanted(ours, np.asarray(source[part.slices])), box=part, **held)


def _voxel(labels: Any, voxel: Triple) -> Box:
    z, y, x = (int(v) for v in voxel)
    box = Box(start=(z, y, x), stop=(z + 1, y + 1, x + 1))
    if not clipped(box, labels).size:
        raise Vol3dError(f"There is no voxel {(z, y, x)} in these labels.", hint="Click inside the scan.")
    return box


def _touched(mask: NDArray[np.bool_], voxel: Box) -> NDArray[np.bool_]:
    """Give the part of a mask that hangs together with a voxel of it."""
    numbers, _ = ndimage.label(mask, TOUCHING, output=np.int32)
    return np.asarray(numbers == numbers[voxel.slices])


def _ends_inside(part: Box, read: Box, shape: Triple) -> bool:
    """Whether an object that touches a face of what was read touches only faces of the volume."""
    spans = zip(part.start, part.stop, read.start, read.stop, shape, strict=True)
    return all((a > first or a == 0) and (b < last or b == length) for a, b, first, last, length in spans)


def _minus(offset: Triple) -> Triple:
    z, y, x = offset
    return (-z, -y, -x)
