"""One change of labels that can be taken back: what every tool, brush and journal speaks in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edit:
    """A change of the labels in a box.

    Attributes
    ----------
    name : str
        What a person would call it: "Paint anterior, z 40-44".
    box : Box
        The smallest that holds all changed voxels.
    before, after : ndarray of an unsigned integer type, shape `box.shape`
        The labels in the box; voxels where the two agree are not part of the change.
    frame : int
        The time point, of labels (T, Z, Y, X); 0 for labels (Z, Y, X).
    """

    name: str
    box: Box
    before: NDArray[Any]
    after: NDArray[Any]
    frame: int = 0

    def __post_init__(self) -> None:
        if not self.before.shape == self.after.shape == self.box.shape:
            raise ValueError(
                f"labels of shape {self.box.shape} were expected; received {self.before.shape} and {self.after.shape}"
            )

    @classmethod
    def between(
        cls, name: str, before: NDArray[Any], after: NDArray[Any], *, start: Triple = (0, 0, 0), frame: int = 0
    ) -> Edit | None:
        """Find what differs between two states of a box; None where nothing does.

        Parameters
        ----------
        before, after : ndarray, shape (z, y, x)
            Not kept: what is changed is copied.
        start : tuple of int
            Where their first voxel lies in the volume.
        """
        changed = before != after
        inside = bounds(changed)
        if inside is None:
            return None
        old, new = before[inside.slices].copy(), after[inside.slices].copy()
        return cls(name=name, box=inside.shifted(start), before=old, after=new, frame=frame)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which voxels of the box it changes."""
        return np.asarray(self.before != self.after)

    @property
    def count(self) -> int:
        """Number of changed voxels."""
        return int(np.count_nonzero(self.changed))

    def inverse(self, name: str | None = None) -> Edit:
        """Give the change that takes this one back."""
        return replace(self, before=self.after, after=self.before, name=self.name if name is None else name)

    def apply(self, labels: NDArray[Any]) -> None:
        """Write the changed voxels into labels (Z, Y, X) or (T, Z, Y, X), and no other.

        Raises
        ------
        Vol3dError
            If the volume does not hold the box, or its type not the ids.
        """
        where = self._place(labels)
        changed, wanted = self.changed, self.after
        highest = int(wanted[changed].max(initial=0))
        if highest > np.iinfo(labels.dtype).max:
            raise Vol3dError(
                f"Class {highest} does not fit into {labels.dtype} labels.",
                hint="Convert the labels to uint16 or uint32.",
            )
        part = np.asarray(labels[where])
        part[changed] = wanted[changed]
        labels[where] = part  # of an array a view of itself; of voxels in a file this writes

    def undo(self, labels: NDArray[Any]) -> None:
        """Write back what was there before."""
        self.inverse().apply(labels)

    def fits(self, labels: NDArray[Any]) -> bool:
        """Whether labels hold, at the changed voxels, what this change starts from."""
        part, changed = np.asarray(labels[self._place(labels)]), self.changed
        return bool(np.array_equal(part[changed], self.before[changed]))

    def _place(self, labels: Any) -> tuple[int | slice, ...]:
        spatial = tuple(int(n) for n in labels.shape[-3:])
        whole = self.box.intersect(Box(start=(0, 0, 0), stop=(spatial[0], spatial[1], spatial[2]))) == self.box
        series = len(labels.shape) == 4
        if not whole or (series and self.frame >= labels.shape[0]) or (not series and self.frame):
            raise Vol3dError(
                f"The change lies outside these labels: {self.box.start} to {self.box.stop}, they are {spatial}.",
                hint="Choose the labels that it was made on.",
            )
        return (*((self.frame,) if series else ()), *self.box.slices)


def bounds(mask: NDArray[np.bool_]) -> Box | None:
    """Give the smallest box around the true voxels of a mask (z, y, x); None where there are none."""
    spans: list[tuple[int, int]] = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if not hit.size:
            return None
        spans.append((int(hit[0]), int(hit[-1]) + 1))
    (z0, z1), (y0, y1), (x0, x1) = spans
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))


def replay(labels: NDArray[Any], edits: Sequence[Edit]) -> None:
    """Apply changes one after the other."""
    for edit in edits:
        edit.apply(labels)
