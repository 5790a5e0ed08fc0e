"""NumPy's .npy: voxels without geometry, so spacing 1 pixel and never flipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic

MOST_CHANNELS = 16


def read_npy(path: Path) -> Volume:
    """Read an array file.

    Two axes are one slice (Y, X), three are (Z, Y, X). Of four, the last is the channels if it is no longer than 16,
    else the first if that is.

    Raises
    ------
    FileProblem
        If the file is damaged, too large, holds objects or anything but real numbers, or its axes are not clear.
    """
    magic.require(path, "a NumPy array")
    with gate.reading(path) as size, path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise FileProblem(f"Not plain numbers: {path.name} is in .npy version {version}.", hint="Save it again.")
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns_first, dtype = header(file)
        if dtype.kind not in "buif":
            raise FileProblem(f"Not plain numbers: {path.name} holds {dtype}.", hint="Save it as integers or floats.")
        if len(shape) not in (2, 3, 4):
            raise FileProblem(f"Not a volume: {path.name} has the shape {shape}.", hint="Save a 3-D array (Z, Y, X).")
        needed = gate.declared_bytes(path, shape, dtype.itemsize)
        gate.check_stored(path, file.tell() + needed, size)
        gate.check_memory(path, needed)
        declared = file.tell() + needed
        buffer = np.empty(needed, np.uint8)
        gate.fill(file, buffer, path, declared, file.tell())
        gate.finish(file, path, declared)
    voxels = buffer.view(dtype).reshape(shape, order="F" if columns_first else "C")
    voxels = voxels.astype(dtype.newbyteorder("="), copy=False)
    if voxels.ndim == 2:
        voxels = voxels[None]
    elif voxels.ndim == 4 and voxels.shape[-1] > MOST_CHANNELS:
        if voxels.shape[0] > MOST_CHANNELS:
            raise FileProblem(
                f"Which axis are the channels? {path.name} has the shape {shape}.",
                hint="Save one 3-D array (Z, Y, X), or at most 16 channels as the last axis.",
            )
        voxels = np.moveaxis(voxels, 0, -1)
    channels = tuple(f"channel {i + 1}" for i in range(voxels.shape[3])) if voxels.ndim == 4 else ()
    return Volume(
        data=voxels, geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"), name=path.stem, source=path,
        channels=channels, is_labels=None,
    )  # fmt: skip
