"""A mark: voxels that a tool in hand was told, as they are to be seen in every view that cuts them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A dot, or a line through voxels that follow each other.

    Attributes
    ----------
    voxels : tuple of (z, y, x)
        One for a dot.
    color : str
        "#rrggbb"
    text : str
        Stands beside the first voxel, a number for instance.
    """

    voxels: tuple[Triple, ...]
    color: str
    text: str = ""

    def on_slice(self, axis: Axis, index: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Tell what of it lies on a slice across an axis.

        Returns
        -------
        segments : ndarray, shape (n, 3)
            Both ends of each step that stays on the slice, one after the other.
        dots : ndarray, shape (n, 3)
            Voxels that no such step begins or ends at.
        """
        voxels = np.array(self.voxels, np.intp).reshape(-1, 3)
        here = voxels[:, axis] == index
        steps = here[:-1] & here[1:]
        at_step = np.concatenate((steps, [False])) | np.concatenate(([False], steps))
        segments = np.stack((voxels[:-1][steps], voxels[1:][steps]), axis=1).reshape(-1, 3)
        return segments, voxels[here & ~at_step[: len(voxels)]]


class Projection:
    """Where the voxels of a record are on the canvas of a view that is cut, as it is now."""

    def __init__(self, view: View, record: Record) -> None:
        corner, *ends = (self._pixel(view, record, voxel) for voxel in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)))
        self._corner, self._steps = np.array(corner), np.array(ends) - corner
        self.axis: Axis = view.plane.value
        self.index = int(np.floor(record.to_voxel(view.model.dims.point)[self.axis] + 0.5))

    def pixels(self, voxels: NDArray[np.integer] | Sequence[Triple]) -> NDArray[np.float64]:
        """Give the places (x, y) of the middles of voxels, shape (n, 2)."""
        return np.asarray(self._corner + np.reshape(voxels, (-1, 3)) @ self._steps)

    @staticmethod
    def _pixel(view: View, record: Record, voxel: Triple) -> Pixel:
        layer, dims = record.layer, view.model.dims
        inner = layer.data_to_world((*(record.frame,) * (layer.ndim - 3), *voxel))
        return view.to_pixel((*dims.point[: max(dims.ndim - len(inner), 0)], *(float(v) for v in inner[-dims.ndim :])))


def way(points: Sequence[tuple[float, float, float]]) -> tuple[Triple, ...]:
    """Give the voxels along a line through points (z, y, x), each once where it is met, without a gap."""
    places = np.array(points, np.float64).reshape(-1, 3)
    parts = [places[:1]]
    for first, last in itertools.pairwise(places):
        steps = int(np.ceil(np.abs(last - first).max())) or 1
        parts.append(first + (last - first) * np.linspace(0, 1, steps + 1)[1:, None])
    voxels = np.floor(np.concatenate(parts) + 0.5).astype(int).tolist()
    found = [(z, y, x) for z, y, x in voxels]
    return tuple(voxel for k, voxel in enumerate(found) if not k or voxel != found[k - 1])
