"""A volume with more voxels around it, which have the smallest value that it holds."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Volume


class Padded(Sliced):
    """Voxels (Z, Y, X) or (Z, Y, X, C) within a larger grid.

    Parameters
    ----------
    before : tuple of int
        Voxels added before the first, along each axis; what is added behind follows from `shape`.
    shape : tuple of int
        (Z, Y, X) with all that is added.
    """

    def __init__(self, data: Any, before: Triple, shape: Triple) -> None:
        super().__init__((*shape, *data.shape[3:]), data.dtype)
        self._data = data
        self._inside = Box.of(tuple(data.shape[:3])).shifted(before)

    @cached_property
    def fill(self) -> NDArray[Any]:
        """Smallest finite value, of each channel where there are several; read plane by plane when first needed."""
        lowest = [_lowest(np.asarray(self._data[z])) for z in range(self._data.shape[0])]
        return np.asarray(np.min(lowest, axis=0), dtype=self.dtype)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        asked = Box(start=_three(s.start for s in spans), stop=_three(s.stop for s in spans))
        common = asked.intersect(self._inside)
        if common == asked:
            return self._read(common, spans[3:])[_steps(spans)]
        fill = self.fill[spans[3:]] if self.fill.ndim else self.fill
        part = np.broadcast_to(fill, (*asked.shape, *fill.shape)).copy()
        if common.size:
            back = (-asked.start[0], -asked.start[1], -asked.start[2])
            part[common.shifted(back).slices] = self._read(common, spans[3:])
        return part[_steps(spans)]

    def _read(self, box: Box, rest: tuple[slice, ...]) -> NDArray[Any]:
        start = self._inside.start
        return np.asarray(self._data[(*box.shifted((-start[0], -start[1], -start[2])).slices, *rest)])


def padded(volume: Volume, before: Triple, shape: Triple) -> Volume:
    """Give a volume with voxels added around it, where it lies in the world; nothing is read."""
    if shape == volume.shape:
        return volume
    affine = volume.geometry.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.asarray(before, dtype=np.float64)
    data = Padded(volume.data, before, shape)
    return replace(volume, data=data, geometry=replace(volume.geometry, affine=affine))


def _lowest(plane: NDArray[Any]) -> Any:
    """Smallest finite value of a plane (Y, X) or (Y, X, C); the largest there can be where it has none."""
    if plane.dtype.kind != "f":
        return plane.min(axis=(0, 1))
    return np.where(np.isfinite(plane), plane, np.finfo(plane.dtype).max).min(axis=(0, 1))


def _steps(spans: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(None, None, span.step) for span in spans[:3])


def _three(values: Any) -> Triple:
    z, y, x = tuple(values)[:3]
    return (z, y, x)
