"""Where what is made of a layer's voxels lies in the 3D view, whose world has the last three axes only."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import Dims
from napari.layers import Layer
from numpy.typing import ArrayLike, NDArray

from napari_vol3d.core.volume import Spacing
from napari_vol3d.gui.layers import finest

PLACED_BY = ("scale", "translate", "rotate", "shear", "affine", "units")  # events after which a layer lies elsewhere


def affine_of(layer: Layer, first: ArrayLike, steps: ArrayLike) -> NDArray[np.float64]:
    """Give the matrix from a grid over a layer's voxels to the world (z, y, x).

    Parameters
    ----------
    first : sequence of float
        Index (z, y, x) in the layer where the grid has its origin.
    steps : sequence of float
        Voxels of the layer from one point of the grid to the next.
    """
    matrix, corner = np.eye(4), _world(layer, np.zeros(3))
    along = np.stack([_world(layer, row) - corner for row in np.eye(3)], axis=1)
    matrix[:3, :3] = along * np.asarray(steps, np.float64)
    matrix[:3, 3] = corner + along @ np.asarray(first, np.float64)
    return matrix


def spacing_of(layer: Layer, steps: ArrayLike = (1.0, 1.0, 1.0)) -> Spacing:
    """Give the distances between the points of a grid over a layer's voxels, along its (z, y, x)."""
    z, y, x = (float(length) for length in np.linalg.norm(affine_of(layer, (0, 0, 0), steps)[:3, :3], axis=0))
    return z, y, x


def common(layer: Layer) -> dict[str, Any]:
    """Give what else places something like a layer."""
    return {"units": tuple(layer.units[-3:]), "axis_labels": tuple(layer.axis_labels[-3:])}


def shown_at(layer: Layer, dims: Dims) -> tuple[int, ...]:
    """Give the time point and the channel of a layer that the viewer shows: its index before (z, y, x)."""
    point = dims.point[-layer.ndim :]
    if layer.ndim <= 3 or len(point) < layer.ndim:
        return (0,) * max(0, layer.ndim - 3)
    index = np.rint(layer.world_to_data(point)[: layer.ndim - 3]).astype(int)
    lengths = finest(layer).shape
    return tuple(int(np.clip(i, 0, length - 1)) for i, length in zip(index, lengths, strict=False))



def _world(layer: Layer, index: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.zeros(layer.ndim)
    whole[-3:] = index
    return np.asarray(layer.data_to_world(whole), np.float64)[-3:]
