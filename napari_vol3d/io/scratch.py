"""Large arrays that need not outlive the program: chunked, on disk, gone at its end."""

from __future__ import annotations

import atexit
import shutil
from typing import Any

import numpy as np

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.private_folder import make_private_folder

CHUNK = (1, 64, 128, 128)


def scratch_array(shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> Any:
    """Make a chunked array of zeros, shape (classes, Z, Y, X), that takes room on disk only where it is written.

    Raises
    ------
    SaveProblem
        If there is no room for it.
    """
    import zarr

    try:
        folder = make_private_folder()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        chunks = tuple(min(c, max(1, n)) for c, n in zip(CHUNK, shape, strict=True))
        return zarr.create_array(folder / "array.zarr", shape=shape, dtype=dtype, chunks=chunks, fill_value=0)
    except OSError as error:
        raise SaveProblem(f"No room for probabilities: {error}.", hint="Free some disk space.") from error
