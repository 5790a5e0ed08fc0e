"""Seeds as they were painted: lines of voxels, each of a class or of the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple

BACKGROUND = 2**40  # stands for it among seeds, where 0 means that there are none; no type of labels holds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line of seeds.

    Attributes
    ----------
    class_id : int
        Or `BACKGROUND`.
    voxels : tuple of (z, y, x)
        In the order in which they were painted.
    """

    class_id: int
    voxels: tuple[Triple, ...]
    frame: int = 0


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Strokes as the volume of ids that growing reads a box of; where two cross, the later one counts.

    Attributes
    ----------
    shape : tuple of int
        Of the labels, (Z, Y, X).
    """

    strokes: Sequence[Stroke]
    shape: Triple

    @cached_property
    def ids(self) -> dict[Triple, int]:
        """The class of each voxel."""
        return {voxel: stroke.class_id for stroke in self.strokes for voxel in stroke.voxels}

    def of(self, class_id: int) -> list[Triple]:
        """Give the voxels of a class."""
        return [voxel for voxel, own in self.ids.items() if own == class_id]

    @property
    def box(self) -> Box:
        """The smallest that holds all; there must be one."""
        voxels = np.array(list(self.ids))
        (z0, y0, x0), (z1, y1, x1) = voxels.min(axis=0).tolist(), (voxels.max(axis=0) + 1).tolist()
        return Box(start=(z0, y0, x0), stop=(z1, y1, x1))

    def __getitem__(self, slices: tuple[slice, slice, slice]) -> NDArray[np.int64]:
        starts = [part.start for part in slices]
        found = np.zeros([part.stop - part.start for part in slices], np.int64)
        if self.ids:
            places, ids = np.array(list(self.ids)) - starts, np.fromiter(self.ids.values(), np.int64)
            here = np.all((places >= 0) & (places < found.shape), axis=1)
            found[tuple(places[here].T)] = ids[here]
        return found


def without(strokes: Sequence[Stroke], rubbed: Sequence[Triple], *, reach: int, frame: int) -> tuple[Stroke, ...]:
    """Take out what lies within some voxels of those that were rubbed over; a line may fall into two."""
    wiped = np.array(rubbed).reshape(-1, 3)
    found: list[Stroke] = []
    for stroke in strokes:
        if stroke.frame != frame:
            found.append(stroke)
            continue
        away = np.abs(np.array(stroke.voxels)[:, None] - wiped[None]).max(axis=-1).min(axis=1)
        found.extend(_left(stroke, away > reach))
    return tuple(found)


def _left(stroke: Stroke, kept: NDArray[np.bool_]) -> list[Stroke]:
    """Give what is left of a stroke, a piece for each run."""
    cuts: Any = np.flatnonzero(np.diff(kept)) + 1
    pieces = np.split(np.arange(len(kept)), cuts)
    return [
        Stroke(class_id=stroke.class_id, voxels=tuple(stroke.voxels[k] for k in piece), frame=stroke.frame)
        for piece in pieces if kept[piece[0]]
    ]  # fmt: skip
