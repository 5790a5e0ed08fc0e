"""The box around what is bright: all that some networks are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.intensity import IntensityMap, Planes


def foreground_box(
    channels: Sequence[Planes], maps: Sequence[IntensityMap], *, above: float, padding: Triple = (0, 0, 0)
) -> Box | None:
    """Find the box around the voxels whose mapped value exceeds a share of the largest, of any channel.

    Parameters
    ----------
    channels : sequence of array-like, each of shape (Z, Y, X)
        Read plane by plane, twice.
    maps : sequence of IntensityMap
        One a channel.
    above : float
        Share of the channel's largest mapped value.
    padding : tuple of int
        Voxels added on each side, as far as the volume goes.

    Returns
    -------
    Box or None
        None where nothing is brighter.
    """
    found: Box | None = None
    for channel, mapped in zip(channels, maps, strict=True):
        box = _bright(channel, mapped, above)
        found = box if found is None or box is None else found.joined(box)
    if found is None:
        return None
    z, y, x = channels[0].shape[:3]
    return found.grown(padding).intersect(Box.of((z, y, x)))


def _bright(channel: Planes, mapped: IntensityMap, above: float) -> Box | None:
    depth, height, width = channel.shape[:3]
    limit = above * max((float(mapped.apply(channel[z]).max(initial=-np.inf)) for z in range(depth)), default=0.0)
    seen = [np.zeros(depth, bool), np.zeros(height, bool), np.zeros(width, bool)]
    for z in range(depth):
        bright = mapped.apply(channel[z]) > limit
        seen[1] |= bright.any(axis=1)
        seen[2] |= bright.any(axis=0)
        seen[0][z] = bool(bright.any())
    if not seen[0].any():
        return None
    (z0, z1), (y0, y1), (x0, x1) = ((int(s.argmax()), len(s) - int(s[::-1].argmax())) for s in seen)
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1))
