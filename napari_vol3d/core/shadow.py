"""A copy of labels as their history knows them: what the labels hold now is compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit, bounds

SLAB = 4 * 2**20  # voxels compared at a time: a few milliseconds


class Shadow:
    """Holds labels (Z, Y, X) or (T, Z, Y, X).

    The array can be lent to whoever writes it to a disk; it then stays as it is, and what changes meanwhile is kept
    beside it: a person who paints does not wait for 250 MB to be copied once more.
    """

    def __init__(self, labels: NDArray[Any]) -> None:
        self._held = labels.copy()
        self._series = self._held if labels.ndim == 4 else self._held[None]
        self._lent = False
        self._later: list[Edit] = []

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels."""
        return self._held.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the labels."""
        return self._held.dtype

    @property
    def lent(self) -> bool:
        """Whether somebody has the array."""
        return self._lent

    def lend(self) -> NDArray[Any]:
        """Give the array away until `take_back`; it is not changed meanwhile."""
        self._lent = True
        return self._held

    def take_back(self) -> None:
        """Have the array again."""
        later, self._later, self._lent = self._later, [], False
        for edit in later:
            self.apply(edit)

    def apply(self, edit: Edit) -> None:
        """Follow a change of the labels; what the type can't hold makes it wider.

        Nothing of the array that is lent is changed.
        """
        if self._lent:
            self._later.append(edit)
            return
        if int(edit.after.max(initial=0)) > np.iinfo(self._held.dtype).max:
            self._held = self._held.astype(edit.after.dtype)
            self._series = self._held if self._held.ndim == 4 else self._held[None]
        edit.apply(self._held)

    def read(self, box: Box, frame: int = 0) -> NDArray[Any]:
        """Give the labels of a box; not to be written to."""
        part: NDArray[Any] = self._series[frame][box.slices]
        for edit in self._later:
            shared = edit.box.intersect(box)
            if edit.frame == frame and shared.size:
                part = _with(part, box, edit, shared)
        return part

    def differences(self, labels: NDArray[Any], frame: int = 0) -> Iterator[Box | None]:
        """Compare with the labels (Z, Y, X) of a time point, some planes at a time.

        Yields
        ------
        Box or None
            Where these planes differ; None where they do not.
        """
        depth, height, width = labels.shape
        planes = max(SLAB // max(height * width, 1), 1)
        for start in range(0, depth, planes):
            slab = Box(start=(start, 0, 0), stop=(min(start + planes, depth), height, width))
            before, now = self.read(slab, frame), labels[slab.slices]
            # Equal planes, by far the most, cost one pass.
            found = None if np.array_equal(before, now) else bounds(before != now)
            yield None if found is None else found.shifted(slab.start)


def together(name: str, edits: Sequence[Edit], shadow: Shadow) -> Edit | None:
    """Make one change of several of one time point, made one after the other; None where nothing is left of them.

    Parameters
    ----------
    shadow : Shadow
        As it was before the first of them.
    """
    box, frame = edits[0].box, edits[0].frame
    for edit in edits[1:]:
        box = box.joined(edit.box)
    before = shadow.read(box, frame)
    after = before.astype(np.result_type(before.dtype, *(edit.after.dtype for edit in edits)))
    for edit in edits:
        part = after[edit.box.shifted(_minus(box.start)).slices]
        part[edit.changed] = edit.after[edit.changed]
    return Edit.between(name, before, after, start=box.start, frame=frame)


def _with(part: NDArray[Any], box: Box, edit: Edit, shared: Box) -> NDArray[Any]:
    """Copy a part and do on it what an edit changes there."""
    mine, its = shared.shifted(_minus(box.start)).slices, shared.shifted(_minus(edit.box.start)).slices
    done = part.astype(np.result_type(part.dtype, edit.after.dtype))
    done[mine] = np.where(edit.changed[its], edit.after[its], done[mine])
    return done


def _minus(point: Triple) -> Triple:
    return (-point[0], -point[1], -point[2])
