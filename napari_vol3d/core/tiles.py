"""Tiles: how a volume is cut so that every voxel is computed once with enough context around it.

The halo scheme of Majurski and Bajcsy (NIST J. Res. 126, 2021, doi 10.6028/jres.126.009): a tile sees `patch_size`
voxels and owns a core; what it computes within `halo` voxels of an inner border is thrown away. Origins are multiples
of the network's stride product, so that a network without instance statistics gives the same labels as on the whole
volume, up to float rounding, once the halo reaches its receptive field.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError

Axis = tuple[tuple[int, int, int], ...]  # (origin, core start, core stop) of each tile along one axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One patch position.

    Attributes
    ----------
    index : int
        Number within the plan.
    patch : Box
        What the network sees; may reach past the volume's far faces, where it is padded.
    core : Box
        What the tile owns. Cores are disjoint and cover the volume.
    """

    index: int
    patch: Box
    core: Box


def check_edges(shape: Triple, patch_size: Triple, multiple: int) -> None:
    """Check what every plan needs: whole steps of the network in a patch, and voxels in the volume.

    Raises
    ------
    Vol3dError
        If a patch edge is below 1 or does not divide by `multiple`, or the volume is empty.
    """
    if any(edge < 1 or edge % multiple for edge in patch_size):
        raise Vol3dError(f"patch_size must divide by {multiple}; received {patch_size}.")
    if min(shape) < 1:
        raise Vol3dError(f"A volume needs at least one voxel along each axis; received {shape}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePlan:
    """Where the patches lie: data that iterates into tiles.

    Attributes
    ----------
    shape : tuple of int
        The volume, (Z, Y, X) voxels.
    patch_size : tuple of int
        What the network sees at once.
    halo : int
        Context voxels computed and thrown away at inner borders.
    multiple : int
        Stride product of the network; patch edges and origins divide by it.
    """

    shape: Triple
    patch_size: Triple
    halo: int
    multiple: int

    def __post_init__(self) -> None:
        check_edges(self.shape, self.patch_size, self.multiple)

    def __iter__(self) -> Iterator[Tile]:
        for index, spans in enumerate(product(*self.axes)):
            origin, start, stop = zip(*spans, strict=True)
            yield Tile(
                index=index,
                patch=Box(start=origin, stop=tuple(o + p for o, p in zip(origin, self.patch_size, strict=True))),
                core=Box(start=start, stop=stop),
            )

    def __len__(self) -> int:
        return int(np.prod([len(axis) for axis in self.axes]))

    @property
    def redundancy(self) -> float:
        """Voxels computed over voxels owned; 1 is the least there can be."""
        return len(self) * float(np.prod(self.patch_size)) / float(np.prod(self.shape))

    @property
    def axes(self) -> list[Axis]:
        """The tiles as spans along z, y and x: (origin, core start, core stop) each; their product is the plan."""
        return [
            _cut_axis(length, edge, self.halo, self.multiple)
            for length, edge in zip(self.shape, self.patch_size, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenTiles(TilePlan):
    """Tiles at places that somebody else chose, one product of spans like any plan.

    Attributes
    ----------
    spans : three of Axis
        Along z, y and x: origin, core start and core stop of each tile.
    """

    spans: tuple[Axis, Axis, Axis]

    @property
    def axes(self) -> list[Axis]:
        """The given spans."""
        return list(self.spans)


def plan_tiles(shape: Triple, *, multiple: int, halo: int, most_voxels: int, smallest: int = 0) -> TilePlan:
    """Choose the patch shape that computes the fewest voxels.

    Parameters
    ----------
    shape : tuple of int
        The volume, (Z, Y, X).
    multiple, halo : int
        See `TilePlan`; the halo is rounded up to the multiple.
    most_voxels : int
        How many voxels a patch may have: the memory budget over the network's bytes per voxel.
    smallest : int
        Shortest patch edge that the network copes with.

    Raises
    ------
    Vol3dError
        If not even the smallest useful patch fits the budget.
    """
    reach = -(-halo // multiple) * multiple
    z_edges, y_edges, x_edges = (_edges(length, multiple, reach, smallest) for length in shape)
    x_best = _best_up_to(x_edges)
    best: tuple[tuple[int, int, int], Triple] | None = None
    for (z, z_count), (y, y_count) in product(z_edges, y_edges):
        fitting = bisect_right(x_best, most_voxels // (z * y), key=lambda edges: edges[0])
        if not fitting:
            continue
        _, x, x_count = x_best[fitting - 1]
        count = z_count * y_count * x_count
        # Least work; among equals the fewest tiles, then the most even patch.
        cost = (count * z * y * x, count, max(z, y, x))
        if best is None or cost < best[0]:
            best = (cost, (z, y, x))
    if best is None:
        least = min(z_edges)[0] * min(y_edges)[0] * min(x_edges)[0]
        raise Vol3dError(
            f"The memory budget is too small: a patch needs {least:,} voxels, {most_voxels:,} fit.",
            hint="Raise the memory budget, or choose a smaller halo.",
        )
    return TilePlan(shape=shape, patch_size=best[1], halo=reach, multiple=multiple)


def _edges(length: int, multiple: int, halo: int, smallest: int) -> list[tuple[int, int]]:
    """List (edge, tile count) along one axis; each count once, at its smallest edge."""
    padded = max(-(-length // multiple), -(-smallest // multiple)) * multiple
    found: dict[int, int] = {1: padded}
    for edge in range(padded - multiple, 2 * halo, -multiple):
        if edge >= smallest:
            count = 1 - (edge - padded) // (edge - 2 * halo)
            found[count] = min(edge, found.get(count, edge))
    return [(edge, count) for count, edge in found.items()]


def _best_up_to(edges: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """For each edge, shortest first: (edge, the edge up to it that computes least, its tile count)."""
    best: list[tuple[int, int, int]] = []
    for edge, count in sorted(edges):
        if not best or (edge * count, count) <= (best[-1][1] * best[-1][2], best[-1][2]):
            best.append((edge, edge, count))
        else:
            best.append((edge, best[-1][1], best[-1][2]))
    return best


def _cut_axis(length: int, edge: int, halo: int, multiple: int) -> Axis:
    padded = max(-(-length // multiple) * multiple, edge)
    step = edge - 2 * halo
    if padded > edge and step < multiple:
        raise Vol3dError(f"patch_size must exceed twice the halo by {multiple}; received {edge} with halo {halo}.")
    origins = [0]
    while origins[-1] + edge < padded:
        origins.append(min(origins[-1] + step, padded - edge))
    starts = [0, *(origin + halo for origin in origins[1:])]
    stops = [*starts[1:], length]
    return tuple((o, a, b) for o, a, b in zip(origins, starts, stops, strict=True) if b > a)
