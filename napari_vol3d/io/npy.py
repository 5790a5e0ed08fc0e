"""NumPy's .npy: voxels without geometry, so spacing 1 pixel and never flipped.

Also what all formats share whose voxels lie in the file as they are: `map_voxels`, and `LazyArray` for voxels that
need something done to them (other formats that are read in parts use it too).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic

MOST_CHANNELS = 16
# Bytes from which a file is mapped instead of read: a mapped file that another program cuts short ends this one.
MAPPED_FROM = 512_000_000


class LazyArray(Sliced):
    """Voxels that are read when they are sliced, by integers and slices, each slice into a NumPy array of its own.

    Parameters
    ----------
    path : Path
        For messages.
    shape : sequence of int
    dtype : dtype
    read : callable
        Gives the voxels at a tuple of slices, one an axis, each with a start, a stop and a positive step.
    """

    def __init__(
        self, path: Path, shape: Sequence[int], dtype: DTypeLike, read: Callable[[tuple[slice, ...]], NDArray[Any]]
    ) -> None:
        super().__init__(shape, dtype)
        self.path = path
        self._read = read

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Voxels that lie in a file can't be an array without being copied.")
        gate.check_memory(self.path, self.nbytes)
        return super().__array__(dtype)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        return self._read(spans)

    def transpose(self, axes: Sequence[int]) -> LazyArray:
        """Give the same voxels with their axes in another order."""

        def read(index: tuple[slice, ...]) -> NDArray[Any]:
            own = [index[axes.index(axis)] for axis in range(self.ndim)]
            return self._read(tuple(own)).transpose(axes)

        return LazyArray(self.path, [self.shape[axis] for axis in axes], self.dtype, read)


def read_npy(path: Path) -> Volume:
    """Read an array file; its voxels stay in the file until they are asked for.

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
        length = file.read(2 if version == (1, 0) else 4)
        if int.from_bytes(length, "little") > size:  # NumPy would allocate that
            raise gate.truncated(path, int.from_bytes(length, "little"), size)
        file.seek(-len(length), io.SEEK_CUR)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns_first, dtype = header(file)
        if dtype.kind not in "buif":
            raise FileProblem(f"Not plain numbers: {path.name} holds {dtype}.", hint="Save it as integers or floats.")
        if len(shape) not in (2, 3, 4):
            raise FileProblem(f"Not a volume: {path.name} has the shape {shape}.", hint="Save a 3-D array (Z, Y, X).")
        offset = file.tell()
        declared = offset + gate.declared_bytes(path, shape, dtype.itemsize)
        gate.check_stored(path, declared, size)
        file.seek(declared)
        gate.finish(file, path, declared)
        stored = map_voxels(path, dtype, shape, offset=offset, columns_first=columns_first)
        voxels = native(path, _arrange(stored, path))
    channels = tuple(f"channel {i + 1}" for i in range(voxels.shape[3])) if voxels.ndim == 4 else ()
    return Volume(
        data=voxels, geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"), name=path.stem, source=path,
        channels=channels, is_labels=None,
    )  # fmt: skip


def map_voxels(
    path: Path, dtype: np.dtype[Any], shape: Sequence[int], *, offset: int, columns_first: bool = False
) -> NDArray[Any]:
    """Give voxels that lie in a file as they are: read, or mapped from `MAPPED_FROM` bytes on.

    A slice of mapped voxels reads no more than that slice.

    Parameters
    ----------
    path : Path
        A file that was proved to hold all of them.
    offset : int
        Byte at which they begin.

    Returns
    -------
    ndarray
        Writing to it changes memory and never the file; read-only where the volume does not fit into memory.
    """
    needed = gate.declared_bytes(path, shape, dtype.itemsize)
    # A private map that may be written to counts as memory, and Linux refuses one that is larger than there is.
    mode: Any = "c" if fits(path, needed) else "r"
    mapped: NDArray[Any] = np.memmap(path, dtype, mode, offset, tuple(shape), "F" if columns_first else "C")
    return np.array(mapped, order="K", subok=False) if needed < MAPPED_FROM else mapped


def native(path: Path, voxels: NDArray[Any]) -> NDArray[Any] | LazyArray:
    """Give voxels in this machine's byte order: these, or a copy, or a `LazyArray` where a copy would not fit."""
    target = voxels.dtype.newbyteorder("=")
    if voxels.dtype.isnative:
        return voxels
    if fits(path, voxels.nbytes):
        return voxels.astype(target)
    return LazyArray(path, voxels.shape, target, lambda index: voxels[index].astype(target))


def fits(path: Path, needed: int) -> bool:
    """Whether so many bytes may be taken from memory."""
    try:
        gate.check_memory(path, needed)
    except FileProblem:
        return False
    return True


def _arrange(stored: NDArray[Any], path: Path) -> NDArray[Any]:
    """View a stored array as (Z, Y, X) or (Z, Y, X, C)."""
    if stored.ndim == 2:
        return stored[None]
    if stored.ndim == 3 or stored.shape[-1] <= MOST_CHANNELS:
        return stored
    if stored.shape[0] > MOST_CHANNELS:
        raise FileProblem(
            f"Which axis are the channels? {path.name} has the shape {stored.shape}.",
            hint="Save one 3-D array (Z, Y, X), or at most 16 channels as the last axis.",
        )
    return np.moveaxis(stored, 0, -1)
