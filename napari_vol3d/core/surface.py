"""The closed surface around one class of a label volume, in world coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Volume

# Half-way between 0 and 1 two voxels that touch at an edge can be cut apart in the one cube and joined in the next,
# which tears the surface; below it they are joined everywhere. The points go to the half-way places afterwards.
LEVEL = 0.49


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Triangles around a class, their front outside.

    Attributes
    ----------
    vertices : ndarray of float64, shape (n, 3)
        World points (x, y, z), in the geometry's unit.
    faces : ndarray of int64, shape (m, 3)
        Indices of vertices, counter-clockwise as seen from outside.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]

    @property
    def volume(self) -> float:
        """What the surface encloses, in the cube of its unit."""
        middle = self.vertices - self.vertices.mean(axis=0)
        a, b, c = (middle[self.faces[:, k]] for k in range(3))
        return float((a * np.cross(b, c)).sum() / 6)


def surface_of(labels: Volume, class_id: int, box: Box) -> Surface:
    """Walk around the voxels of one class by marching cubes, nothing smoothed.

    Parameters
    ----------
    labels : Volume
        A label map (Z, Y, X).
    box : Box
        A box that holds all of the class; only that part is read.

    Returns
    -------
    Surface
        Closed, also where the class touches the faces of the volume.
    """
    mask = np.pad(labels.read(box) == class_id, 1).astype(np.float32)
    points, faces, _, _ = marching_cubes(mask, LEVEL)
    affine = labels.geometry.affine
    index = _half_way(points) + np.asarray(box.start) - 1
    outside_first = np.linalg.det(affine[:3, :3]) < 0  # scikit-image turns the fronts so in (z, y, x)
    return Surface(
        vertices=index @ affine[:3, :3].T + affine[:3, 3],
        faces=np.ascontiguousarray(faces if outside_first else faces[:, ::-1]).astype(np.int64),
    )


def _half_way(points: Any) -> NDArray[np.float64]:
    """Put points on the half-way places between voxels, where a level of one half would have put them."""
    return np.asarray(np.rint(np.asarray(points, np.float64) * 2) / 2)
