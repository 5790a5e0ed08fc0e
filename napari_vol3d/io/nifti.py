"""NIfTI."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from napari_vol3d.core.volume import Geometry, StoredGrid, Volume


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file."""
    image = nib.load(path)
    stored = np.asanyarray(image.dataobj)
    ornt = nib.io_orientation(image.affine)
    axes, flips = [0, 0, 0], [False, False, False]
    for s, (world, sign) in enumerate(ornt):
        held = 2 - int(world)
        axes[held] = s
        flips[held] = bool(sign < 0) if held == 0 else bool(sign > 0)
    grid = StoredGrid(axes=tuple(axes), flips=tuple(flips))
    index = np.eye(4)
    for held in range(3):
        index[:3, held] = 0
        n = stored.shape[axes[held]]
        index[axes[held], held] = -1 if flips[held] else 1
        index[axes[held], 3] = n - 1 if flips[held] else 0
    return Volume(data=grid.to_held(stored), name=path.name.split(".")[0], source=path, is_labels=None,
        geometry=Geometry(affine=image.affine @ index, unit="mm", anatomical=True, stored=grid))
