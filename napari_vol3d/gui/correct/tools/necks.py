"""Split an object into a number of parts: the depth of a neck that gives as many is searched for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.relabel import object_at
from napari_vol3d.correct.split import FINEST_NECK, distances, peaks_of, smoothed

TRIES = 12  # halvings of the range of depths, which is taken by its logarithm


def neck_for(labels: Any, voxel: Triple, count: int, *, spacing: Spacing) -> float:
    """Find how deep a neck must be so that the object at a voxel (z, y, x) falls into as many parts.

    Raises
    ------
    Vol3dError
        If no depth gives as many, or there is no object.
    """
    mask = object_at(labels, voxel).numbers > 0
    depth = smoothed(distances(mask, spacing), mask, spacing)
    low, high = FINEST_NECK * min(spacing), float(depth.max())
    seen: set[int] = set()
    for _ in range(TRIES):
        neck = math.sqrt(low * high)
        found = max(1, int(peaks_of(depth, mask, neck).max()))
        if found == count:
            return neck
        seen.add(found)
        low, high = (low, neck) if found < count else (neck, high)
    raise Vol3dError(
        f"The object falls into {_words(seen)} parts, not {count}.", hint="Choose as many, or click into each part."
    )


def _words(numbers: Iterable[int]) -> str:
    return " or ".join(str(number) for number in sorted(numbers))
