"""NumPy's .npy: voxels without geometry, so spacing 1 pixel and never flipped.

Also what all formats share whose voxels lie in the file as they are: `map_voxels`, and `LazyArray` for voxels that
need something done to them (other formats that are read in parts use it too).
"""

from __future__ import annotations

import io
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, magic

MOST_CHANNELS = 16
# Bytes from which a file is mapped instead of read: a mapped file that another program cuts short ends this one.
MAPPED_FROM = 512_000_000


class LazyArray:
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
        self.path = path
        self.shape = tuple(int(length) for length in shape)
        self.dtype = np.dtype(dtype)
        self._read = read

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        total = 1
        for length in self.shape:
            total *= length
        return total

    @property
    def nbytes(self) -> int:
        """Bytes that all voxels would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        asked = _each_axis(index if isinstance(index, tuple) else (index,), self.ndim)
        spans, turns = [], []
        for one, length in zip(asked, self.shape, strict=True):
            span, turn = _span(one, length)
            spans.append(span)
            turns.append(turn)
        lengths = [len(range(span.start, span.stop, span.step)) for span in spans]
        part = self._read(tuple(spans)) if all(lengths) else np.empty(lengths, self.dtype)
        return np.asarray(part[tuple(turns)])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Voxels that lie in a file can't be an array without being copied.")
        gate.check_memory(self.path, self.nbytes)
        return self[...].astype(self.dtype if dtype is None else dtype, copy=False)

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


def _each_axis(index: tuple[Any, ...], ndim: int) -> list[Any]:
    """Fill an index up with whole axes."""
    dots = [at for at, one in enumerate(index) if one is Ellipsis]
    left = ndim - (len(index) - len(dots))
    if left < 0 or len(dots) > 1:
        raise IndexError(f"an index for {ndim} axes was expected; received {index}")
    at = dots[0] if dots else len(index)
    return [*index[:at], *[slice(None)] * left, *index[at + 1 :]]


def _span(asked: Any, length: int) -> tuple[slice, Any]:
    """Give the slice to read along one axis, forwards, and the index that makes of it what was asked for."""
    if not isinstance(asked, slice):
        at = operator.index(asked)
        if not -length <= at < length:
            raise IndexError(f"index {at} is outside an axis of {length}")
        return slice(at % length, at % length + 1, 1), 0
    wanted = range(length)[asked]
    if not wanted:
        return slice(0, 0, 1), slice(None)
    low, high = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
    return slice(low, high + 1, abs(wanted.step)), slice(None, None, 1 if wanted.step > 0 else -1)
