"""How much context a network really needs: measured on the person's own scan, not guessed.

A patch that ends inside the scan is wrong near that end. So a large window is computed once as a whole, and once cut in
two along each axis; where the labels differ, and how far from the cut, says at once for every halo how many voxels it
would get wrong. The theoretical receptive field is an upper bound that trained networks hardly use (Luo et al. 2016).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.tiles import Axis, GivenTiles
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.desk import Desk
from napari_vol3d.pipeline.exchange import exchange

TOLERANCE = 1e-4  # of the foreground: voxels that may differ from those of a large window
LEAST_FOREGROUND = 2_000  # voxels; fewer say nothing about one in ten thousand
PHASE = "Finding out how much context is needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredHalo:
    """What was found.

    Attributes
    ----------
    halo : int
        The smallest whose labels agree.
    wrong : tuple of float
        Share of the foreground that a halo of 0, 1, 2 ... voxels gets wrong.
    window : tuple of int
        Voxels (z, y, x) of the window that it was measured in.
    foreground : int
        Voxels of classes in it.
    """

    halo: int
    wrong: tuple[float, ...]
    window: Triple
    foreground: int


def measure_halo(
    frame: Volume,
    card: ModelCard,
    grid: GridMap,
    intensity: Sequence[IntensityMap],
    engine: Engine,
    *,
    reach: int,
    most_voxels: int,
) -> Generator[Progress, None, MeasuredHalo | None]:
    """Find the smallest halo whose labels agree with a large window's to `TOLERANCE`, at most `reach`.

    Parameters
    ----------
    reach : int
        The theoretical halo.
    most_voxels : int
        How many voxels a patch may have.

    Returns
    -------
    MeasuredHalo or None
        None where no window with enough foreground was found, or the window is too small to tell.
    """
    compute = _Computer(frame, card, grid, intensity, engine)
    window = _window_size(grid.model_shape, card.input.multiple, reach, most_voxels)
    for place in _places(grid.model_shape, window, card.input.multiple):
        reference = (yield from compute.labels(window, _spans(place, window)))[0]
        foreground = int(np.count_nonzero(reference))
        if foreground >= LEAST_FOREGROUND:
            break
    else:
        return None
    wrong, planes = np.zeros(max(window) + 1), np.zeros(max(window) + 1)
    for axis in range(3):
        if window[axis] >= grid.model_shape[axis]:
            continue  # one patch spans this axis: no tile will end there
        half = -(-window[axis] // (2 * card.input.multiple)) * card.input.multiple
        # Two halves that may share a few voxels; each ends inside the window at one side.
        for origin, inner_end_first in ((place[axis], False), (place[axis] + window[axis] - half, True)):
            size = _changed(window, axis, half)
            found = (yield from compute.labels(size, _spans(_changed(place, axis, origin), size)))[0]
            differing = _per_plane(found, reference, axis, at_end=inner_end_first)
            profile = differing if inner_end_first else differing[::-1]  # counted from the cut
            away = np.minimum(((np.arange(len(profile)) + 0.5) * grid.ratio[axis]).astype(int), len(wrong) - 1)
            np.add.at(wrong, away, profile)
            np.add.at(planes, away, 1)
    tails = _tails(wrong, planes, reach) / foreground
    enough = int(np.argmax(tails <= TOLERANCE))
    seen = min([edge // 2 for edge, n in zip(window, grid.model_shape, strict=True) if edge < n], default=reach)
    if enough >= seen and seen < reach:
        return None  # the window ends before the differences do
    return MeasuredHalo(
        halo=min(enough, reach), wrong=tuple(float(t) for t in tails[: reach + 1]), window=window, foreground=foreground
    )


class _Computer:
    """Computes the labels of single patches, as scan voxels."""

    def __init__(
        self, frame: Volume, card: ModelCard, grid: GridMap, intensity: Sequence[IntensityMap], engine: Engine
    ) -> None:
        self._frame, self._card, self._grid = frame, card, grid
        self._intensity, self._engine = intensity, engine

    def labels(self, size: Triple, spans: tuple[Axis, Axis, Axis]) -> Generator[Progress, None, list[NDArray[Any]]]:
        """Give the labels of the scan voxels in each patch."""
        multiple = self._card.input.multiple
        plan = GivenTiles(shape=self._grid.model_shape, patch_size=size, halo=0, multiple=multiple, spans=spans)
        found = []
        with exchange(self._engine.folder) as files:
            desk = Desk(
                self._engine, files, self._frame, self._card, self._grid, tiles=plan, intensity=self._intensity
            )  # fmt: skip
            with contextlib.closing(desk):
                for _ in desk.open():
                    yield Progress(phase=PHASE)
                for tile in plan:
                    desk.read(tile)
                    desk.send(tile, self._grid.owned(tile.core))
                    part = None
                    while part is None:
                        part = desk.fetch()
                        yield Progress(phase=PHASE)
                    found.append(part.labels)
        return found


def _tails(wrong: NDArray[np.float64], planes: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Count for each halo the voxels that differ for want of context, and not by rounding alone.

    Beyond the reach nothing but rounding differs, which no halo mends: in bfloat16 patches of two sizes disagree a
    little everywhere. Its share is taken off.
    """
    beyond = float(planes[reach:].sum())
    rounding = float(wrong[reach:].sum()) / beyond if beyond else 0.0
    tails = np.append(np.cumsum((wrong - rounding * planes)[::-1])[::-1], 0.0)
    return np.asarray(np.maximum.accumulate(np.maximum(tails, 0.0)[::-1])[::-1])


def _per_plane(found: NDArray[Any], reference: NDArray[Any], axis: int, *, at_end: bool) -> NDArray[np.int64]:
    """Count the voxels that differ in each plane across `axis`; `found` lies at one end of the reference."""
    first = reference.shape[axis] - found.shape[axis] if at_end else 0
    part = tuple(slice(first, first + n) if a == axis else slice(None) for a, n in enumerate(found.shape))
    differing = np.moveaxis(found != reference[part], axis, 0)
    return np.asarray(differing.reshape(len(differing), -1).sum(axis=1))


def _window_size(shape: Triple, multiple: int, reach: int, most_voxels: int) -> Triple:
    """Give the largest useful window: twice the reach and something to look at, as far as the budget goes."""
    wanted = 2 * reach + max(32, 4 * multiple)
    edges = [min(-(-n // multiple), -(-wanted // multiple)) * multiple for n in shape]
    while math.prod(edges) > most_voxels and max(edges) > 2 * multiple:
        edges[edges.index(max(edges))] -= multiple
    return (edges[0], edges[1], edges[2])


def _places(shape: Triple, window: Triple, multiple: int) -> Iterator[Triple]:
    """Give places for the window: the middle first, then around it."""
    room = [max(0, n - edge) for n, edge in zip(shape, window, strict=True)]
    for share in ((0.5, 0.5, 0.5), (0.3, 0.5, 0.5), (0.7, 0.5, 0.5), (0.5, 0.3, 0.5), (0.5, 0.5, 0.3), (0.5, 0.7, 0.7)):
        z, y, x = (int(r * s) // multiple * multiple for r, s in zip(room, share, strict=True))
        yield (z, y, x)


def _spans(place: Triple, size: Triple) -> tuple[Axis, Axis, Axis]:
    z, y, x = (((at, at, at + edge),) for at, edge in zip(place, size, strict=True))
    return (z, y, x)


def _changed(values: Triple, axis: int, value: int) -> Triple:
    z, y, x = (value if a == axis else old for a, old in enumerate(values))
    return (z, y, x)
