"""Voxels that are made when they are sliced; with their axes in another order; a box of them; a look at some."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SOME_PLANES = 16


class Sliced(ABC):
    """What slices into NumPy arrays by integers and slices, each time anew: what napari and `Volume` ask of voxels."""

    def __init__(self, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.shape = tuple(int(length) for length in shape)
        self.dtype = np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all voxels would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        asked = _each_axis(index if isinstance(index, tuple) else (index,), self.ndim)
        found = [_span(one, length) for one, length in zip(asked, self.shape, strict=True)]
        spans, turns = tuple(span for span, _ in found), tuple(turn for _, turn in found)
        lengths = [len(range(span.start, span.stop, span.step)) for span in spans]
        part = self._part(spans) if all(lengths) else np.empty(lengths, self.dtype)
        return np.asarray(part[turns])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Voxels that are made when they are asked for can't be an array without being copied.")
        return self[...].astype(self.dtype if dtype is None else dtype, copy=False)

    @abstractmethod
    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        """Make the voxels at a slice for each axis, each with a start, a stop and a positive step; none is empty."""


class Moved(Sliced):
    """Lazy voxels with their axes in another order; what is asked of them is asked of the voxels."""

    def __init__(self, data: Any, axes: Sequence[int]) -> None:
        super().__init__([data.shape[axis] for axis in axes], data.dtype)
        self.data, self.axes = data, tuple(axes)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        own = tuple(spans[self.axes.index(axis)] for axis in range(self.ndim))
        return np.asarray(self.data[own]).transpose(self.axes)


class Late(Sliced):
    """Lazy voxels of which a box is lazy too, until a plane of it or an array is asked for.

    Notes
    -----
    Of an image of several resolutions napari takes the part that is in the frame first, through all planes, and the
    plane that it shows after that.
    """

    def __init__(self, data: Any, spans: Sequence[slice] = ()) -> None:
        self._data = data
        self._spans = tuple(spans) or tuple(slice(0, int(length), 1) for length in data.shape)
        super().__init__([len(range(span.start, span.stop, span.step)) for span in self._spans], data.dtype)

    def __getitem__(self, index: Any) -> Any:
        asked = _each_axis(index if isinstance(index, tuple) else (index,), self.ndim)
        boxed = all(isinstance(one, slice) and (one.step or 1) > 0 for one in asked)
        if not boxed:
            return super().__getitem__(index)
        spans = [_span(one, length)[0] for one, length in zip(asked, self.shape, strict=True)]
        lengths = [len(range(span.start, span.stop, span.step)) for span in spans]
        return Late(self._data, self._own(spans)) if all(lengths) else np.empty(lengths, self.dtype)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Voxels that are made when they are asked for can't be an array without being copied.")
        return np.asarray(self._data[self._spans]).astype(self.dtype if dtype is None else dtype, copy=False)

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        return np.asarray(self._data[self._own(spans)])

    def _own(self, spans: Sequence[slice]) -> tuple[slice, ...]:
        """Give slices of the box as slices of the whole."""
        ranges = [range(own.start, own.stop, own.step)[one] for own, one in zip(self._spans, spans, strict=True)]
        return tuple(slice(each[0], each[-1] + 1, each.step) for each in ranges)


def moved(data: Any, axes: Sequence[int]) -> Any:
    """Give voxels with their axes in another order: a view of an array, and of lazy voxels nothing is read."""
    if isinstance(data, Moved):
        data, axes = data.data, [data.axes[axis] for axis in axes]
    if tuple(axes) == tuple(range(len(data.shape))):
        return data
    return np.transpose(data, axes) if isinstance(data, np.ndarray) else Moved(data, axes)


class Taken(Sliced):
    """Lazy voxels at one index of an axis, which they then have no longer."""

    def __init__(self, data: Any, axis: int, index: int) -> None:
        super().__init__([*data.shape[:axis], *data.shape[axis + 1 :]], data.dtype)
        self.data, self._axis, self._index = data, axis, index

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        one = slice(self._index, self._index + 1)
        part = np.asarray(self.data[(*spans[: self._axis], one, *spans[self._axis :])])
        return np.squeeze(part, axis=self._axis)


def taken(data: Any, axis: int, index: int) -> Any:
    """Give voxels at one index of an axis: a view of an array, and of lazy voxels nothing is read."""
    return data[(slice(None),) * axis + (index,)] if isinstance(data, np.ndarray) else Taken(data, axis, index)


def some_planes(data: Any, most: int = SOME_PLANES, *, thin: int = 1) -> NDArray[Any]:
    """Read evenly spread planes of voxels (..., Z, Y, X), the first and the last among them, into one array (n, Y, X).

    Of axes before these, the first, the middle and the last index are looked at.

    Parameters
    ----------
    most : int
        Planes along Z.
    thin : int
        Every how manieth row and column is kept.
    """
    leads = list(np.ndindex(data.shape[:-3]))
    leads = [leads[k] for k in sorted({0, len(leads) // 2, len(leads) - 1})]
    at = np.unique(np.linspace(0, data.shape[-3] - 1, min(most, data.shape[-3])).round().astype(int)).tolist()
    inner = (slice(None, None, thin),) * 2
    return np.stack([np.asarray(data[(*lead, slice(k, k + 1), slice(None), slice(None))])[0][inner]
                     for lead in leads for k in at])  # fmt: skip


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
