"""A volume with its axes in another order and direction: what a network wants to see, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Geometry, StoredGrid, Volume

TOWARDS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}  # world axis, and sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The map between the axes of a volume and the same axes in another order and direction; boxes map exactly.

    Attributes
    ----------
    shape : tuple of int
        Of the volume, along its own axes.
    axes : tuple of int
        Turned axis k is the volume's axis ``axes[k]``.
    flips : tuple of bool
        True where turned axis k runs against the volume's.
    """

    shape: Triple
    axes: Triple = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)

    @property
    def identity(self) -> bool:
        """Whether nothing is turned."""
        return self.axes == (0, 1, 2) and not any(self.flips)

    def forth(self, box: Box) -> Box:
        """Give a box of the volume's voxels along the turned axes."""
        spans = [self._span(k, box.start[axis], box.stop[axis]) for k, axis in enumerate(self.axes)]
        return _box(spans)

    def back(self, box: Box) -> Box:
        """Give a box along the turned axes in voxels of the volume: the inverse of `forth`."""
        spans = [self._span(k, box.start[k], box.stop[k]) for k in map(self.axes.index, range(3))]
        return _box(spans)

    def forth_focus(self, focus: Focus) -> Focus:
        """Give where a person looks along the turned axes."""
        places = [focus.point[axis] for axis in self.axes]
        z, y, x = (self.shape[a] - 1 - p if f else p for a, f, p in zip(self.axes, self.flips, places, strict=True))
        return Focus(point=(z, y, x), axis=None if focus.axis is None else self.axes.index(focus.axis))

    def back_each(self, values: tuple[float, float, float]) -> tuple[float, float, float]:
        """Give what belongs to each turned axis in the order of the volume's own, such as spacings."""
        z, y, x = (values[self.axes.index(axis)] for axis in range(3))
        return (z, y, x)

    def back_array(self, array: NDArray[Any], *, lead: int = 0) -> NDArray[Any]:
        """View an array of voxels along the turned axes as the volume's own; `lead` axes before them stay."""
        ahead = (slice(None),) * lead
        unflipped = array[(*ahead, *(slice(None, None, -1 if flip else 1) for flip in self.flips))]
        order = [lead + self.axes.index(axis) for axis in range(3)]
        return unflipped.transpose((*range(lead), *order, *range(lead + 3, array.ndim)))

    def volume(self, volume: Volume) -> Volume:
        """View a volume along the turned axes, where it lies in the world; of lazy voxels nothing is read."""
        if self.identity:
            return volume
        matrix = np.zeros((4, 4))
        for k, (axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            matrix[axis, k] = -1.0 if flip else 1.0
            matrix[axis, 3] = self.shape[axis] - 1.0 if flip else 0.0
        matrix[3, 3] = 1.0
        geometry = replace(volume.geometry, affine=volume.geometry.affine @ matrix, stored=StoredGrid())
        return replace(volume, data=self._data(volume.data), geometry=geometry)

    def _data(self, data: Any) -> Any:
        if not isinstance(data, np.ndarray):
            return Turned(data, self)
        turned = data.transpose((*self.axes, *range(3, data.ndim)))
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def _span(self, turned_axis: int, start: int, stop: int) -> tuple[int, int]:
        length = self.shape[self.axes[turned_axis]]
        return (length - stop, length - start) if self.flips[turned_axis] else (start, stop)


class Turned(Sliced):
    """Lazy voxels along turned axes; further axes stay behind."""

    def __init__(self, data: Any, turn: Turn) -> None:
        super().__init__([*(data.shape[axis] for axis in turn.axes), *data.shape[3:]], data.dtype)
        self.data, self._turn = data, turn

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        own = [self._own(k, spans[k]) for k in map(self._turn.axes.index, range(3))]
        part = np.asarray(self.data[(*own, *spans[3:])])
        turned = part.transpose((*self._turn.axes, *range(3, part.ndim)))
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self._turn.flips)]

    def _own(self, turned_axis: int, span: slice) -> slice:
        if not self._turn.flips[turned_axis]:
            return span
        places, last = range(span.start, span.stop, span.step), self.shape[turned_axis] - 1
        return slice(last - places[-1], last - places[0] + 1, span.step)


def turn_to(geometry: Geometry, shape: Triple, letters: str) -> Turn:
    """Find the turn after which a volume's three axes run to where `letters` say, as nibabel.aff2axcodes names them.

    Parameters
    ----------
    letters : str
        Such as "LIA"; empty: as they are. Volumes that are not anatomical stay as they are too.

    Notes
    -----
    Of an oblique volume it is the nearest axes: those whose directions agree best, all three together.
    """
    if not letters or not geometry.anatomical:
        return Turn(shape=shape)
    wanted, direction = [TOWARDS[letter] for letter in letters], geometry.direction

    def agreement(order: tuple[int, ...]) -> float:
        return float(sum(abs(direction[world, axis]) for (world, _), axis in zip(wanted, order, strict=True)))

    a, b, c = max(permutations(range(3)), key=agreement)
    i, j, k = (bool(direction[world, axis] * sign < 0) for (world, sign), axis in zip(wanted, (a, b, c), strict=True))
    return Turn(shape=shape, axes=(a, b, c), flips=(i, j, k))


def _box(spans: list[tuple[int, int]]) -> Box:
    (z0, z1), (y0, y1), (x0, x1) = spans
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))
