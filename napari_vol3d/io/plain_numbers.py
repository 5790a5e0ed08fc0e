"""What formats of plain numbers can hold of an array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import SaveProblem


def plain_numbers(target: Path, voxels: NDArray[Any], name: str) -> NDArray[Any]:
    """Give voxels as integers or floats of at most 64 bits, in native byte order; no value changes.

    Parameters
    ----------
    target : Path
        For the message.
    name : str
        Of the format.

    Raises
    ------
    SaveProblem
        If they are no such numbers.
    """
    if voxels.dtype.kind == "b":
        return voxels.view(np.uint8)
    if voxels.dtype == np.float16:
        return voxels.astype(np.float32)
    if voxels.dtype.kind not in "iuf" or voxels.dtype.itemsize > 8:
        raise SaveProblem(f"{target.name} was not saved: {name} can't hold {voxels.dtype}.", hint="Convert it first.")
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
