"""Measuring the intensities of a scan, however large it is, and the box around what is bright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.conform import conformed_levels
from napari_vol3d.core.foreground import foreground_box
from napari_vol3d.core.intensity import IntensityMap, Planes, measure_intensity
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import ForegroundCrop, ModelCard
from napari_vol3d.pipeline.stage import Staged

EXACT = 1e-6  # voxels; what dividing by a ratio leaves


def measure_scan(frame: Volume, card: ModelCard, *, grid: GridMap | None = None) -> tuple[IntensityMap, ...]:
    """Give the intensity map of each channel, as the model's scheme has it.

    Parameters
    ----------
    grid : GridMap, optional
        From the frame's grid, along its axes, to the one that the model works on. A network that wants each scan in
        one size was shown levels that were measured in that size: so they are here.
    """
    whole = card.input.conform is not None or card.input.resize_to is not None
    resampled = grid if whole and grid is not None and not grid.identity else None
    found = []
    for channel in _channels(frame):
        first = conformed_levels(channel) if card.input.conform is not None else None
        planes: Planes = channel if resampled is None else _Resampled(channel, resampled)
        planes = planes if first is None else _Mapped(planes, first)
        if whole and card.input.intensity.kind in ("minmax", "maximum"):
            planes = _extremes(planes)
        measured = measure_intensity(planes, card.input.intensity)
        found.append(measured if first is None else first.then(measured))
    return tuple(found)


def measure_staged(
    staged: Staged, frame: Box, grid: GridMap, card: ModelCard
) -> tuple[tuple[IntensityMap, ...], Box | None]:
    """Give the intensity maps of a frame of a staged scan and, where the card asks for it, the bright part of it.

    Parameters
    ----------
    frame : Box
        In voxels of `staged.volume`; so is the bright part.
    grid : GridMap
        From the frame's grid to the model's.
    """
    seen, own = staged.seen(frame), staged.back_grid(grid)
    maps, crop = measure_scan(seen, card, grid=own), card.input.crop
    bright = None if crop is None else find_bright(seen, maps, crop, grid=own)
    return maps, None if bright is None else staged.forth_frame(bright, frame)


def find_bright(frame: Volume, maps: Sequence[IntensityMap], crop: ForegroundCrop, *, grid: GridMap) -> Box | None:
    """Give the box, in voxels of the frame, that a network is shown of it; None where no voxel stands out.

    Parameters
    ----------
    maps : sequence of IntensityMap
        One a channel.
    grid : GridMap
        From the frame's grid, along its axes, to the one in whose voxels the card's padding counts.
    """
    z, y, x = (math.ceil(crop.padding / ratio - EXACT) for ratio in grid.ratio)
    return foreground_box(_channels(frame), maps, above=crop.above, padding=(z, y, x))


class _Channel:
    """One channel of a volume, plane by plane: the volume may be far larger than memory."""

    def __init__(self, volume: Volume, number: int) -> None:
        self.shape: tuple[int, ...] = volume.shape
        self._volume, self._number = volume, number

    def __getitem__(self, z: int) -> NDArray[Any]:
        plane: NDArray[Any] = self.slab(z, z + 1)[0]
        return plane

    def slab(self, start: int, stop: int) -> NDArray[Any]:
        """Give some planes, (z, y, x)."""
        _, y, x = self._volume.shape
        slab: NDArray[Any] = self._volume.read(Box(start=(start, 0, 0), stop=(stop, y, x)))
        return slab if slab.ndim == 3 else slab[..., self._number]


class _Resampled:
    """A channel on the model's grid, plane by plane, interpolated as the engine does it."""

    def __init__(self, channel: _Channel, grid: GridMap) -> None:
        self.shape: tuple[int, ...] = grid.model_shape
        self._channel, self._grid = channel, grid
        given: Triple = grid.scan_shape
        self._rows, self._columns = (grid.weights_to_model(k, (0, given[k]), (0, self.shape[k])) for k in (1, 2))

    def __getitem__(self, z: int) -> NDArray[Any]:
        part = self._grid.needed_along(0, z, z + 1)
        weights = self._grid.weights_to_model(0, part, (z, z + 1))[0]
        plane = np.tensordot(weights, self._channel.slab(*part).astype(np.float32), 1)
        return np.asarray(self._rows @ plane @ self._columns.T)


class _Mapped:
    """A channel whose intensities are mapped, plane by plane."""

    def __init__(self, channel: Planes, by: IntensityMap) -> None:
        self.shape = channel.shape
        self._channel, self._by = channel, by

    def __getitem__(self, z: int) -> NDArray[Any]:
        return self._by.apply(self._channel[z])


def _channels(frame: Volume) -> list[_Channel]:
    return [_Channel(frame, number) for number in range((*frame.data.shape[3:], 1)[0])]


def _extremes(channel: Planes) -> NDArray[Any]:
    """Give a volume that holds the smallest and the largest finite value alone: no subset misses a bright voxel."""
    found = []
    for z in range(channel.shape[0]):
        plane = np.asarray(channel[z])
        finite = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
        found += [finite.min(), finite.max()] if finite.size else []
    return np.asarray([min(found), max(found)] if found else [0.0]).reshape(-1, 1, 1)
