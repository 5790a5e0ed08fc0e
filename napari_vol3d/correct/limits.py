"""What a correction must leave alone: every tool's proposal goes through `limited` before it becomes an `Edit`."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError

FEW_IDS = 8  # up to here comparing one by one is faster than sorting


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be changed, as the masking of 3D Slicer's Segment Editor says it.

    Attributes
    ----------
    inside : frozenset of int or None
        Only voxels of these classes are overwritten; 0 is background. None: of any class.
    locked : frozenset of int
        These classes neither lose nor gain a voxel.
    intensity : tuple of float or None
        Only voxels whose image value lies from the first to the second, both included, in the image's own unit;
        a value that is not a number lies in no range.

    Raises
    ------
    Vol3dError
        If the range holds no value.
    """

    inside: frozenset[int] | None = None
    locked: frozenset[int] = frozenset()
    intensity: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.intensity is not None:
            check_range(self.intensity)

    def takes(self, class_id: int) -> bool:
        """Whether voxels may become this class at all; a tool that only paints a locked one can be disabled."""
        return class_id not in self.locked


FREE = Limits()


class Held(TypedDict, total=False):
    """What every tool is told of what it must leave alone; each may be left out.

    Attributes
    ----------
    limits : Limits
        By default everything may change.
    image : array, shape (Z, Y, X)
        The whole scan on the grid of the labels, in memory or lazy; needed for a range of intensities.
    guarded : array of bool, shape (Z, Y, X)
        Voxels of the whole volume that stay, as those corrected by hand.
    """

    limits: Limits
    image: Any
    guarded: Any


def limited(
    before: NDArray[Any],
    wanted: NDArray[Any],
    limits: Limits,
    *,
    image: NDArray[Any] | None = None,
    guarded: NDArray[np.bool_] | None = None,
) -> NDArray[Any]:
    """Give the labels of a box with as much of a proposal as the limits allow.

    Parameters
    ----------
    before, wanted : ndarray of an integer type, shape (z, y, x)
        What the box holds and what a tool makes of it; neither is changed.
    image : ndarray, shape (z, y, x)
        The scan in the box; needed only for limits with a range of intensities.
    guarded : ndarray of bool, shape (z, y, x), optional
        Voxels that stay, as those corrected by hand.

    Returns
    -------
    ndarray of the type of `before`, shape (z, y, x)
        A new array.

    Raises
    ------
    Vol3dError
        If shapes differ, the image is missing, or an id does not fit into the type of the labels.
    """
    _check(before, wanted, limits, image, guarded)
    changed = np.asarray(before != wanted)
    new = wanted[changed]
    allowed = _allowed(before[changed], new, limits)
    if limits.intensity is not None and image is not None:
        allowed &= in_range(image[changed], limits.intensity)
    if guarded is not None:
        allowed &= ~guarded[changed]
    changed[changed] = allowed
    after = before.copy()
    after[changed] = _fitting(new[allowed], before.dtype)
    return after


def propose(
    name: str, before: NDArray[Any], wanted: NDArray[Any], *, box: Box, **held: Unpack[Held]
) -> Edit | None:
    """Make an edit of what the limits allow of a proposal, None where that is nothing.

    Parameters
    ----------
    before, wanted : ndarray of an integer type, shape `box.shape`
        See `limited`.
    box : Box
        Where they lie in the volume.
    **held
        What stays, see `Held`; of the volumes only the box is read.
    """
    limits, image, guarded = held.get("limits", FREE), held.get("image"), held.get("guarded")
    after = limited(
        before,
        wanted,
        limits,
        image=None if image is None or limits.intensity is None else np.asarray(image[box.slices]),
        guarded=None if guarded is None else np.asarray(guarded[box.slices], bool),
    )
    return Edit.between(name, before, after, start=box.start)


def with_class(labels: NDArray[Any], mask: NDArray[np.bool_], class_id: int) -> NDArray[Any]:
    """Copy labels and write one class where the mask is true, both (z, y, x).

    Raises
    ------
    Vol3dError
        If the id does not fit into the type of the labels.
    """
    after = labels.copy()
    after[mask] = _fitting(np.array([class_id]), labels.dtype)[0]
    return after


def one_of(labels: NDArray[Any], class_ids: Collection[int]) -> NDArray[np.bool_]:
    """Tell which voxels belong to one of the classes; ids that the type cannot hold belong to none."""
    ids = [i for i in class_ids if 0 <= i <= np.iinfo(labels.dtype).max]
    if len(ids) > FEW_IDS:
        return np.isin(labels, np.array(ids, labels.dtype))
    found = np.zeros(labels.shape, bool)
    for class_id in ids:
        found |= labels == class_id
    return found


def in_range(values: NDArray[Any], intensity: tuple[float, float]) -> NDArray[np.bool_]:
    """Tell which values of an image lie in a range, both ends included."""
    low, high = intensity
    return np.asarray((values >= low) & (values <= high))


def check_range(intensity: tuple[float, float]) -> None:
    """Refuse a range that holds no value."""
    low, high = intensity
    if math.isnan(low) or math.isnan(high) or low > high:
        raise Vol3dError(f"No intensity lies between {low:g} and {high:g}.", hint="Give the lower one first.")


def _allowed(old: NDArray[Any], new: NDArray[Any], limits: Limits) -> NDArray[np.bool_]:
    """Judge changes of single voxels by their classes."""
    allowed = np.ones(old.shape, bool) if limits.inside is None else one_of(old, limits.inside)
    if limits.locked:
        allowed &= ~(one_of(old, limits.locked) | one_of(new, limits.locked))
    return allowed


def _fitting(ids: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    lowest, highest = int(ids.min(initial=0)), int(ids.max(initial=0))
    if lowest < 0:
        raise Vol3dError(f"Class {lowest} can't be kept in labels: ids begin at 0.", hint="Choose another id.")
    if highest > np.iinfo(dtype).max:
        raise Vol3dError(
            f"Class {highest} does not fit into {dtype} labels.", hint="Convert the labels to uint16 or uint32."
        )
    return ids.astype(dtype, copy=False)


def _check(
    before: NDArray[Any],
    wanted: NDArray[Any],
    limits: Limits,
    image: NDArray[Any] | None,
    guarded: NDArray[np.bool_] | None,
) -> None:
    if before.dtype.kind not in "ui" or wanted.dtype.kind not in "ui":
        raise Vol3dError(
            f"Labels must be whole numbers; these are {before.dtype} and {wanted.dtype}.", hint="Convert them first."
        )
    if limits.intensity is not None and image is None:
        raise Vol3dError("A range of intensities needs an image.", hint="Choose the image, or take the range off.")
    for what, part in (("new labels", wanted), ("image", image), ("guarded voxels", guarded)):
        if part is not None and part.shape != before.shape:
            raise Vol3dError(
                f"The {what} and the labels differ in their grid: {part.shape} and {before.shape} voxels.",
                hint="Choose those of the same scan.",
            )
