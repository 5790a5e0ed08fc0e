"""How patients' volumes are held: their axes turned to the nearest of superior (z), posterior (y), left (x)."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np

from napari_vol3d.core.box import Triple
from napari_vol3d.core.volume import Affine, Geometry, StoredGrid

XYZ = StoredGrid(axes=(2, 1, 0))


def hold(affine: Affine, shape: Triple, *, anatomical: bool, unit: str, header: dict[str, Any]) -> Geometry:
    """Choose the held axes of a file.

    Parameters
    ----------
    affine : ndarray of float64, shape (4, 4)
        From the file's own index (its axes in the order x, y, z) to the world.
    shape : tuple of int
        Of the voxels in the file's own axis order.
    anatomical : bool
        Whether the world is a patient's (RAS+); else nothing is turned, and held is (z, y, x).
    unit : str
    header : mapping
        The format's own geometry fields, to be kept.
    """
    axes, flips = [2, 1, 0], [False, False, False]
    if anatomical:
        for stored, (world, sign) in enumerate(nib.io_orientation(affine)):
            held = 2 - int(world)
            axes[held] = stored
            flips[held] = bool(sign < 0) if held == 0 else bool(sign > 0)
    grid = StoredGrid(axes=(axes[0], axes[1], axes[2]), flips=(flips[0], flips[1], flips[2]), header=header)
    lengths = (shape[axes[0]], shape[axes[1]], shape[axes[2]])
    return Geometry(affine=affine @ stored_from_held(grid, lengths), unit=unit, anatomical=anatomical, stored=grid)


def stored_from_held(grid: StoredGrid, shape: Triple) -> Affine:
    """Give the matrix from the held index to the file's, for a held shape."""
    matrix = np.zeros((4, 4))
    for held, (stored, flip) in enumerate(zip(grid.axes, grid.flips, strict=True)):
        matrix[stored, held] = -1.0 if flip else 1.0
        matrix[stored, 3] = shape[held] - 1.0 if flip else 0.0
    matrix[3, 3] = 1.0
    return matrix


def held_from_stored(grid: StoredGrid, shape: Triple) -> Affine:
    """Give the matrix from the file's index to the held one, for a held shape: the inverse, without rounding."""
    forth = stored_from_held(grid, shape)
    back = np.eye(4)
    back[:3, :3] = forth[:3, :3].T
    back[:3, 3] = -forth[:3, :3].T @ forth[:3, 3]
    return back


def stored_shape(grid: StoredGrid, shape: Triple) -> Triple:
    """Give the shape in the file's own axis order of voxels that are held in this shape."""
    first, second, third = (shape[held] for held in np.argsort(grid.axes))
    return (first, second, third)
