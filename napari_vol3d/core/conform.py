"""Grey levels as FreeSurfer's `mri_convert --conform` makes them: 0 to 255, the brightest in a thousand cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.intensity import IntensityMap, Planes

BINS = 1000
SHARE = 0.999  # of the voxels that are not 0
WHITE = 255.0


def conformed_levels(channel: Planes) -> IntensityMap:
    """Give the map to 0..255 of a channel (Z, Y, X), read plane by plane twice.

    Notes
    -----
    The upper end is found as `getscale` of FastSurfer does after FreeSurfer's MRIchangeType (Dale, Fischl and Sereno
    1999): two bins below the one in a histogram of 1000 bins up to which all but a thousandth of the voxels that are
    not 0 lie. The lower end is the smallest value. Levels are not rounded.
    """
    bounds = [(float(plane.min()), float(plane.max())) for plane in _planes(channel) if plane.size]
    low, high = min((a for a, _ in bounds), default=0.0), max((b for _, b in bounds), default=0.0)
    if high > low:
        width = (high - low) / BINS
        high = low + max(_last_bin(channel, low, high), 1) * width
    scale = WHITE / (high - low) if high > low else 0.0
    return IntensityMap(low=low, high=high, shift=low, scale=scale)


def _last_bin(channel: Planes, low: float, high: float) -> int:
    counts, others = np.zeros(BINS, np.int64), 0
    for plane in _planes(channel):
        counts += np.histogram(plane, BINS, (low, high))[0]
        others += int(np.count_nonzero(plane))
    enough = int(counts.sum()) - int((1 - SHARE) * others)
    return int(np.argmax(np.cumsum(counts) >= enough)) - 2


def _planes(channel: Planes) -> Iterator[NDArray[Any]]:
    """Give the finite voxels of each plane."""
    for z in range(channel.shape[0]):
        plane = np.asarray(channel[z])
        yield plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane.reshape(-1)
