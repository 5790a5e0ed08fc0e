"""One kernel for every run: the window's, the command line's, and one block of a cluster are this on other boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.tiles import Tile, TilePlan

Read = Callable[[Box], NDArray[Any]]


class Predictor(Protocol):
    """A network as the kernel sees it."""

    def scores(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give class scores (z, y, x, K) for a patch (z, y, x, C)."""

    def decide(self, scores: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Give the class ids (z, y, x) that scores speak for."""


def segment_tile(
    tile: Tile, read: Read, grid: GridMap, intensity: Sequence[IntensityMap], predictor: Predictor
) -> tuple[Box, NDArray[np.float32]]:
    """Score one tile.

    Parameters
    ----------
    tile : Tile
        On the model's grid.
    read : callable
        Gives the scan's stored voxels of a box, shape (z, y, x, C).
    grid : GridMap
        From the scan's grid to the model's.

    Returns
    -------
    Box, ndarray of float32
        The scan voxels that the tile owns, and their class scores (z, y, x, K).
    """
    owned = grid.owned(tile.core)
    if owned.size == 0:
        return owned, np.zeros((*owned.shape, 1), np.float32)
    scores = predictor.scores(_patch(tile.patch, read, grid, intensity))
    if grid.identity:  # not interpolated: the same numbers as on the whole volume, and no copies
        z, y, x = tile.patch.start
        return owned, scores[owned.shifted((-z, -y, -x)).slices]
    return owned, grid.scores_to_scan(scores, tile.patch, owned)


def segment_box(
    order: Callable[[list[Tile]], Tile], plan: TilePlan, box: Box, read: Read, grid: GridMap,
    intensity: Sequence[IntensityMap], predictor: Predictor,
) -> Iterator[tuple[Box, NDArray[np.float32]]]:
    """Score every tile whose scan voxels meet `box`, in the order the caller picks.

    Parameters
    ----------
    order : callable
        Takes the tiles that are left and gives the next one: the one nearest to where the person looks.

    Yields
    ------
    Box, ndarray of float32
        A part of `box` and its class scores. The parts are disjoint and cover `box`.
    """
    left = [tile for tile in plan if grid.owned(tile.core).intersect(box).size]
    while left:
        tile = order(left)
        left.remove(tile)
        owned, scores = segment_tile(tile, read, grid, intensity, predictor)
        part = owned.intersect(box)
        back = (-owned.start[0], -owned.start[1], -owned.start[2])
        yield part, scores[part.shifted(back).slices]


def _patch(box: Box, read: Read, grid: GridMap, intensity: Sequence[IntensityMap]) -> NDArray[np.float32]:
    if not grid.identity:
        part = grid.needed(box)
        return grid.to_model(_normalise(read(part), intensity), part, box)
    inside = box.intersect(Box.of(grid.scan_shape))
    before = tuple(a - b for a, b in zip(inside.start, box.start, strict=True))
    after = tuple(a - b for a, b in zip(box.stop, inside.stop, strict=True))
    return _extended(_normalise(read(inside), intensity), before, after)


def _normalise(part: NDArray[Any], intensity: Sequence[IntensityMap]) -> NDArray[np.float32]:
    return np.stack([scheme.apply(part[..., c]) for c, scheme in enumerate(intensity)], axis=-1)


def _extended(patch: NDArray[np.float32], before: tuple[int, ...], after: tuple[int, ...]) -> NDArray[np.float32]:
    if not any(before) and not any(after):
        return patch
    widths = [*zip(before, after, strict=True), (0, 0)]
    return np.pad(patch, widths, mode="edge")


def nearest_to(point: Callable[[], Sequence[float]], grid: GridMap) -> Callable[[list[Tile]], Tile]:
    """Give an order that follows `point` (scan voxels), asked anew before every tile."""

    def choose(left: list[Tile]) -> Tile:
        z, y, x = (p * r for p, r in zip(point(), grid.ratio, strict=True))
        return min(left, key=lambda tile: (tile.core.distance2((z, y, x)), tile.index))

    return choose

