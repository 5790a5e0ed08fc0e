"""Values of DICOM planes: stored numbers, whatever their encoding, scaled to what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import StoredGrid
from napari_vol3d.io import gate, npy
from napari_vol3d.io.dicom.decode import Frame, decoded
from napari_vol3d.io.dicom.header import DAMAGE, UNDEFINED, inflated, quiet
from napari_vol3d.io.dicom.planes import Plane, Stored
from napari_vol3d.io.npy import LazyArray

LITTLE_ENDIAN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
DEFLATED = "1.2.840.10008.1.2.1.99"
Times = Sequence[Sequence[Plane]]


def read_values(times: Times, grid: StoredGrid, path: Path) -> Any:
    """Give the values of all planes.

    Parameters
    ----------
    times : sequence of sequence of Plane
        For each time its slices in order.
    grid : StoredGrid
        How the file's (column, row, slice) is held.
    path : Path
        For messages.

    Returns
    -------
    array, shape (Z, Y, X), or (Z, Y, X, T) for several times
        Integers where slope and intercept are whole and the same for all planes, else float32. Large volumes of
        uncompressed files stay in them until they are asked for.

    Raises
    ------
    FileProblem
        If they don't fit into memory, or can't be decoded.
    """
    planes = [plane for time in times for plane in time]
    dtype = value_dtype(planes)
    first = planes[0].stored
    shape = (len(times), len(times[0]), first.rows, first.columns)
    needed = gate.declared_bytes(path, shape, dtype.itemsize)
    plain = all(plane.stored.header.syntax in LITTLE_ENDIAN for plane in planes)
    if plain and (needed >= npy.MAPPED_FROM or not npy.fits(path, needed)):
        return _lazy(times, grid, dtype, path)
    gate.check_memory(path, needed + first.rows * first.columns * 8)
    return held(_values(times), grid, timed=len(times) > 1)


def check_intensities(planes: Sequence[Plane]) -> None:
    """Refuse planes of colours, and of what else is no plain numbers."""
    for plane in planes:
        if plane.stored.reason:
            raise FileProblem(plane.stored.reason, hint="Open a series of grey values, or convert it to one.")


def held(values: NDArray[Any], grid: StoredGrid, *, timed: bool) -> NDArray[Any]:
    """View values of shape (T, slices, rows, columns) as (Z, Y, X), or (Z, Y, X, T)."""
    turned = grid.to_held(values.transpose(3, 2, 1, 0))
    return turned if timed else turned[..., 0]


def same_values(first: Plane, second: Plane) -> bool:
    """Whether two planes hold the same values."""
    if (first.stored.rows, first.stored.columns) != (second.stored.rows, second.stored.columns):
        return False
    return bool(np.array_equal(_values([[first]]), _values([[second]]), equal_nan=first.stored.dtype.kind == "f"))


def value_dtype(planes: Sequence[Plane]) -> np.dtype[Any]:
    """Give the type that holds the scaled values of all planes, from what their headers allow."""
    scalings = {plane.scaling for plane in planes}
    kinds = {plane.stored.dtype for plane in planes}
    if scalings == {(1.0, 0.0)} and len(kinds) == 1:
        return kinds.pop().newbyteorder("=")
    whole = len(scalings) == 1 and all(number == round(number) for number in planes[0].scaling)
    if not whole or any(kind.kind == "f" for kind in kinds):
        return np.dtype(np.float64 if np.dtype("<f8") in kinds else np.float32)
    return _whole_dtype([end for plane in planes for end in _range(plane.stored)], *planes[0].scaling)


def _whole_dtype(ends: Sequence[int], slope: float, inter: float) -> np.dtype[Any]:
    """Give the type for whole numbers between these, scaled."""
    scaled = [end * int(slope) + int(inter) for end in ends]
    for dtype in (np.int16, np.uint16, np.int32, np.uint32, np.int64):
        if np.iinfo(dtype).min <= min(scaled) and max(scaled) <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


def _range(stored: Stored) -> tuple[int, int]:
    """Give the least and the largest number that so many bits hold."""
    if stored.signed:
        return -(1 << (stored.bits - 1)), (1 << (stored.bits - 1)) - 1
    return 0, (1 << stored.bits) - 1


def _values(times: Times) -> NDArray[Any]:
    """Read planes into an array of shape (T, slices, rows, columns)."""
    planes = [plane for time in times for plane in time]
    stored, dtype = planes[0].stored, value_dtype(planes)
    shape = (len(times), len(times[0]), stored.rows, stored.columns)
    slope, inter = planes[0].scaling
    alike = len({plane.stored.dtype for plane in planes}) == 1
    if dtype.kind == "f" or (slope, inter) == (1.0, 0.0) or not alike:
        return _fill(times, np.empty(shape, dtype), scale=True)
    # Whole numbers: as narrow as these are, not as their header allows; 16 stored bits of a CT mostly hold 12.
    numbers = _fill(times, np.empty(shape, stored.dtype.newbyteorder("=")), scale=False)
    narrow = _whole_dtype([int(numbers.min()), int(numbers.max())], slope, inter)
    fits = narrow.itemsize == numbers.dtype.itemsize and numbers.max() <= np.iinfo(narrow).max
    values: NDArray[Any] = numbers.view(narrow) if fits else numbers.astype(narrow)
    # In arithmetic that wraps round: on the way there values may leave the type, in the end they do not.
    values *= np.array(int(slope)).astype(narrow)
    values += np.array(int(inter)).astype(narrow)
    return values


def _fill(times: Times, values: NDArray[Any], *, scale: bool) -> NDArray[Any]:
    """Read all planes into an array (T, slices, rows, columns), each file once."""
    places: dict[Path, list[tuple[int, int, Plane]]] = {}
    for time, slices in enumerate(times):
        for index, plane in enumerate(slices):
            places.setdefault(plane.stored.path, []).append((time, index, plane))
    for wanted in places.values():
        with _frames(wanted[0][2].stored) as frame:
            for time, index, plane in sorted(wanted, key=lambda one: one[2].frame):
                _put(plane, frame, values[time, index], scale=scale)
    return values


def _lazy(times: Times, grid: StoredGrid, dtype: np.dtype[Any], path: Path) -> LazyArray:
    """Give values that are read when they are sliced; planes that are not touched are not read."""
    first = times[0][0].stored
    stored_shape = (first.columns, first.rows, len(times[0]))
    shape = tuple(stored_shape[axis] for axis in grid.axes)
    timed = len(times) > 1

    def read(index: tuple[slice, ...]) -> NDArray[Any]:
        spans: list[range] = [range(0)] * 3
        for axis, flip, span in zip(grid.axes, grid.flips, index[:3], strict=True):
            own, length = range(span.start, span.stop, span.step), stored_shape[axis]
            spans[axis] = range(length - 1 - own[0], length - 2 - own[-1], -own.step) if flip else own
        columns, rows, slices = spans
        wanted = range(*index[3].indices(len(times))) if timed else range(1)
        part = np.empty((len(wanted), len(slices), len(rows), len(columns)), dtype)
        for t, time in enumerate(wanted):
            for z, at in enumerate(slices):
                whole = _fill([[times[time][at]]], np.empty((1, 1, first.rows, first.columns), dtype), scale=True)
                part[t, z] = whole[0, 0][np.ix_(rows, columns)]
        turned = part.transpose(3, 2, 1, 0).transpose(*grid.axes, 3)
        return turned if timed else turned[..., 0]

    return LazyArray(path, (*shape, len(times)) if timed else shape, dtype, read)


@contextmanager
def _frames(stored: Stored) -> Iterator[Frame]:
    """Open a file, and give what reads the stored numbers of its frames, shape (rows, columns).

    Raises
    ------
    FileProblem
        If the file is not what it was when its header was read, or its pixels are damaged.
    """
    header, path = stored.header, stored.path
    with gate.reading(path, *DAMAGE) as size, quiet():
        if (size, path.stat().st_mtime_ns) != (header.size, header.changed):
            raise FileProblem(f"The file is changing: {path.name} is being written.", hint="Retry when that ends.")
        if header.syntax in LITTLE_ENDIAN and header.length != UNDEFINED:
            with path.open("rb") as file:
                yield _plain(stored, file)
        elif header.syntax == DEFLATED and header.length != UNDEFINED:
            yield _plain(stored, inflated(path))
        else:
            yield decoded(stored)


def _plain(stored: Stored, file: Any) -> Frame:
    """Read frames that lie in a file as they are."""
    length = stored.rows * stored.columns * stored.dtype.itemsize

    def frame(index: int, numbers: NDArray[Any]) -> None:
        file.seek(stored.header.offset + index * length)
        gate.fill(file, numbers, stored.path, stored.frames * length, index * length)

    return frame


def _put(plane: Plane, frame: Frame, values: NDArray[Any], *, scale: bool) -> None:
    """Put the numbers of a plane into an array, scaled or as they are stored."""
    stored, (slope, inter) = plane.stored, plane.scaling
    numbers = values if stored.dtype == values.dtype else np.empty(values.shape, stored.dtype)
    frame(plane.frame, numbers)
    if stored.dtype.kind in "iu" and stored.bits < stored.allocated:
        _keep_counting(numbers, stored)
    if scale and (slope, inter) != (1.0, 0.0):
        with np.errstate(over="ignore", invalid="ignore"):
            # Whole numbers of at most 32 bits times whole numbers: float64 holds them exactly.
            values[...] = numbers.astype(np.float64) * slope + inter
    elif numbers is not values:
        values[...] = numbers


def _keep_counting(numbers: NDArray[Any], stored: Stored) -> None:
    """Keep the bits that count of each number; what else lies in its bytes, such as overlays, does not."""
    if stored.signed:
        spare = numbers.dtype.itemsize * 8 - stored.bits
        numbers <<= spare
        numbers >>= spare
    else:
        numbers &= np.array((1 << stored.bits) - 1, numbers.dtype)
