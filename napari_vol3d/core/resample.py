"""Between a scan's grid and a model's: axis-aligned, so that every step is one axis at a time.

Voxels are little boxes: both grids share their outer corner, and index i of the one lies at ``(i + 0.5) * ratio - 0.5``
of the other. Images are interpolated linearly (smoothed first where they are coarsened, with scikit-image's sigma);
class scores linearly, before the argmax; finished labels never.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.core.volume import Spacing

SAME_SPACING = 0.02  # relative; closer spacings are taken as equal, a 64-voxel patch then ends 1.3 voxels off at most


@dataclass(frozen=True, slots=True, kw_only=True)
class GridMap:
    """The map between a scan's grid and the grid a model works on.

    Attributes
    ----------
    scan_shape, model_shape : tuple of int
        (Z, Y, X) voxels.
    ratio : tuple of float
        Scan spacing over model spacing; 1 along axes that need no resampling.
    """

    scan_shape: Triple
    model_shape: Triple
    ratio: Spacing

    @property
    def identity(self) -> bool:
        """Whether nothing has to be resampled."""
        return self.ratio == (1.0, 1.0, 1.0)

    def owned(self, core: Box) -> Box:
        """Give the scan voxels whose centres lie in a core of the model grid; disjoint cores own disjoint voxels."""
        spans = [self.owned_along(axis, core.start[axis], core.stop[axis]) for axis in range(3)]
        (z0, z1), (y0, y1), (x0, x1) = spans
        return Box(start=(z0, y0, x0), stop=(z1, y1, x1))

    def owned_along(self, axis: int, start: int, stop: int) -> tuple[int, int]:
        """Give first and one past the last scan voxel that the span of a core owns along one axis."""
        ratio, length = self.ratio[axis], self.scan_shape[axis]
        last = length if stop >= self.model_shape[axis] else _first(stop, ratio, length)
        return _first(start, ratio, length), last

    def tiles_meeting(self, plan: TilePlan, box: Box) -> int:
        """Count the tiles of a plan on the model's grid that own voxels of `box`, without going through them all."""
        count = 1
        for axis, spans in enumerate(plan.axes):
            owned = [self.owned_along(axis, start, stop) for _, start, stop in spans]
            count *= sum(max(a, box.start[axis]) < min(b, box.stop[axis]) for a, b in owned)
        return count

    def needed(self, patch: Box) -> Box:
        """Give the scan voxels that a patch of the model grid is interpolated from, with room for smoothing."""
        spans = [self.needed_along(axis, patch.start[axis], patch.stop[axis]) for axis in range(3)]
        (z0, z1), (y0, y1), (x0, x1) = spans
        return Box(start=(z0, y0, x0), stop=(z1, y1, x1))

    def largest_needed(self, plan: TilePlan) -> Triple:
        """Give the most scan voxels along each axis that any patch of a plan is interpolated from."""
        if self.identity:
            return plan.patch_size
        edges = []
        for axis, spans in enumerate(plan.axes):
            reach = [self.needed_along(axis, origin, origin + plan.patch_size[axis]) for origin, _, _ in spans]
            edges.append(max(stop - start for start, stop in reach))
        return (edges[0], edges[1], edges[2])

    def largest_owned(self, plan: TilePlan) -> Triple:
        """Give the most scan voxels along each axis that any core of a plan owns."""
        owned = [[self.owned_along(axis, a, b) for _, a, b in spans] for axis, spans in enumerate(plan.axes)]
        z, y, x = (max(1, *(stop - start for start, stop in spans)) for spans in owned)
        return (z, y, x)

    def weights_to_model(self, axis: int, part: tuple[int, int], patch: tuple[int, int]) -> NDArray[np.float32]:
        """Give the matrix that resamples one axis of the scan onto a patch of the model grid.

        Parameters
        ----------
        part, patch : tuple of int
            First and one past the last index: of the scan voxels at hand, of the patch.

        Returns
        -------
        ndarray of float32, shape (patch edge, part edge)
        """
        rows = np.eye(part[1] - part[0])
        if _smoothing(self.ratio[axis]):
            rows = ndimage.gaussian_filter1d(rows, _smoothing(self.ratio[axis]), axis=0, mode="nearest")
        at = (np.arange(*patch) + 0.5) / self.ratio[axis] - 0.5 - part[0]
        return interpolate_axis(rows.astype(np.float32), at, 0)

    def weights_to_scan(self, axis: int, patch: tuple[int, int], owned: tuple[int, int]) -> NDArray[np.float32]:
        """Give the matrix that interpolates one axis of a patch's scores at scan voxels, (owned edge, patch edge)."""
        at = (np.arange(*owned) + 0.5) * self.ratio[axis] - 0.5 - patch[0]
        return interpolate_axis(np.eye(patch[1] - patch[0], dtype=np.float32), at, 0)

    def needed_along(self, axis: int, start: int, stop: int) -> tuple[int, int]:
        """Give first and one past the last scan voxel that a span of the model grid is interpolated from."""
        ratio, length = self.ratio[axis], self.scan_shape[axis]
        room = 2 + int(np.ceil(4 * _smoothing(ratio)))
        first = int(np.clip(np.floor((start + 0.5) / ratio - 0.5) - room, 0, length - 1))
        return first, int(np.clip(np.ceil((stop - 0.5) / ratio - 0.5) + room + 1, 1, length))


def grid_map(scan_shape: Triple, scan_spacing: Spacing, model_spacing: Spacing | None) -> GridMap:
    """Relate a scan's grid to the spacing (z, y, x) that a model wants, in the same unit; None: as it is."""
    if model_spacing is None:
        return GridMap(scan_shape=scan_shape, model_shape=scan_shape, ratio=(1.0, 1.0, 1.0))
    ratio = tuple(
        1.0 if abs(s / m - 1) <= SAME_SPACING else s / m for s, m in zip(scan_spacing, model_spacing, strict=True)
    )
    shape = tuple(max(1, round(n * r)) for n, r in zip(scan_shape, ratio, strict=True))
    return GridMap(
        scan_shape=scan_shape, model_shape=(shape[0], shape[1], shape[2]), ratio=(ratio[0], ratio[1], ratio[2])
    )


def interpolate_axis(values: NDArray[np.float32], at: NDArray[np.floating[Any]], axis: int) -> NDArray[np.float32]:
    """Interpolate linearly at fractional indices `at` along one axis; outside, the nearest value is repeated."""
    length = values.shape[axis]
    if len(at) == length and np.array_equal(at, np.arange(length)):
        return values
    inside = np.clip(at, 0, length - 1)
    low = np.floor(inside).astype(np.intp)
    high = np.minimum(low + 1, length - 1)
    weight = (inside - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    first = np.take(values, low, axis=axis)
    if not weight.any():
        return np.asarray(first)
    return np.asarray(first + (np.take(values, high, axis=axis) - first) * weight)


def _first(edge: int, ratio: float, length: int) -> int:
    """First scan voxel whose centre is not before `edge`, an index border of the model grid."""
    return min(max(math.ceil(edge / ratio - 0.5), 0), length)


def _smoothing(ratio: float) -> float:
    """Sigma in scan voxels against aliasing, as skimage.transform.resize chooses it; 0 where nothing is coarsened."""
    return max(0.0, (1 / ratio - 1) / 2)
