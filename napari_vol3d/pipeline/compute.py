"""Driving tiles through the desk: what is looked at first, what is known already, what cannot matter."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.coverage import Coverage
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.tiles import Tile
from napari_vol3d.pipeline.cache import ResultCache
from napari_vol3d.pipeline.desk import Desk, Finished
from napari_vol3d.pipeline.plan import SegmentPlan

Skip = Callable[[NDArray[Any], Box], bool]


@dataclass(frozen=True, slots=True)
class _Sent:
    owned: Box
    key: str
    twins: list[Box] = field(default_factory=list)  # wanted of the same patch elsewhere, met while it is computed


class TileQueue:
    """The tiles that wait, nearest to where the person looks first; asked anew before each.

    Parameters
    ----------
    focus : callable or None
        Gives where the person looks, in voxels of the frame; None: in the plan's own order.
    """

    def __init__(self, plan: SegmentPlan, done: Coverage, focus: Callable[[], Focus] | None) -> None:
        wanted = [(tile, plan.wanted_of(tile)) for tile in plan.wanted_tiles()]
        # Blended windows are a sum: while anything is missing each is needed, and in order.
        ordered = plan.scheme == "overlap"
        wanted = wanted if done.rest(plan.box) else []
        self._waiting = [(t, b) for t, b in wanted if ordered or done.rest(b)][::-1]
        self._focus = None if ordered else focus
        self._sorted_for: Focus | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def pop(self) -> tuple[Tile, Box]:
        """Give the next tile, and the voxels of the frame that are wanted of it."""
        focus = self._focus() if self._focus is not None else None
        if focus is not None and focus != self._sorted_for:
            place = focus
            self._waiting.sort(key=lambda item: (place.rank(item[1]), item[0].index), reverse=True)
            self._sorted_for = focus
        return self._waiting.pop()


def compute_tiles(
    plan: SegmentPlan, queue: TileQueue, desk: Desk, cache: ResultCache, *, skip: Skip | None = None
) -> Iterator[Finished | None]:
    """Give the labels of tiles as they become final, and None about every 50 ms while nothing does.

    Parameters
    ----------
    skip : callable, optional
        Tells from the voxels of a patch (z, y, x, C), and the voxels of the frame that are wanted of it, that these are
        background.
    """
    sent: deque[_Sent] = deque()
    simple = plan.scheme == "halo"
    kept = simple and not desk.gives_probabilities  # those are not in the cache
    while len(queue) or sent:
        while len(queue) and desk.has_room:
            tile, owned = queue.pop()
            voxels = desk.read(tile)
            if simple and skip is not None and skip(voxels, owned):
                yield Finished(box=owned, labels=np.zeros(owned.shape, desk.dtype), computed=False)
                continue
            key = cache.key(voxels, _place(plan, tile, owned)) if kept else ""
            known = cache.get(key, owned.shape, desk.dtype) if kept else None
            if known is not None:
                yield Finished(box=owned, labels=known, computed=False)
                continue
            same = next((item for item in sent if key and item.key == key), None)
            if same is not None:
                same.twins.append(owned)
                yield None
                continue
            desk.send(tile, owned)
            sent.append(_Sent(owned, key))
        if sent:
            done = desk.fetch()
            final = [done]
            if done is not None:
                item = sent.popleft()
                if kept:
                    cache.put(item.key, done.labels)
                final += [replace(done, box=twin, computed=False) for twin in item.twins]
            yield from final


def _place(plan: SegmentPlan, tile: Tile, owned: Box) -> str:
    """Say which voxels of a patch are wanted: relative to it where nothing is resampled, so that like gives like."""
    start = tile.patch.start
    if plan.grid.identity:
        return f"{owned.shifted((-start[0], -start[1], -start[2]))}"
    return f"{start} {owned} {plan.grid}"
