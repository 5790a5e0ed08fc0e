"""Choosing the tiles of a plan: how large, how far they overlap, and what is averaged over."""

from __future__ import annotations

import math
from functools import partial

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.tiles import Axis, GivenTiles, TilePlan, plan_tiles
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.record import LocalRecord
from napari_vol3d.pipeline.settings import SegmentSettings

WORTH_OTHER_TILES = 0.5  # of the work that the whole frame's tiles take for a box; these are found in the cache later


def choose_tiles(
    grid: GridMap, card: ModelCard, settings: SegmentSettings, known: LocalRecord, most: int, *, box: Box | None = None
) -> TilePlan | OverlapPlan:
    """Tiles with thrown-away context where that is exact; blended windows where results depend on the whole patch.

    Parameters
    ----------
    box : Box, optional
        What is segmented, in voxels of the grid's scan; all of it where absent. Blended windows never depend on it.
    """
    scheme, shape = settings.scheme, grid.model_shape
    if card.input.fixed:
        return _fixed(shape, card, settings, most)
    if scheme == "auto":
        scheme = "overlap" if known.instance_statistics else card.inference.scheme
    if scheme == "halo":
        halo = halo_of(card, settings, known, resampled=not grid.identity)
        plan = partial(plan_tiles, shape, multiple=card.input.multiple, most_voxels=most)
        try:
            return fitted(plan(halo=halo), grid, box, most)
        except Vol3dError:
            if settings.halo is not None or settings.context == "exact" or halo <= card.inference.halo:
                raise
            # What was measured asks for more memory than the card's guess.
            return fitted(plan(halo=card.inference.halo), grid, box, most)
    multiple = card.input.multiple
    padded = (-(-n // multiple) * multiple for n in shape)
    z, y, x = (min(-(-e // multiple) * multiple, n) for e, n in zip(card.input.patch_size, padded, strict=True))
    edges = shrunk((z, y, x), multiple, most)
    if math.prod(edges) > most:
        raise Vol3dError("The memory budget is too small for a patch.", hint="Raise the memory budget.")
    return OverlapPlan(shape=shape, patch_size=edges, overlap=settings.overlap, multiple=multiple)


def fitted(tiles: TilePlan, grid: GridMap, box: Box | None, most: int) -> TilePlan:
    """Give tiles laid around a box with its context, where a plan of the whole frame computes far more for it."""
    if box is None or box.shape == grid.scan_shape:
        return tiles
    try:
        own = _around(tiles, grid, box, most)
    except Vol3dError:
        return tiles
    work, least = (grid.tiles_meeting(each, box) * math.prod(each.patch_size) for each in (tiles, own))
    return own if least <= WORTH_OTHER_TILES * work else tiles


def _around(tiles: TilePlan, grid: GridMap, box: Box, most: int) -> GivenTiles:
    """Plan the part of the model's grid that a box needs as if it were a volume; cores keep their context in it."""
    step, halo = tiles.multiple, tiles.halo
    cores = [_core_along(grid, axis, box) for axis in range(3)]
    lows = [max(0, start // step * step - halo) for start, _ in cores]
    highs = [min(-(-stop // step) * step + halo, n) for (_, stop), n in zip(cores, tiles.shape, strict=True)]
    z, y, x = (high - low for low, high in zip(lows, highs, strict=True))
    part = plan_tiles((z, y, x), multiple=step, halo=halo, most_voxels=most)
    spans = [_moved(axis, low, core) for axis, low, core in zip(part.axes, lows, cores, strict=True)]
    return GivenTiles(
        shape=tiles.shape, patch_size=part.patch_size, halo=halo, multiple=step, spans=(spans[0], spans[1], spans[2])
    )


def _core_along(grid: GridMap, axis: int, box: Box) -> tuple[int, int]:
    """Give the span of the model's grid that owns a box along one axis, a voxel more where that may be rounded."""
    ratio, length = grid.ratio[axis], grid.model_shape[axis]
    room = 0 if ratio == 1 else 1
    start = math.floor((box.start[axis] + 0.5) * ratio) - room
    stop = math.floor((box.stop[axis] - 0.5) * ratio) + 1 + room
    return max(0, min(start, length - 1)), max(1, min(stop, length))


def _moved(spans: Axis, by: int, core: tuple[int, int]) -> Axis:
    """Shift spans by whole steps, and keep of their cores what lies in `core`."""
    cut = ((o + by, max(a + by, core[0]), min(b + by, core[1])) for o, a, b in spans)
    return tuple((o, a, b) for o, a, b in cut if b > a)


def _fixed(shape: Triple, card: ModelCard, settings: SegmentSettings, most: int) -> OverlapPlan:
    """Blended windows of the one size that the network takes."""
    if math.prod(card.input.patch_size) > most:
        raise Vol3dError("The memory budget is too small for a patch.", hint="Raise the memory budget.")
    return OverlapPlan(
        shape=shape, patch_size=card.input.patch_size, overlap=settings.overlap, multiple=card.input.multiple
    )


def mirror_axes(card: ModelCard, settings: SegmentSettings) -> tuple[int, ...]:
    """Give the axes along which each patch is also seen mirrored.

    Raises
    ------
    ScanMismatch
        If the person wants that, and the card names none.
    """
    if settings.mirror and not card.input.flip_axes:
        raise ScanMismatch("The model's card names no axis along which scans may be mirrored.", hint="Untick mirror.")
    return card.input.flip_axes if settings.mirror else ()


def halo_of(card: ModelCard, settings: SegmentSettings, known: LocalRecord, *, resampled: bool = False) -> int:
    """Give the halo of a run: the person's, the theoretical one, the measured one, or the card's."""
    if settings.halo is not None:
        return settings.halo
    between = int(resampled)  # scores are interpolated between two voxels, of which one may be a neighbour's
    if settings.context == "exact" and known.reach is not None:
        return known.reach + between
    guess = card.inference.halo if known.reach is None else min(card.inference.halo, known.reach)
    found = guess if known.halo is None or settings.context == "exact" else known.halo
    return max(found, between)


def shrunk(edges: Triple, multiple: int, most: int) -> Triple:
    """Halve the longest edge until a patch fits."""
    sizes = list(edges)
    while math.prod(sizes) > most and max(sizes) > multiple:
        axis = sizes.index(max(sizes))
        sizes[axis] = max(multiple, sizes[axis] // 2 // multiple * multiple)
    return (sizes[0], sizes[1], sizes[2])
