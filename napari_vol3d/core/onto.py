"""A volume seen on another volume's grid, computed where it is looked at: how images with other axes share a canvas."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.sliced import Sliced, moved, some_planes
from napari_vol3d.core.volume import Geometry, Volume

MOST_VOXELS = 1 << 24  # of the volume at one time: larger parts are computed in halves
EXACT = 1e-9  # voxels; what a matrix and its inverse leave between grids that are the same
FACE = 0.5  # voxels from a centre to the face
READ_WHOLE = 1 << 26  # bytes in memory that are gone through for their smallest value


class Onto(Sliced):
    """Voxels of a volume, interpolated on another grid; axes of channels and time pass through.

    Images are interpolated linearly, integers rounded back to their type; label maps take the nearest voxel, so that
    no id is ever made up. Voxels are little boxes: up to the faces of the outermost ones their value is repeated, and
    beyond is `outside`. Where grids only differ by whole voxels, the values are the volume's own, bit for bit.

    Attributes
    ----------
    volume : Volume
    outside : float or int
        0 for label maps, else the smallest value that the volume stores, so that the air around a CT stays dark; of
        voxels that lie in a file, the smallest on some planes.
    """

    def __init__(self, volume: Volume, geometry: Geometry, shape: Triple, *, nearest: bool = False) -> None:
        super().__init__((*shape, *volume.data.shape[3:]), volume.data.dtype)
        self.volume = volume
        self.outside = self.dtype.type(0) if nearest else _smallest(volume.data)
        # From the index on the grid to the index in the volume.
        matrix = np.linalg.inv(volume.geometry.affine) @ geometry.affine
        whole = np.round(matrix)
        self._matrix = np.where(np.abs(matrix - whole) < EXACT, whole, matrix)
        self._nearest = nearest or bool((self._matrix == whole).all())

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        result = np.full([len(_steps(span)) for span in spans], self.outside, self.dtype)
        self._fill(result, spans)
        return result

    def _fill(self, result: NDArray[Any], spans: tuple[slice, ...]) -> None:
        """Put what the volume has at `spans` into `result`, in halves while that takes too much of the volume."""
        matrix, at = self._map(spans)
        needed = _needed(_corners(matrix, at, result.shape), self.volume.shape)
        if not needed.size:
            return
        axis = int(np.argmax(result.shape[:3]))
        others = math.prod(result.shape[3:])
        if max(needed.size, math.prod(result.shape[:3])) * others > MOST_VOXELS and result.shape[axis] > 1:
            for part, half in _halves(spans, axis):
                self._fill(result[(slice(None),) * axis + (part,)], half)
            return
        voxels = np.asarray(self.volume.data[(*needed.slices, *spans[3:])])
        offset = at - needed.start
        inside = self._inside(matrix, at, result.shape)
        for rest in np.ndindex(result.shape[3:]):
            values = self._interpolate(voxels[(..., *rest)], matrix, offset, result.shape[:3])
            np.copyto(result[(..., *rest)], values, where=inside)

    def _map(self, spans: tuple[slice, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the matrix from the index within `spans` to the index in the volume, and where that begins."""
        steps, starts = [span.step for span in spans[:3]], [span.start for span in spans[:3]]
        return self._matrix[:3, :3] * steps, self._matrix[:3, :3] @ starts + self._matrix[:3, 3]

    def _inside(self, matrix: NDArray[Any], at: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_] | bool:
        """Tell which voxels of the grid lie in the volume."""
        faces = [(-FACE - EXACT, length - FACE + EXACT) for length in self.volume.shape]
        corners = _corners(matrix, at, shape)
        if all(low <= corners[:, k].min() and corners[:, k].max() <= high for k, (low, high) in enumerate(faces)):
            return True
        z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
        found = np.ones(shape[:3], bool)
        for k, (low, high) in enumerate(faces):
            place = at[k] + matrix[k, 0] * z + matrix[k, 1] * y + matrix[k, 2] * x
            found &= (place >= low) & (place <= high)
        return found

    def _interpolate(
        self, voxels: NDArray[Any], matrix: NDArray[Any], offset: NDArray[Any], shape: tuple[int, ...]
    ) -> NDArray[Any]:
        kind, size = voxels.dtype.kind, voxels.dtype.itemsize
        if self._nearest and kind in "iu" and size > 4:
            # SciPy computes in float64, which does not hold such integers: it is asked which voxel is the nearest.
            numbers = np.arange(voxels.size).reshape(voxels.shape)
            nearest = ndimage.affine_transform(numbers, matrix, offset, shape, numbers.dtype, order=0, mode="nearest")
            return np.asarray(voxels.reshape(-1)[nearest])
        known = {"b": np.uint8, "f": np.float64 if size > 4 else np.float32}.get(kind, voxels.dtype.newbyteorder("="))
        between = known if self._nearest or kind == "f" else np.float64
        values = ndimage.affine_transform(
            voxels.astype(known, copy=False), matrix, offset, shape, between, order=0 if self._nearest else 1,
            mode="nearest",
        )  # fmt: skip
        if between is not known:
            np.rint(values, out=values)
        if between is np.float64 and kind in "iu" and size > 4:
            return _to_integers(values, self.dtype)
        return np.asarray(values.astype(self.dtype, copy=False))


def share_inside(volume: Volume, geometry: Geometry, shape: Triple, *, along: int = 24) -> float:
    """Give the share of a volume, 0 to 1, that lies within a grid; looked at on some `along` places of each axis."""
    places = [np.linspace(-FACE, length - FACE, 2 * along + 1)[1::2] for length in volume.shape]
    index = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 3)
    matrix = np.linalg.inv(geometry.affine) @ volume.geometry.affine
    there = index @ matrix[:3, :3].T + matrix[:3, 3]
    return float(((there >= -FACE) & (there <= np.asarray(shape) - FACE)).all(axis=1).mean())


def _smallest(data: Any) -> Any:
    small = isinstance(data, np.ndarray) and data.nbytes <= READ_WHOLE
    looked_at = data if small else some_planes(moved(data, (*range(3, len(data.shape)), 0, 1, 2)))
    if looked_at.dtype.kind == "f":
        looked_at = looked_at[np.isfinite(looked_at)]
    return looked_at.min() if looked_at.size else np.dtype(data.dtype).type(0)


def _to_integers(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert whole numbers to 64-bit integers; the largest of these are rounded up beyond the type's range."""
    limits = np.iinfo(dtype)
    beyond = values >= float(limits.max)
    whole = np.where(beyond, 0, values).clip(limits.min).astype(dtype)
    whole[beyond] = limits.max
    return whole


def _corners(matrix: NDArray[Any], at: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give where the corners of an index box lie in the volume, one a row; all of the box lies between them."""
    corners = np.array(list(itertools.product(*((0, length - 1) for length in shape[:3]))))
    return np.asarray(corners @ matrix.T + at)


def _needed(corners: NDArray[np.float64], shape: Triple) -> Box:
    """Give the voxels of the volume between which all places within the corners lie; empty if those are elsewhere."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (high < -FACE - EXACT).any() or (low > np.asarray(shape) - FACE + EXACT).any():
        return Box(start=(0, 0, 0), stop=(0, 0, 0))
    last = np.asarray(shape) - 1
    return Box(start=_whole(np.clip(np.floor(low), 0, last)), stop=_whole(np.clip(np.floor(high) + 1, 0, last) + 1))


def _whole(values: NDArray[np.float64]) -> Triple:
    z, y, x = (int(value) for value in values)
    return (z, y, x)


def _steps(span: slice) -> range:
    return range(span.start, span.stop, span.step)


def _halves(spans: tuple[slice, ...], axis: int) -> Iterable[tuple[slice, tuple[slice, ...]]]:
    """Cut spans in two along an axis: the index of each part among all, and its spans."""
    places = _steps(spans[axis])
    middle = len(places) // 2
    for part in (slice(0, middle), slice(middle, len(places))):
        own = places[part]
        yield part, (*spans[:axis], slice(own.start, own.stop, own.step), *spans[axis + 1 :])
