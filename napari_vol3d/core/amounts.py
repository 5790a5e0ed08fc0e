"""How much there is of each class, in units that people use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry

MICROLITRES_PER_ML = 1000.0


def class_amounts(
    labels: NDArray[Any], classes: Sequence[LabelClass], geometry: Geometry
) -> list[tuple[LabelClass, str]]:
    """Measure each class of a label volume (Z, Y, X).

    Returns
    -------
    list of (LabelClass, str)
        The volume with its unit: mL for scans in mm, cubic micrometres for scans in um, else voxels.
    """
    counts = dict.fromkeys((item.id for item in classes), 0)
    for layer in labels:  # slice by slice: a whole volume would be copied into eight bytes a voxel
        found, times = np.unique(layer, return_counts=True)
        for value, count in zip(found.tolist(), times.tolist(), strict=True):
            if value in counts:
                counts[value] += count
    return [(item, amount(counts[item.id], geometry)) for item in classes]


def amount(voxels: int, geometry: Geometry) -> str:
    """Say how much that many voxels are."""
    size = voxels * float(np.prod(geometry.spacing))
    if geometry.unit == "mm":
        millilitres = size / MICROLITRES_PER_ML
        return f"{millilitres:.3g} mL" if millilitres < 100 else f"{millilitres:.0f} mL"
    if geometry.unit in ("um", "nm"):
        return f"{size:,.0f} {'µm³' if geometry.unit == 'um' else 'nm³'}"
    return f"{voxels:,} voxels"
