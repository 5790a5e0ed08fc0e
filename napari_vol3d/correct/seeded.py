"""Every voxel of a box to one of several kinds of painted seeds, along the edges of an image: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import random_walker, watershed

from napari_vol3d.core.box import Triple
from napari_vol3d.core.objects import TOUCHING
from napari_vol3d.core.volume import Spacing

DIRECT = 8_000  # voxels that the random walker solves at once; the time goes with far more than their number
TOLERANCE = 1e-3  # of the solver, relative
FLAT = 1e-9  # standard deviation, of data of about 1
LOOSEST = 2.0  # an axis is coarsened while its voxel edge is below this many times the shortest


def walked(data: NDArray[np.float64], seeds: NDArray[np.int32], spacing: Spacing, *, edges: float) -> NDArray[np.int32]:
    """Give each voxel to the seeds that a random walk from it most likely meets first (Grady 2006).

    scikit-image solves for the probabilities, by conjugate gradients with Jacobi's preconditioner. Boxes of more than
    some 8,000 voxels are first solved on a grid of half the resolution, and then only where that is not sure: within
    two to four voxels of its borders. 128^3 voxels take seconds that way instead of a minute.

    Parameters
    ----------
    data : ndarray of float64, shape (z, y, x)
        From 0 to 1 or so, not the same everywhere.
    seeds : ndarray of int32, shape (z, y, x)
        Numbers of kinds from 1; 0: to be found. At least one is not 0.
    spacing : tuple of float
        Voxel edges (z, y, x); only their proportions count.
    edges : float
        How strongly a difference of intensities holds a walker back (Grady's beta).

    Returns
    -------
    ndarray of int32, shape (z, y, x)
        No zeros; seeds are as they were.
    """
    if data.size <= DIRECT:
        return _solved(data, seeds, spacing, edges)
    step = _step(data.shape, spacing)
    coarse = walked(_means(data, step), _most(seeds, step), _times(spacing, step), edges=edges)
    sure = ndimage.minimum_filter(coarse, footprint=TOUCHING) == ndimage.maximum_filter(coarse, footprint=TOUCHING)
    guess = _finer(np.where(sure, coarse, np.int32(0)), step, data.shape)
    return _solved(data, np.where(seeds > 0, seeds, guess), spacing, edges)


def flooded(
    data: NDArray[np.float64], seeds: NDArray[np.int32], spacing: Spacing, *, sigma: float, compactness: float
) -> NDArray[np.int32]:
    """Give each voxel to the seeds that reach it over the lowest gradients: their watershed (Meyer 1991).

    Parameters
    ----------
    data, seeds, spacing
        See `walked`.
    sigma : float
        Of the Gaussian before the gradient, in the unit of the spacing.
    compactness : float
        What the way from a seed costs (Neubert and Protzel 2014), in gradients of one standard deviation of the data
        over a voxel's shortest edge, for each voxel; 0 for the plain watershed.
    """
    scaled = gradient(data / (data.std() or 1.0), spacing, sigma=sigma) * min(spacing)
    return np.asarray(watershed(scaled, seeds, compactness=compactness), np.int32)


def gradient(data: NDArray[np.float64], spacing: Spacing, *, sigma: float) -> NDArray[np.float64]:
    """Give the magnitude of the gradient of a smoothed image (z, y, x), per unit of the spacing."""
    widths = [sigma / edge for edge in spacing]
    smooth = ndimage.gaussian_filter(data, widths, mode="nearest")
    square = np.zeros_like(smooth)
    for axis, edge in enumerate(spacing):
        if data.shape[axis] > 1:
            square += np.gradient(smooth, edge, axis=axis) ** 2
    return np.asarray(np.sqrt(square))


def _solved(
    data: NDArray[np.float64], known: NDArray[np.int32], spacing: Spacing, edges: float
) -> NDArray[np.int32]:
    """Find the voxels that are 0, from those beside them that are known."""
    unknown = known == 0
    if not unknown.any():
        return known
    spread = float(data.std())
    if spread < FLAT:  # where fine structure averages out: no edges, so the nearest seeds
        nearest = ndimage.distance_transform_edt(unknown, spacing, return_distances=False, return_indices=True)
        return np.asarray(known[tuple(nearest)])
    at_hand = ndimage.binary_dilation(unknown)
    kinds = np.where(at_hand, known, np.int32(-1))  # the others would cost memory and decide nothing
    present = np.unique(kinds[kinds > 0])  # scikit-image numbers those that there are from 1
    scale = min(spacing)
    found = random_walker(
        data / spread, kinds, beta=edges, mode="cg_j", tol=TOLERANCE, spacing=[s / scale for s in spacing],
        prob_tol=np.inf,
    )  # fmt: skip
    return np.where(unknown, present[np.maximum(found, 1) - 1], known).astype(np.int32)


def _step(shape: tuple[int, ...], spacing: Spacing) -> Triple:
    """Give by what each axis is coarsened: the finest ones by 2, so that voxels become more alike."""
    fine = [edge < LOOSEST * min(s for s, n in zip(spacing, shape, strict=True) if n > 1) for edge in spacing]
    z, y, x = (2 if good and n > 1 else 1 for good, n in zip(fine, shape, strict=True))
    return (z, y, x)


def _times(spacing: Spacing, step: Triple) -> Spacing:
    z, y, x = (edge * n for edge, n in zip(spacing, step, strict=True))
    return (z, y, x)


def _blocks(data: NDArray[Any], step: Triple) -> NDArray[Any]:
    """Give the voxels of each block, shape (z, y, x, n); at the far faces the last ones are repeated."""
    whole = np.pad(data, [(0, -n % k) for n, k in zip(data.shape, step, strict=True)], mode="edge")
    z, y, x = (n // k for n, k in zip(whole.shape, step, strict=True))
    parts = whole.reshape(z, step[0], y, step[1], x, step[2]).transpose(0, 2, 4, 1, 3, 5)
    return parts.reshape(z, y, x, -1)


def _means(data: NDArray[np.float64], step: Triple) -> NDArray[np.float64]:
    return np.asarray(_blocks(data, step).mean(axis=-1))


def _most(seeds: NDArray[np.int32], step: Triple) -> NDArray[np.int32]:
    """Give the most frequent seed of each block, of equal ones the lowest; a single voxel is enough."""
    blocks = _blocks(seeds, step)
    found, most = np.zeros(blocks.shape[:3], np.int32), np.zeros(blocks.shape[:3], np.intp)
    for kind in range(1, int(seeds.max()) + 1):
        count = (blocks == kind).sum(axis=-1)
        found[count > most] = kind
        np.maximum(most, count, out=most)
    return found


def _finer(coarse: NDArray[np.int32], step: Triple, shape: tuple[int, ...]) -> NDArray[np.int32]:
    fine = coarse
    for axis, n in enumerate(step):
        fine = np.repeat(fine, n, axis=axis)
    return fine[tuple(slice(n) for n in shape)]
