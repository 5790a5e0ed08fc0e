"""Planning a run: one patch shape and one scheme, chosen by the work they cost, before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.say import say_bytes, say_seconds, say_times
from napari_vol3d.core.tiles import GivenTiles, Tile, TilePlan, plan_tiles
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.record import LocalRecord, read_record
from napari_vol3d.pipeline.checks import require_fit
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.stage import Staged, stage, stage_grid
from napari_vol3d.pipeline.tiling import choose_tiles, fitted, mirror_axes, shrunk

GIGABYTE = 1e9
MOST_MODEL_VOXELS = 10**11  # beyond this a voxel size is wrong, and a run would never end
MOST_FOR_A_SLICE = 0.5  # of the work that the tiles of a slice take anyway
WORTH_NARROWING = 2e11  # flops of a slab: half of them take about as long as compiling the narrowed networks


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPlan:
    """What a run will do, known before it starts.

    Attributes
    ----------
    frame : Box
        The part of the scan that the model takes for its whole world: all of it, or the region, where the scan is
        much larger than what the model was trained on, or the cube or the bright part that its card asks for. In
        voxels of the scan on the stage, along the model's axes (`pipeline.stage`); mostly these are the scan's own.
    box : Box
        What is segmented, in voxels of the frame.
    grid : GridMap
        From the frame's grid to the model's.
    tiles : TilePlan or OverlapPlan
        On the model's grid: the scheme "halo" or "overlap".
    count : int
        Tiles that meet the box.
    patch_bytes : int
        Memory that one patch takes.
    most_voxels : int
        How many voxels a patch was allowed.
    mirror_axes : tuple of int
        Axes along which each patch is also seen mirrored.
    passes : int
        How often the network sees each patch: mirrored, and by each of several models.
    frames : int
        Time points, each of which is computed as this says.
    kept : tuple of int, optional
        Where patches are wanted for a few rows along an axis alone: that axis, and first and end of these in a patch.
    """

    frame: Box
    box: Box
    grid: GridMap
    tiles: TilePlan | OverlapPlan
    count: int
    patch_bytes: int
    most_voxels: int
    mirror_axes: tuple[int, ...] = ()
    passes: int = 1
    frames: int = 1
    kept: Triple | None = None

    @property
    def scheme(self) -> str:
        """How tiles share their borders: "halo" or "overlap"."""
        return "halo" if isinstance(self.tiles, TilePlan) else "overlap"

    @property
    def megavoxels(self) -> float:
        """Millions of voxels that the network computes."""
        return self.frames * self.passes * self.count * math.prod(self.tiles.patch_size) / 1e6

    @property
    def work(self) -> float:
        """Voxels computed over voxels of the region, on the model's grid."""
        wanted = math.prod(n * r for n, r in zip(self.box.shape, self.grid.ratio, strict=True))
        return self.megavoxels * 1e6 / max(wanted * self.frames, 1.0)

    def sentence(self, seconds: float | None = None) -> str:
        """Say what it costs: "18 tiles, 1.4x the voxels, 1.1 GB, about 12 s"."""
        parts = [f"{self.count:,} {'tile' if self.count == 1 else 'tiles'}", f"{say_times(self.work)} the voxels"]
        if self.frames > 1:
            parts[0] = f"{self.frames:,} time points of {parts[0]}"
        parts[1:1] = ["blended"] * (self.scheme == "overlap")
        parts += [say_bytes(self.patch_bytes)]
        parts += [] if seconds is None else [f"about {say_seconds(seconds)}"]
        return ", ".join(parts)

    def wanted_of(self, tile: Tile) -> Box:
        """Give the voxels of the box, in the frame, that a tile is computed for."""
        return self.grid.owned(tile.core).intersect(self.box)

    def wanted_tiles(self) -> list[Tile]:
        """List the tiles that meet the box."""
        return [tile for tile in self.tiles if self.wanted_of(tile).size]

    def windows(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
        """Give the origins of the wanted tiles along z, y and x, for an overlap scheme."""
        if isinstance(self.tiles, TilePlan):
            return None
        starts = [tile.patch.start for tile in self.wanted_tiles()]
        z, y, x = (tuple(sorted({start[axis] for start in starts})) for axis in range(3))
        return (z, y, x)


def plan_segment(
    volume: Volume,
    card: ModelCard,
    settings: SegmentSettings,
    region: Box | None = None,
    *,
    models: int = 1,
    record: LocalRecord | None = None,
) -> SegmentPlan:
    """Plan a run: depends on shape, card, settings, region and what was learnt about the model, on nothing else.

    Parameters
    ----------
    region : Box, optional
        What to segment, in voxels of the scan; all of it where absent.
    models : int
        How many are averaged.
    record : LocalRecord, optional
        What this machine knows of the model; read from its folder where absent.

    Raises
    ------
    ScanMismatch
        If the model does not fit the scan, or the region lies outside it.
    Vol3dError
        If not even the smallest patch fits the memory budget.
    """
    staged = stage(volume.frame(0), card, settings)
    plan = plan_staged(staged, card, settings, region, models=models, record=record)
    return replace(plan, frames=volume.frames)


def plan_staged(
    staged: Staged,
    card: ModelCard,
    settings: SegmentSettings,
    region: Box | None = None,
    *,
    models: int = 1,
    record: LocalRecord | None = None,
    crop: Box | None = None,
) -> SegmentPlan:
    """Plan a run over a scan on the stage; as `plan_segment`.

    Parameters
    ----------
    crop : Box, optional
        The part of `staged.volume` that the network is shown, where the card says so and it has been looked for.
    """
    fit = require_fit(staged.shown, card, resample=settings.resample)
    known = read_record(card) if record is None else record
    wanted = staged.forth(wanted_of(staged.scan, region))
    frame = wanted if fit.beyond_field_of_view else staged.world
    frame = frame if crop is None else crop
    grid = stage_grid(staged, frame, card, settings)
    if math.prod(grid.model_shape) > MOST_MODEL_VOXELS:
        size = " x ".join(f"{n:,}" for n in grid.model_shape)
        raise ScanMismatch(
            f"At the model's spacing the scan has {size} voxels.",
            hint="Check the scan's voxel size, or untick resample.",
        )
    most = int(settings.memory_gb * GIGABYTE / card.inference.bytes_per_voxel)
    start = frame.start
    box = wanted.intersect(frame).shifted((-start[0], -start[1], -start[2]))
    tiles = choose_tiles(grid, card, settings, known, most, box=box if box.size else None)
    mirrored = mirror_axes(card, settings)
    plan = SegmentPlan(
        frame=frame, box=box, grid=grid, tiles=tiles, count=0, most_voxels=most,
        patch_bytes=math.prod(tiles.patch_size) * card.inference.bytes_per_voxel,
        mirror_axes=mirrored, passes=models * 2 ** len(mirrored),
    )  # fmt: skip
    return replace(plan, count=_count(plan))


def wanted_of(scan: Volume, region: Box | None) -> Box:
    """Give what to segment of a scan, in its voxels.

    Raises
    ------
    ScanMismatch
        If the region lies outside the scan.
    """
    whole = Box.of(scan.shape)
    wanted = whole if region is None else region.intersect(whole)
    if not wanted.size:
        raise ScanMismatch("The region lies outside the scan.", hint="Move it onto the scan, or take the whole scan.")
    return wanted


def smaller(plan: SegmentPlan, card: ModelCard) -> SegmentPlan | None:
    """Give a plan whose patches have at most half as many voxels, None where there is none."""
    most = math.prod(plan.tiles.patch_size) // 2
    tiles: TilePlan | OverlapPlan
    if isinstance(plan.tiles, TilePlan):
        try:
            shape, multiple, halo = plan.grid.model_shape, plan.tiles.multiple, plan.tiles.halo
            whole = plan_tiles(shape, multiple=multiple, halo=halo, most_voxels=most)
            tiles = fitted(whole, plan.grid, plan.box, most)
        except Vol3dError:
            return None
    else:
        edges = shrunk(plan.tiles.patch_size, plan.tiles.multiple, most)
        if math.prod(edges) > most:
            return None
        tiles = replace(plan.tiles, patch_size=edges)
    size = math.prod(tiles.patch_size) * card.inference.bytes_per_voxel
    less = replace(plan, tiles=tiles, patch_bytes=size, most_voxels=most)
    return replace(less, count=_count(less))


def plan_slice(plan: SegmentPlan, focus: Focus, *, flops_per_voxel: float = 0.0) -> SegmentPlan | None:
    """Plan a thin slab around the slice that a person looks at: its labels come long before whole tiles would.

    Parameters
    ----------
    flops_per_voxel : float
        Of the networks, where known: a slab that is much work is narrowed to what the slice needs.

    Returns
    -------
    SegmentPlan or None
        None where it would not be much cheaper than the tiles that meet the slice anyway, or tiles are blended.
    """
    tiles = plan.tiles
    if focus.axis is None or not isinstance(tiles, TilePlan):
        return None
    axis, shape, multiple = focus.axis, plan.grid.model_shape, tiles.multiple
    at = math.floor(focus.point[axis] + 0.5)  # the slice that is shown
    inner = math.floor((at + 0.5) * plan.grid.ratio[axis])
    first = min(max(inner, 0), shape[axis] - 1) // multiple * multiple
    low = max(first - tiles.halo, 0)
    high = min(first + multiple + tiles.halo, -(-shape[axis] // multiple) * multiple)
    slab = tuple(high - low if a == axis else n for a, n in enumerate(shape))
    try:
        thin = plan_tiles((slab[0], slab[1], slab[2]), multiple=multiple, halo=tiles.halo, most_voxels=plan.most_voxels)
    except Vol3dError:
        return None
    if thin.patch_size[axis] != high - low:  # cut across: the slice would need several layers of tiles
        return None
    layer = ((low, first, min(first + multiple, shape[axis])),)
    spans = tuple(layer if a == axis else across for a, across in enumerate(thin.axes))
    sliced = GivenTiles(
        shape=shape, patch_size=thin.patch_size, halo=tiles.halo, multiple=multiple,
        spans=(spans[0], spans[1], spans[2]),
    )  # fmt: skip
    slice_plan = replace(plan, tiles=sliced, count=0)
    slice_plan = replace(slice_plan, count=_count(slice_plan))
    work = slice_plan.count * math.prod(thin.patch_size) * flops_per_voxel
    if work >= WORTH_NARROWING and plan.grid.identity and axis not in plan.mirror_axes:
        slice_plan = replace(slice_plan, kept=(axis, first - low, first - low + multiple))
    owned = plan.grid.owned_along(axis, *layer[0][1:])
    met = sum(box.start[axis] <= at < box.stop[axis] for box in map(plan.wanted_of, plan.wanted_tiles()))
    dear = met * math.prod(tiles.patch_size)
    pays = 0 < slice_plan.count * math.prod(thin.patch_size) <= MOST_FOR_A_SLICE * dear
    return slice_plan if pays and owned[0] <= at < owned[1] else None


def _count(plan: SegmentPlan) -> int:
    """Count the tiles that meet the box, without going through them all."""
    if isinstance(plan.tiles, TilePlan):
        return plan.grid.tiles_meeting(plan.tiles, plan.box)
    windows = plan.windows()
    return math.prod(len(axis) for axis in windows) if windows else 0
