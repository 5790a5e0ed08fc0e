"""The strokes of the simulated annotator: where a brush is put down, and how far it is dragged.

A stroke begins where a brush gains most and goes on to the neighbouring place where it gains most of what is left, as
long as there is one that gains: so it follows one connected region of wrong voxels in a slice, and what it spoils on
its way counts against it. With `over` it also crosses so many places in a row where it does no harm.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from annotator_field import Act, Field, Tip, allowed, discs
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box

TRIED = 3  # strokes of a turn, the best as planned, that are made for real
TOUCHING = np.ones((3, 3), bool)
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stroke:
    """One press, drag and release.

    Attributes
    ----------
    cells : tuple of (int, int)
        Where the middle of the brush was put, in the plane, in voxels of the field; each touches one before it.
    gain : int
        What it gains, as `annotator_field` counts.
    reads : Box
        The part of the field that this plan depends on.
    """

    act: Act
    tip: Tip
    plane: int
    cells: tuple[Cell, ...]
    gain: int
    reads: Box


@dataclass(frozen=True, slots=True)
class Lead:
    """A place to begin at, and what a stroke from there may gain at most, or nearly so."""

    act: Act
    tip: Tip
    plane: int
    cell: Cell
    most: int


class Planner:
    """Finds the strokes that gain most, and keeps what it found until the labels around it change."""

    def __init__(self, field: Field, *, over: int = 0) -> None:
        self.field, self.over = field, over
        self._leads: dict[tuple[Act, Tip, int], list[Lead]] = {}
        self._found: dict[Lead, Stroke] = {}

    def best(self) -> list[Stroke]:
        """Give some strokes that gain most, the best first."""
        order, best = count(), list[tuple[int, int, Stroke]]()
        leads = [(-lead.most, next(order), lead) for lead in self._open(self._floor())]
        heapq.heapify(leads)
        while leads and (len(best) < TRIED or -leads[0][0] > best[-1][0]):
            lead = heapq.heappop(leads)[2]
            if lead not in self._found:
                self._found[lead] = Drag(self.field, lead, self.over).whole()
            best = sorted([*best, (self._found[lead].gain, -next(order), self._found[lead])], reverse=True)[:TRIED]
        return [stroke for _, _, stroke in best]

    def changed(self, box: Box | None) -> None:
        """Forget what depends on a part of the field, None for all."""
        if box is None:
            self._leads, self._found = {}, {}
            return
        self._found = {lead: s for lead, s in self._found.items() if not s.reads.intersect(box).size}
        for act, tip, plane in list(self._leads):
            if box.start[tip.axis] - tip.depth <= plane < box.stop[tip.axis] + tip.depth:
                del self._leads[act, tip, plane]

    def _floor(self) -> int:
        """Give what the best strokes gain at least: as those that are known, or as a single dab."""
        kept = sorted((stroke.gain for stroke in self._found.values()), reverse=True)[:TRIED]
        if len(kept) == TRIED:
            return kept[-1]
        inside = self.field.inside
        return max(int(sums.max(where=inside, initial=0)) for sums in self.field.sums.values())

    def _open(self, floor: int) -> Iterator[Lead]:
        for tip in self.field.tips:
            for plane, slab in self.field.slabs(tip):
                for act in self.field.acts:
                    if allowed(act, tip) and self.field.mass(act, slab) >= max(floor, 1):
                        yield from (lead for lead in self._in_plane(act, tip, plane, slab) if lead.most >= floor)

    def _in_plane(self, act: Act, tip: Tip, plane: int, slab: Box) -> list[Lead]:
        key = (act, tip, plane)
        if key not in self._leads:
            sums = np.take(self.field.sums[act, tip.form], plane, axis=tip.axis)
            good = (sums > 0) & np.take(self.field.inside, plane, axis=tip.axis)
            numbers, _ = ndimage.label(good, TOUCHING)
            parts = enumerate(ndimage.find_objects(numbers), 1)
            self._leads[key] = [self._lead(key, sums[part], numbers[part] == i, part, slab) for i, part in parts]
        return self._leads[key]

    def _lead(
        self, key: tuple[Act, Tip, int], sums: NDArray[np.int16], mask: NDArray[np.bool_], part: Any, slab: Box
    ) -> Lead:
        act, tip, plane = key
        own = np.where(mask, sums, 0)
        u, v = (int(n) for n in np.unravel_index(int(own.argmax()), own.shape))
        box = slab if self.over else self.field.around(tip, plane, part)
        most = self.field.mass(act, box) if self.over else min(self.field.mass(act, box), int(own.sum()))
        return Lead(act, tip, plane, (u + part[0].start, v + part[1].start), most)


class Drag:
    """A stroke that grows from a lead."""

    def __init__(self, field: Field, lead: Lead, over: int) -> None:
        self.lead, self.over, tip = lead, over, lead.tip
        self._field = field
        self._discs = discs(tip)
        gains = np.moveaxis(field.gains[lead.act], tip.axis, 0)
        self._slices = {step: gains[lead.plane + step].astype(np.int16) for step in self._discs}
        if tip.kind == "lasso":
            self._discs, self._slices = {0: self._discs[0]}, {0: sum(self._slices.values(), np.int16(0))}
        self._sums = self._plane(field.sums[lead.act, tip.form]).copy()
        self._harms = self._plane(field.harms[lead.act, tip.form]).copy() if over else None
        self._inside = self._plane(field.inside)
        self._seen, self._beside = np.zeros_like(self._inside), np.zeros_like(self._inside)
        self._cells: list[Cell] = []
        self._gain = 0

    def whole(self) -> Stroke:
        """Drag it as far as it gains."""
        way = [self.lead.cell]
        while way:
            for cell in way:
                self._cover(cell)
            way = self._next()
        return Stroke(
            act=self.lead.act, tip=self.lead.tip, plane=self.lead.plane, cells=tuple(self._cells), gain=self._gain,
            reads=self._reads(),
        )  # fmt: skip

    def _plane(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.take(values, self.lead.plane, axis=self.lead.tip.axis)

    def _cover(self, cell: Cell) -> None:
        """Count what the brush gains here, and that it gains it only once."""
        (u, v), r = cell, self.lead.tip.reach
        for step, disc in self._discs.items():
            under = self._slices[step][u - r : u + r + 1, v - r : v + r + 1]
            gains = under * disc
            for i, j in np.argwhere(gains).tolist():
                self._take(u - r + i, v - r + j, int(gains[i, j]), disc)
            under[disc] = 0
        self._seen[u, v] = True
        self._beside[u - 1 : u + 2, v - 1 : v + 2] = True
        self._cells.append(cell)

    def _take(self, u: int, v: int, gain: int, disc: NDArray[np.bool_]) -> None:
        """Take a voxel's gain from all places from which the brush would cover it."""
        r, self._gain = self.lead.tip.reach, self._gain + gain
        first = max(0, u - r), max(0, v - r)
        part = disc[first[0] - u + r :, first[1] - v + r :]
        there = slice(first[0], u + r + 1), slice(first[1], v + r + 1)
        sums = self._sums[there]
        sums -= part[: sums.shape[0], : sums.shape[1]] * np.int16(gain)
        if gain < 0 and self._harms is not None:
            self._harms[there] += part[: sums.shape[0], : sums.shape[1]] * np.int16(gain)

    def _next(self) -> list[Cell]:
        """Give the way to the place that gains most, without the first; nothing where none gains."""
        layers = self._layers()
        near = self._beside if len(layers) == 1 else ndimage.binary_dilation(layers[-1], TOUCHING)
        left = np.where(near & self._inside & ~self._seen, self._sums, 0)
        best = int(left.argmax())
        if left.flat[best] <= 0:
            return []
        u, v = (int(n) for n in np.unravel_index(best, left.shape))
        return _back(layers, (u, v))

    def _layers(self) -> list[NDArray[np.bool_]]:
        """Give where the brush was, and where it gets to in so many steps without harm, each with those before."""
        layers = [self._seen]
        while self._harms is not None and len(layers) <= self.over:
            further = layers[-1] | (ndimage.binary_dilation(layers[-1], TOUCHING) & (self._harms <= 0) & self._inside)
            if np.array_equal(further, layers[-1]):
                break
            layers.append(further)
        return layers

    def _reads(self) -> Box:
        tip, cells = self.lead.tip, np.array(self._cells)
        room = self.over + 1 + tip.reach
        (u0, v0), (u1, v1) = cells.min(axis=0).tolist(), cells.max(axis=0).tolist()
        spans = slice(u0 - room, u1 + room + 1), slice(v0 - room, v1 + room + 1)
        return self._field.around(tip, self.lead.plane, spans)


def _back(layers: list[NDArray[np.bool_]], cell: Cell) -> list[Cell]:
    """Go from a place back to where the brush was, a layer further in with each step; give the way there."""
    way = [cell]
    while True:
        u, v = way[-1]
        around = [(i, j) for i in (u, u - 1, u + 1) for j in (v, v - 1, v + 1)]
        depth = [next((k for k, layer in enumerate(layers) if layer[place]), len(layers)) for place in around]
        if min(depth) == 0:
            return way[::-1]
        way.append(around[depth.index(min(depth))])
