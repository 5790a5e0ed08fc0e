"""How much there is of each class, in units that people use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry

MICROLITRES_PER_ML = 1000.0
FEW = 16


def count_voxels(labels: NDArray[Any]) -> Counter[int]:
    """Count the voxels of each id of a label volume (Z, Y, X), background included."""
    counts: Counter[int] = Counter()
    for plane in labels:  # one after the other: a whole volume would be copied
        highest = int(plane.max(initial=0)) if plane.dtype.kind == "u" else FEW + 1
        if highest <= FEW:  # many times quicker than sorting
            found, times = list(range(highest + 1)), [int(np.count_nonzero(plane == i)) for i in range(highest + 1)]
        else:
            found, times = (each.tolist() for each in np.unique(plane, return_counts=True))
        counts.update({i: n for i, n in zip(found, times, strict=True) if n})
    return counts


def class_amounts(
    counts: Mapping[int, int], classes: Sequence[LabelClass], geometry: Geometry
) -> list[tuple[LabelClass, str]]:
    """Say how much there is of each class.

    Parameters
    ----------
    counts : mapping of int to int
        Voxels of each id.

    Returns
    -------
    list of (LabelClass, str)
        The volume with its unit: mL for scans in mm, cubic micrometres for scans in um, else voxels.
    """
    return [(item, amount(counts.get(item.id, 0), geometry)) for item in classes]


def amount(voxels: int, geometry: Geometry) -> str:
    """Say how much that many voxels are."""
    size = voxels * float(np.prod(geometry.spacing))
    if geometry.unit == "mm":
        millilitres = size / MICROLITRES_PER_ML
        return f"{millilitres:.3g} mL" if millilitres < 100 else f"{millilitres:.0f} mL"
    if geometry.unit in ("um", "nm"):
        return f"{size:,.0f} {'µm³' if geometry.unit == 'um' else 'nm³'}"
    return f"{voxels:,} voxels"
