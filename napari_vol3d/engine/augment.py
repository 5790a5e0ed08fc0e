"""3D augmentation of training patches, in NumPy, from a generator that the caller seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Triple
from napari_vol3d.core.labels import IGNORE

BENT_SHARE = 1 / 3
KNOT_DISTANCE = 10  # voxels between the control points of a bending
MARGIN = 1.5  # edge of the source box over the patch: room for turning and shrinking


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far patches are changed.

    Attributes
    ----------
    flip_axes : tuple of int
        Axes (0 z, 1 y, 2 x) along which mirroring does not change what the classes mean.
    rotation_deg : float
        Largest turn about each axis.
    scaling : tuple of float
        Smallest and largest zoom.
    elastic : float
        Largest standard deviation, in voxels, of the smooth bending that a third of the patches get.
    spatial, intensity : float
        Probability that a patch is turned and zoomed; of each intensity change.
    """

    flip_axes: tuple[int, ...] = ()
    rotation_deg: float = 15.0
    scaling: tuple[float, float] = (0.85, 1.18)
    elastic: float = 0.0
    spatial: float = 0.75
    intensity: float = 0.25


def random_matrix(rng: np.random.Generator, how: Augmentation) -> NDArray[np.float64]:
    """Draw a 3x3 matrix from patch offsets to source offsets: turns, zoom, a little shear, flips."""
    matrix = np.eye(3)
    if rng.random() < how.spatial:
        for axis in range(3):
            matrix = matrix @ _turn(axis, np.deg2rad(rng.uniform(-how.rotation_deg, how.rotation_deg)))
        zoom = np.exp(rng.uniform(*np.log(how.scaling))) * np.exp(rng.uniform(-0.06, 0.06, 3))
        shear = np.eye(3) + np.triu(rng.uniform(-0.05, 0.05, (3, 3)), 1)
        matrix = matrix @ shear @ np.diag(1 / zoom)
    flips = [-1.0 if axis in how.flip_axes and rng.random() < 0.5 else 1.0 for axis in range(3)]
    return np.asarray(matrix @ np.diag(flips))


def random_bending(rng: np.random.Generator, how: Augmentation, patch_size: Triple) -> NDArray[np.float64] | None:
    """Draw a smooth displacement in voxels, shape (3, z, y, x), from normal values on a coarse grid, or none."""
    if not how.elastic or rng.random() > BENT_SHARE:
        return None
    knots = [max(3, round(edge / KNOT_DISTANCE)) for edge in patch_size]
    strength = rng.uniform(0, how.elastic)
    zoom = [edge / count for edge, count in zip(patch_size, knots, strict=True)]
    fields = [ndimage.zoom(rng.normal(0, strength, knots), zoom, order=3, mode="nearest") for _ in range(3)]
    return np.stack(fields)


def warp(
    image: NDArray[np.float32], labels: NDArray[np.uint8], centre: NDArray[np.float64], matrix: NDArray[np.float64],
    patch_size: Triple, classes: int, bending: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a turned and zoomed patch around `centre` out of a source box.

    Parameters
    ----------
    image : ndarray of float32, shape (Z, Y, X, C)
    labels : ndarray of uint8, shape (Z, Y, X)
        Ids up to `classes`; `IGNORE` stays so.
    centre : ndarray, shape (3,)
        Source position of the patch's centre.
    bending : ndarray, shape (3,) + patch_size, optional
        Displacement in source voxels on top of `matrix`.

    Returns
    -------
    tuple
        Image (patch_size + (C,)) with edges repeated beyond the source, and labels with `IGNORE` there.

    Notes
    -----
    Labels are interpolated as one map a class, linearly, and decided by the largest: smoother borders than nearest
    neighbour gives.
    """
    offset = centre - matrix @ ((np.asarray(patch_size) - 1) / 2)

    places = None
    if bending is not None:
        grid = np.indices(patch_size, dtype=np.float64).reshape(3, -1)
        places = (matrix @ grid + offset[:, None]).reshape(3, *patch_size) + bending

    def cut(values: NDArray[np.float32], mode: str = "nearest", order: int = 1) -> NDArray[np.float32]:
        if places is not None:
            bent = ndimage.map_coordinates(values, places, order=order, mode=mode, cval=0.0, prefilter=False)
            return np.asarray(bent, dtype=np.float32)
        return np.asarray(
            ndimage.affine_transform(
                values, matrix, offset, output_shape=patch_size, order=order, mode=mode, cval=0.0, prefilter=False
            ),
            dtype=np.float32,
        )

    warped = np.stack([cut(image[..., c]) for c in range(image.shape[-1])], axis=-1)
    scores = np.stack([cut((labels == c).astype(np.float32)) for c in range(1, classes + 1)])
    background = 1 - scores.sum(axis=0)
    target = np.where(scores.max(axis=0) > background, scores.argmax(axis=0) + 1, 0).astype(np.uint8)
    counted = cut((labels != IGNORE).astype(np.float32), mode="constant", order=0) > 0.5
    return warped, np.where(counted, target, np.uint8(IGNORE))


def change_intensity(
    patch: NDArray[np.float32], rng: np.random.Generator, how: Augmentation
) -> NDArray[np.float32]:
    """Add noise, blur, brightness, contrast, gamma and coarse sampling, each with its probability."""
    for change in (_noise, _blur, _brightness, _contrast, _coarse, _gamma):
        if rng.random() < how.intensity:
            patch = change(patch, rng)
    return patch


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    first, second = (a for a in range(3) if a != axis)
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def _noise(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return patch + rng.standard_normal(patch.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.25))


def _blur(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    sigma = rng.uniform(0.4, 0.9)
    return np.asarray(ndimage.gaussian_filter(patch, (sigma, sigma, sigma, 0)), dtype=np.float32)


def _brightness(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return patch + np.float32(rng.normal(0, 0.2))


def _contrast(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    mean = patch.mean(dtype=np.float32)
    return (patch - mean) * np.float32(rng.uniform(0.75, 1.3)) + mean


def _coarse(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Lose detail along one axis, as thick slices do."""
    axis, factor = int(rng.integers(3)), int(rng.integers(2, 4))
    averaged = ndimage.uniform_filter1d(patch, factor, axis=axis, mode="nearest")
    return np.asarray(averaged, dtype=np.float32)


def _gamma(patch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    low, high = patch.min(), patch.max()
    if high <= low:
        return patch
    mean, deviation = patch.mean(), patch.std()
    bent = ((patch - low) / (high - low)) ** np.float32(rng.uniform(0.7, 1.5))
    return np.asarray((bent - bent.mean()) / max(float(bent.std()), 1e-6) * deviation + mean, dtype=np.float32)
