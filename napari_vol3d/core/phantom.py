"""A synthetic fluorescence stack: nuclei as a microscope would show them, with their exact labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_vol3d.core.box import Triple
from napari_vol3d.core.volume import Spacing

RADIUS_UM = (3.6, 6.4)
TOUCHING = 0.3  # share of nuclei that are put against another one
TRIES = 60  # places tried for a nucleus before it is left out
MOST_OVERLAP = 0.08  # share of a nucleus that may lie in others
PSF_SIGMA_UM = (1.6, 0.45, 0.45)
PHOTONS = 220.0  # at a voxel of full brightness
BACKGROUND = 12.0
READ_NOISE = 2.5
GAIN = 9.0
OFFSET = 100.0
DEPTH_UM = 90.0  # in which the light falls to 1/e


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nucleus:
    """An ellipsoid; lengths in um along (z, y, x)."""

    centre: NDArray[np.float64]
    radii: NDArray[np.float64]
    axes: NDArray[np.float64]  # rotation, (3, 3)


def nuclei(
    shape: Triple = (32, 128, 128), spacing_um: Spacing = (2.0, 0.65, 0.65), count: int = 60, *, seed: int = 0
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Make a stack of fluorescent nuclei: textured ellipsoids, some touching, blurred and noisy.

    Parameters
    ----------
    shape : tuple of int
        (Z, Y, X) voxels.
    spacing_um : tuple of float
        Along (z, y, x), in um.
    count : int
        Wanted nuclei; fewer where there is no room.
    seed : int
        The same seed gives the same stack.

    Returns
    -------
    image : ndarray of uint16, shape (Z, Y, X)
        Camera counts.
    labels : ndarray of uint16, shape (Z, Y, X)
        0 background, then one id a nucleus without gaps: where it is before the blur.
    """
    rng = np.random.default_rng(seed)
    spacing = np.asarray(spacing_um)
    labels = np.zeros(shape, np.uint16)
    light = np.zeros(shape)
    centres: list[NDArray[np.float64]] = []
    for _ in range(count):
        placed = _place(rng, labels, spacing, centres)
        if placed is None:
            continue
        nucleus, box, inside = placed
        centres.append(nucleus.centre)
        labels[box][inside] = len(centres)
        light[box][inside] = (_chromatin(rng, inside.shape, spacing) * rng.uniform(0.45, 1.0))[inside]
    return _seen(rng, light, spacing), labels


def _place(
    rng: np.random.Generator, labels: NDArray[np.uint16], spacing: NDArray[np.float64],
    centres: list[NDArray[np.float64]],
) -> tuple[_Nucleus, tuple[slice, ...], NDArray[np.bool_]] | None:  # fmt: skip
    """Find room for one more nucleus: the box it lies in and the voxels of the box that it fills."""
    for _ in range(TRIES):
        nucleus = _draw(rng, np.asarray(labels.shape) * spacing, centres)
        box, inside = _rasterised(nucleus, labels.shape, spacing)
        taken = labels[box] != 0
        if inside.any() and (inside & taken).sum() <= MOST_OVERLAP * inside.sum():
            return nucleus, box, inside & ~taken
    return None


def _draw(rng: np.random.Generator, extent: NDArray[np.float64], centres: list[NDArray[np.float64]]) -> _Nucleus:
    radii = rng.uniform(*RADIUS_UM) * rng.uniform(0.75, 1.25, size=3)
    if centres and rng.random() < TOUCHING:
        towards = rng.normal(size=3)
        distance = 2.0 * float(np.mean(RADIUS_UM)) * rng.uniform(0.9, 1.05)
        centre = centres[rng.integers(len(centres))] + distance * towards / np.linalg.norm(towards)
    else:
        centre = rng.uniform(0, extent)
    return _Nucleus(centre=centre, radii=radii, axes=Rotation.random(random_state=rng).as_matrix())


def _rasterised(
    nucleus: _Nucleus, shape: Triple | tuple[int, ...], spacing: NDArray[np.float64]
) -> tuple[tuple[slice, ...], NDArray[np.bool_]]:
    reach = nucleus.radii.max()
    start = np.clip(np.floor((nucleus.centre - reach) / spacing), 0, shape).astype(int)
    stop = np.clip(np.ceil((nucleus.centre + reach) / spacing) + 1, start, shape).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(start, stop, strict=True)), indexing="ij"), axis=-1)
    own = ((grid + 0.5) * spacing - nucleus.centre) @ nucleus.axes / nucleus.radii
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    return box, np.asarray((own**2).sum(axis=-1) <= 1)


def _chromatin(rng: np.random.Generator, shape: tuple[int, ...], spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness inside a nucleus: clumps of about 1 um and a few darker nucleoli, around 1."""
    clumps = ndimage.gaussian_filter(rng.normal(size=shape), 0.9 / spacing)
    nucleoli = ndimage.gaussian_filter(rng.normal(size=shape), 1.6 / spacing)
    clumps /= max(float(clumps.std()), 1e-9)
    nucleoli /= max(float(nucleoli.std()), 1e-9)
    return np.asarray(np.clip(1 + 0.22 * clumps, 0.3, None) * np.where(nucleoli > 1.4, 0.55, 1.0))


def _seen(rng: np.random.Generator, light: NDArray[np.float64], spacing: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Send light through the microscope: blur, haze, fall-off with depth, photon and read noise, camera counts."""
    sharp = ndimage.gaussian_filter(light, np.asarray(PSF_SIGMA_UM) / spacing, mode="constant")
    # A wide weak part of the blur makes the haze around crowded nuclei.
    haze = ndimage.gaussian_filter(light, 6.0 / spacing, mode="constant")
    depth = np.exp(-np.arange(light.shape[0]) * spacing[0] / DEPTH_UM)[:, None, None]
    photons = rng.poisson(PHOTONS * depth * (0.85 * sharp + 0.15 * haze) + BACKGROUND)
    counts = OFFSET + GAIN * (photons + rng.normal(scale=READ_NOISE, size=light.shape))
    return np.asarray(np.clip(np.round(counts), 0, np.iinfo(np.uint16).max), np.uint16)
