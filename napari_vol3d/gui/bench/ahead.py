"""Planes of a volume, with their neighbours read ahead: turning slices waits neither for a file nor for the memory.

A plane across the last axis of an array has each voxel in another cache line, which takes ten times as long as a plane
of neighbours; a plane of a compressed file is unpacked with many that are not asked for. A block of planes costs hardly
more than one of them, so a thread prepares the next block.
"""

from __future__ import annotations

import math
import threading
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.gui.jobs import end_pools

BLOCK_BYTES = 16_000_000
MOST_PLANES = 16
KEPT = 4  # blocks: the one that is looked at, its neighbours, and one more for who turns back
Key: TypeAlias = tuple[tuple[int, ...], int]  # indices of the axes before the last three, number of the block


class Ahead(Sliced):
    """Voxels (..., Z, Y, X) whose planes across one axis are prepared before they are asked for.

    Parameters
    ----------
    data : array
        In memory or lazy; anything that slices.
    axis : int
        Which of the last three axes is across: 0, 1 or 2.

    Attributes
    ----------
    data : array
        Where the planes come from.

    Notes
    -----
    What is written into `data` later is not seen until `forget`.
    """

    def __init__(self, data: Any, axis: int) -> None:
        super().__init__(data.shape, data.dtype)
        self.data, self._axis = data, self.ndim - 3 + axis
        plane = math.prod(n for at, n in enumerate(self.shape[-3:]) if at != axis) * self.dtype.itemsize
        self.planes = max(1, min(MOST_PLANES, BLOCK_BYTES // max(plane, 1)))
        self._blocks: dict[Key, NDArray[Any]] = {}
        self._loading: set[Key] = set()
        self._last = 0
        self._lock = threading.Lock()
        self._generation = 0

    def forget(self) -> None:
        """Read all anew."""
        with self._lock:
            self._generation += 1
            self._blocks.clear()
            self._loading.clear()

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        key, at = self._key(spans)
        if key is None:
            return np.asarray(self.data[spans])
        block = self._blocks.get(key)
        self._look_ahead(key, at)
        if block is None:
            return np.asarray(self.data[spans])
        # The block has its planes first.
        plane = block[at - key[1] * self.planes]
        return np.expand_dims(plane, (*range(self.ndim - 3), self._axis))

    def _key(self, spans: tuple[slice, ...]) -> tuple[Key | None, int]:
        """Give the block that a whole plane is in, None where something else is asked for."""
        lead, inner = spans[:-3], spans[-3:]
        across = spans[self._axis]
        single = all(span.stop - span.start == 1 for span in (*lead, across))
        whole = all(
            (span.start, span.stop, span.step) == (0, length, 1)
            for at, (span, length) in enumerate(zip(inner, self.shape[-3:], strict=True))
            if at != self._axis - (self.ndim - 3)
        )
        if not (single and whole):
            return None, across.start
        return (tuple(span.start for span in lead), across.start // self.planes), across.start

    def _look_ahead(self, key: Key, at: int) -> None:
        """Have this block prepared, and from its middle on the one that comes next."""
        step, self._last = (1 if at >= self._last else -1), at
        wanted = [key]
        into = at % self.planes
        if (into if step > 0 else self.planes - 1 - into) >= self.planes // 2:
            wanted.append((key[0], key[1] + step))
        blocks = -(-self.shape[self._axis] // self.planes)
        for one in wanted:
            if one not in self._blocks and one not in self._loading and 0 <= one[1] < blocks:
                self._loading.add(one)
                threading.Thread(target=self._load, args=(one, self._generation), daemon=True).start()

    def _load(self, key: Key, generation: int) -> None:
        lead, number = key
        span = slice(number * self.planes, min((number + 1) * self.planes, self.shape[self._axis]))
        index: list[Any] = [*lead, slice(None), slice(None), slice(None)]
        index[self._axis] = span
        try:
            read = np.asarray(self.data[tuple(index)])
            block = np.ascontiguousarray(np.moveaxis(read, self._axis - len(lead), 0))
        except (OSError, ValueError, Vol3dError):  # who asks for the plane itself is told
            block = None
        finally:
            end_pools()
        with self._lock:
            if generation == self._generation:
                self._loading.discard(key)
                if block is not None:
                    self._keep(key, block)

    def _keep(self, key: Key, block: NDArray[Any]) -> None:
        self._blocks[key] = block
        while len(self._blocks) > KEPT:
            here = self._last // self.planes
            far = max(self._blocks, key=lambda one: (one[0] != key[0], abs(one[1] - here)))
            del self._blocks[far]
