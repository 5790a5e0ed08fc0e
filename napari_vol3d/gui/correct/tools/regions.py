"""Grow seeds through intensities like theirs: as far as these hang together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import FREE, Held, in_range, limited, propose, with_class

NEIGHBOURS = (1, 1, 1)  # voxels around each seed that count, as in ITK's ConfidenceConnected


def range_around(image: Any, seeds: Sequence[Triple], *, spread: float) -> tuple[float, float]:
    """Give the intensities around seeds: their mean, and so many standard deviations to both sides.

    The seeds' own intensities always lie in it.

    Parameters
    ----------
    image : array, shape (Z, Y, X)
        In memory or lazy; the box around the seeds is read.
    """
    read = _around(seeds).intersect(Box.of(image.shape))
    values = np.asarray(image[read.slices], np.float64)
    seeded = np.zeros(values.shape, bool)
    seeded[tuple(np.transpose(np.array(seeds) - read.start))] = True
    near = ndimage.binary_dilation(seeded, np.ones((3, 3, 3), bool)) & np.isfinite(values)
    mean, reach = float(values[near].mean()), spread * float(values[near].std())
    own = values[seeded]
    return min(mean - reach, float(own.min())), max(mean + reach, float(own.max()))


def grow_regions(
    labels: Any, seeds: Sequence[Triple], *, class_id: int, spread: float, box: Box, name: str, **held: Unpack[Held]
) -> Edit | None:
    """Give a class what hangs together, face to face, with any of its seeds, in their range of intensities.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        Only the box is read.
    seeds : sequence of (z, y, x)
        Inside the box.
    spread : float
        See `range_around`.
    box : Box
        Inside the volume; where voxels may change.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`; the image is needed. What stays is not grown through either.

    Raises
    ------
    Vol3dError
        If none of the seeds may change.
    """
    image, guarded = np.asarray(held["image"][box.slices]), held.get("guarded")
    before = np.asarray(labels[box.slices])
    limits = held.get("limits", FREE)
    may = limited(
        before, with_class(before, np.ones(before.shape, bool), class_id), limits, image=image,
        guarded=None if guarded is None else np.asarray(guarded[box.slices], bool),
    ) == class_id  # fmt: skip
    numbers, _ = ndimage.label(may & in_range(image, range_around(held["image"], seeds, spread=spread)))
    ours = np.unique(numbers[tuple(np.transpose(np.array(seeds) - box.start))])
    ours = ours[ours > 0]
    if not ours.size:
        raise Vol3dError("The seeds lie where nothing may change.", hint="Unlock their class, or widen the limits.")
    return propose(name, before, with_class(before, np.isin(numbers, ours), class_id), box=box, **held)


def _around(seeds: Sequence[Triple]) -> Box:
    (z0, y0, x0), (z1, y1, x1) = np.min(seeds, axis=0).tolist(), (np.max(seeds, axis=0) + 1).tolist()
    return Box(start=(z0, y0, x0), stop=(z1, y1, x1)).grown(NEIGHBOURS)
