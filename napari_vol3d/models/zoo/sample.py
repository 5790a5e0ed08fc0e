"""A small patch that anybody can run a network on: made up, so that no patient is in it, and the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.io.png_write import png_bytes
from napari_vol3d.models.card import ModelCard

LEAST_EDGE, MOST_EDGE = 32, 96
SEED = 20
PIXELS = 256  # of the picture's edge
SHOWN = 0.6  # how much of a class's colour covers the scan


def sample_shape(card: ModelCard) -> tuple[int, int, int]:
    """Give the smallest patch, edges along z, y and x, that is worth running: more than its halo is left of it."""
    if card.input.fixed:
        return card.input.patch_size
    wanted = max(LEAST_EDGE, 2 * told_halo(card) + 1)
    edge = -(-wanted // card.input.multiple) * card.input.multiple
    return edge, edge, edge


def told_halo(card: ModelCard) -> int:
    """Give the halo that a package can say: 0 for one so large that a patch would have to be huge."""
    most = (min(card.input.patch_size) if card.input.fixed else MOST_EDGE) - 1
    return card.inference.halo if 2 * card.inference.halo <= most else 0


def sample_input(card: ModelCard) -> NDArray[np.float32]:
    """Make up a patch (z, y, x, channels) of stored voxels: a few bright balls in dim noise, its darkest voxel 0."""
    shape = sample_shape(card)
    rng = np.random.Generator(np.random.PCG64(SEED))
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"), axis=-1)
    channels = []
    for _ in card.input.channels:
        voxels = rng.normal(0.2, 0.02, shape)
        for brightness in (0.5, 0.7, 1.0):
            away = np.linalg.norm(grid - rng.uniform(-0.5, 0.5, 3), axis=-1)
            voxels += (brightness - 0.2) / (1 + np.exp((away - 0.3) * 30))
        channels.append(voxels - voxels.min())
    low, high = _range(card)
    patch = np.stack(channels, axis=-1)
    return np.asarray(low + (high - low) * patch / patch.max(), np.float32)


def cover(card: ModelCard, patch: NDArray[Any], scores: NDArray[Any]) -> bytes:
    """Draw a PNG twice as wide as high: a slice of the patch, and the same slice with its classes coloured.

    Parameters
    ----------
    patch, scores : array, shape (z, y, x, channels)
    """
    labels = _labels(card, scores)
    z = int(np.argmax((labels > 0).sum(axis=(1, 2))))
    grey = np.interp(patch[z, ..., 0], np.percentile(patch[..., 0], (1, 99)), (0, 255))
    left = np.repeat(grey[..., None], 3, axis=-1)
    colours = np.array([[int(c.color[i : i + 2], 16) for i in (1, 3, 5)] for c in card.output.classes], float)
    drawn = (labels[z] > 0)[..., None]
    right = np.where(drawn, (1 - SHOWN) * left + SHOWN * colours[labels[z] - 1], left)
    return png_bytes(np.concatenate([_square(left), _square(right)], axis=1).astype(np.uint8))


def _range(card: ModelCard) -> tuple[float, float]:
    scheme = card.input.intensity
    if scheme.kind == "window":
        return scheme.lower, scheme.upper
    return (0.0, 1.0) if scheme.kind == "none" else (0.0, 1000.0)


def _labels(card: ModelCard, scores: NDArray[Any]) -> NDArray[Any]:
    """Give 1 for the first class, 2 for the second ...; 0 is background."""
    if card.output.activation == "sigmoid":
        return np.where(scores.max(axis=-1) > 0.5, scores.argmax(axis=-1) + 1, 0)
    return np.asarray(scores.argmax(axis=-1))


def _square(picture: NDArray[Any]) -> NDArray[Any]:
    """Stretch a picture to PIXELS x PIXELS, voxel by voxel."""
    rows, columns = (np.arange(PIXELS) * n // PIXELS for n in picture.shape[:2])
    return np.asarray(picture[rows][:, columns])
