"""The smooth surface around a mask, for looking at: no staircase, and as much inside as the voxels hold."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skimage.measure import marching_cubes

from napari_vol3d.core.box import Triple
from napari_vol3d.core.coarse import blocks_of
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.surface import LEVEL
from napari_vol3d.core.volume import Spacing

SLAB = 2**18  # voxels walked around at a time: marching cubes lets no other thread run, some 25 ms for these
ROUNDS = 12
# Taubin 1995: a step that smooths and shrinks, and one a little larger that takes the shrinking back.
SHRINK, SWELL = 0.5, -0.53
GRID = 2048  # places between two voxels that are told apart when slabs are joined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """Triangles for a screen.

    Attributes
    ----------
    vertices : ndarray of float32, shape (n, 3)
        Points (z, y, x), from the centre of the first voxel, in the unit of the spacing.
    faces : ndarray of int32, shape (m, 3)
        Indices of vertices, turned as scikit-image turns them.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]

    @property
    def volume(self) -> float:
        """What the triangles enclose, in the cube of the unit."""
        return _enclosed(self.vertices.astype(np.float64), self.faces)


def share_of(mask: NDArray[np.bool_], block: Triple) -> NDArray[np.float32]:
    """Give how much of each block is in the mask."""
    if block == (1, 1, 1):
        return mask.astype(np.float32)
    counts = np.zeros(blocks_of(mask.shape, block), np.float32)
    for k in range(counts.shape[0]):
        plane = mask[k * block[0] : (k + 1) * block[0]].sum(axis=0, dtype=np.float32)
        for axis, edge in ((0, block[1]), (1, block[2])):
            plane = np.add.reduceat(plane, np.arange(0, plane.shape[axis], edge), axis=axis)
        counts[k] = plane
    return counts / np.float32(np.prod(block))


def smooth_surface(
    mask: NDArray[np.bool_], spacing: Spacing, *, block: Triple = (1, 1, 1), start: Triple = (0, 0, 0)
) -> Generator[Progress, None, Mesh]:
    """Walk around a mask and smooth what comes of it, without letting it shrink.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
    spacing : tuple of float
        Along (z, y, x).
    block : tuple of int
        Voxels that are taken together, for fewer triangles.
    start : tuple of int
        Where the mask's first voxel lies in the volume.

    Returns
    -------
    Mesh
        Closed, also at the faces of the volume; without a triangle where the mask is empty.
    """
    share = np.pad(share_of(mask, block), 1)
    points, faces = yield from _walk(share, _level(share))
    edges, steps = np.asarray(block, np.float64), np.asarray(spacing, np.float64)
    vertices = ((points - 0.5) * edges - 0.5 + start) * steps
    if len(faces):
        vertices = yield from _relaxed(vertices, faces)
        inside = float(np.count_nonzero(mask)) * float(np.prod(steps))
        vertices = _swollen(vertices, faces, inside, float((edges * steps).min()) / 2)
    return Mesh(vertices=vertices.astype(np.float32), faces=faces.astype(np.int32))


def _level(share: NDArray[np.float32]) -> float:
    """Give the level around which as much is inside as the mask holds: a thin sheet fills no block by half."""
    inside = round(float(share.sum(dtype=np.float64)))
    filled = share[share > 0]
    if not 0 < inside < filled.size:
        return LEVEL
    # A little lower, because a point may not lie on a corner.
    return min(LEVEL, 0.999 * float(np.partition(filled, filled.size - inside)[filled.size - inside]))


def _walk(
    share: NDArray[np.float32], level: float
) -> Generator[Progress, None, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Walk around what lies above the level, by slabs that share a plane."""
    depth = max(1, SLAB // (share.shape[1] * share.shape[2]))
    points, faces, count = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)], 0
    for z in range(0, share.shape[0] - 1, depth):
        slab = share[z : z + depth + 1]
        if slab.min() < level < slab.max():
            found, triangles, _, _ = marching_cubes(slab, level)
            points.append(found + np.array([z, 0.0, 0.0]))
            faces.append(triangles.astype(np.int64) + count)
            count += len(found)
        yield Progress(phase="Finding surfaces", done=z, total=share.shape[0])
    return _joined(np.concatenate(points), np.concatenate(faces))


def _joined(points: NDArray[np.float64], faces: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make one of the points that lie at one place, as they do where slabs meet."""
    places = np.rint(points * GRID).astype(np.int64)
    keys = (places[:, 0] << 42) + (places[:, 1] << 21) + places[:, 2]
    _, first, same = np.unique(keys, return_index=True, return_inverse=True)
    faces = same.reshape(-1)[faces]
    flat = (faces == np.roll(faces, 1, axis=1)).any(axis=1)  # two of its edges have become one
    return points[first], faces[~flat]


def _relaxed(
    vertices: NDArray[np.float64], faces: NDArray[np.int64]
) -> Generator[Progress, None, NDArray[np.float64]]:
    """Smooth by Taubin's rounds: each point goes towards the middle of its neighbours, and a little further back."""
    links = sparse.coo_array(
        (np.ones(faces.size), (faces.ravel(), np.roll(faces, -1, axis=1).ravel())), shape=(len(vertices),) * 2
    ).tocsr()
    middle = sparse.diags_array(1 / np.maximum(links.sum(axis=1), 1)) @ links
    for k in range(ROUNDS):
        for step in (SHRINK, SWELL):
            vertices = vertices + step * (middle @ vertices - vertices)
        yield Progress(phase="Smoothing surfaces", done=k, total=ROUNDS)
    return vertices


def _swollen(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], inside: float, most: float
) -> NDArray[np.float64]:
    """Push all points outwards by one length, at most `most`, so that the surface encloses what it should."""
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = np.stack([
        sum(np.bincount(faces[:, k], weights=across[:, axis], minlength=len(vertices)) for k in range(3))
        for axis in range(3)
    ], axis=1)  # fmt: skip
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-12)
    enclosed, area = _enclosed(vertices, faces), float(np.linalg.norm(across, axis=1).sum()) / 2
    length = np.clip((inside - abs(enclosed)) / max(area, 1e-12), -most, most)
    return np.asarray(vertices + np.sign(enclosed) * length * outwards)


def _enclosed(vertices: NDArray[np.float64], faces: NDArray[Any]) -> float:
    """Give the volume inside triangles, negative where they are turned inwards."""
    if not len(faces):
        return 0.0
    corners = (vertices - vertices.mean(axis=0))[faces]
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6)
