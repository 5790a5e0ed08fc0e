"""The desk between a run and the engine: patches go out in slots, labels come back in slots.

Two slots, so that the next patch is read while the engine computes. Memory is that of the slots, however large the
scan: they are files that both processes map.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.core.patch import read_patch
from napari_vol3d.core.resample import GridMap
from napari_vol3d.core.tiles import Tile, TilePlan
from napari_vol3d.core.volume import Volume
from napari_vol3d.engine.messages import Open, Opened, Patch, PatchDone
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.exchange import SLOTS, Files, exchange_dtype, shared_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finished:
    """A part of the scan that has become final.

    Attributes
    ----------
    box : Box
        Voxels of the frame; empty where a blended window finished no row.
    labels : ndarray, shape (z, y, x)
    probabilities : ndarray of uint8, shape (classes, z, y, x), or None
    computed : bool
        Whether the network was needed for it.
    """

    box: Box
    labels: NDArray[Any]
    probabilities: NDArray[np.uint8] | None = None
    computed: bool = True


class Desk:
    """Sends the patches of one plan to the engine, and fetches what they become.

    Parameters
    ----------
    frame : Volume
        The scan, as far as the network sees it.
    intensity : sequence of IntensityMap
        One a channel.
    windows : tuple or None
        Origins along z, y and x of the patches of an overlap scheme.
    kept : tuple or None
        An axis, and the rows of a patch along it that alone are wanted: as in `Open`.
    """

    def __init__(
        self, engine: Engine, files: Files, frame: Volume, card: ModelCard, grid: GridMap, *,
        tiles: TilePlan | OverlapPlan, intensity: Sequence[IntensityMap], mirror_axes: tuple[int, ...] = (),
        windows: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None = None, probabilities: bool = False,
        kept: Triple | None = None,
    ) -> None:  # fmt: skip
        self._engine, self._files, self._frame, self._grid = engine, files, frame, grid
        self._patch_size = tiles.patch_size
        part, owned = _slot_sizes(tiles, grid)
        dtype, channels = exchange_dtype(np.dtype(frame.data.dtype)), (*frame.data.shape[3:], 1)[0]
        self._inputs = shared_array(files.inputs, dtype, (SLOTS, *part, channels))
        self.dtype = label_dtype(max(card.label_names))
        self._outputs = shared_array(files.outputs, self.dtype, (SLOTS, *owned))
        self._scores: NDArray[np.uint8] | None = None
        if probabilities:
            shape = (SLOTS, len(card.output.classes), *owned)
            self._scores = shared_array(files.probabilities, np.dtype(np.uint8), shape)
        self._request = Open(
            inputs=str(files.inputs), outputs=str(files.outputs),
            probabilities=str(files.probabilities) if probabilities else None, intensity=tuple(intensity), grid=grid,
            patch_size=tiles.patch_size, windows=windows, mirror_axes=mirror_axes, kept=kept,
        )  # fmt: skip
        self._free = list(range(SLOTS))

    @property
    def has_room(self) -> bool:
        """Whether another patch can be sent."""
        return bool(self._free)

    @property
    def busy(self) -> bool:
        """Whether patches are on their way."""
        return len(self._free) < SLOTS

    @property
    def gives_probabilities(self) -> bool:
        """Whether class probabilities come with the labels."""
        return self._scores is not None

    def open(self) -> Generator[None, None, None]:
        """Make the engine ready for these patches."""
        with contextlib.closing(self._engine.ask(self._request, Opened)) as reports:
            for _ in reports:
                yield

    def read(self, tile: Tile) -> NDArray[Any]:
        """Read the voxels that the patch of a tile is made of into a free slot, and give these, (z, y, x, C)."""
        slot = self._free[-1]
        box = tile.patch if self._grid.identity else self._grid.needed(tile.patch)
        found = read_patch(self._read, box, self._frame.shape)
        # Where grids differ patches need fewer voxels here and there: what lies beyond is an earlier patch's.
        target: NDArray[Any] = self._inputs[slot][tuple(slice(0, n) for n in found.shape[:3])]
        target[...] = found
        return target

    def send(self, tile: Tile, owned: Box) -> None:
        """Send the patch that was read last; `owned` are the scan voxels whose labels are wanted of it."""
        slot = self._free.pop()
        self._engine.tell(Patch(slot=slot, start=tile.patch.start, owned_start=owned.start, owned_stop=owned.stop))

    def fetch(self) -> Finished | None:
        """Give what became final, None after a short wait in which nothing did."""
        report = self._engine.hear()
        if not isinstance(report, PatchDone):
            return None
        box = Box(start=report.start, stop=report.stop)
        place = (slice(0, box.shape[0]), slice(0, box.shape[1]), slice(0, box.shape[2]))
        labels = self._outputs[(report.slot, *place)].copy()
        scores = None if self._scores is None else self._scores[(report.slot, slice(None), *place)].copy()
        self._free.append(report.slot)
        return Finished(box=box, labels=labels, probabilities=scores)

    def close(self) -> None:
        """Stop what is on its way; the engine is quiet afterwards."""
        if self.busy:
            self._engine.cancel()

    def _read(self, box: Box) -> NDArray[Any]:
        part = self._frame.read(box)
        return part if part.ndim == 4 else part[..., None]


def _slot_sizes(tiles: TilePlan | OverlapPlan, grid: GridMap) -> tuple[Triple, Triple]:
    """Give the voxels that go in, and those that come out, at most."""
    z, y, x = tiles.patch_size
    if isinstance(tiles, TilePlan):
        return grid.largest_needed(tiles), grid.largest_owned(tiles)
    # Whole rows of the scan become final, at most those that one window covers.
    spans = [[(o, o + edge) for o in origins] for origins, edge in zip(tiles.axes, (z, y, x), strict=True)]
    rows = max(1, *(b - a for a, b in (grid.owned_along(0, *span) for span in spans[0])))
    part = [max(b - a for a, b in (grid.needed_along(axis, *span) for span in spans[axis])) for axis in range(3)]
    size = (z, y, x) if grid.identity else (part[0], part[1], part[2])
    return size, (rows, grid.scan_shape[1], grid.scan_shape[2])
