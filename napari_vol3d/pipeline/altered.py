"""A scan changed a little, as another scanner or head coil might have made it; the labels should stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_vol3d.core.volume import Volume

BLUR = 0.8  # standard deviation, voxels
NEARER = 1.12  # times the size
Alteration = Callable[[Volume], Volume]


def blurred(scan: Volume) -> Volume:
    """Give a scan without its finest detail: each channel smoothed by a Gaussian; type and grid stay."""
    data = np.asarray(scan.data)
    widths = (BLUR,) * 3 + (0.0,) * (data.ndim - 3)
    soft = ndimage.gaussian_filter(data, widths, output=np.float32 if data.dtype.kind != "f" else data.dtype)
    return scan.with_data(np.rint(soft).astype(data.dtype) if data.dtype.kind in "iu" else soft)


def nearer(scan: Volume) -> Volume:
    """Give a scan that says to be larger than it is: a model with a spacing of its own then sees all of it larger."""
    affine = scan.geometry.affine.copy()
    affine[:3, :3] *= NEARER
    return replace(scan, geometry=replace(scan.geometry, affine=affine))


ALTERED: tuple[Alteration, ...] = (blurred, nearer)
