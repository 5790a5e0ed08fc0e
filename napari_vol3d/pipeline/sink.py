"""Where labels go while a run goes on: memory, or a store on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError


class LabelSink(Protocol):
    """Takes labels box by box, each voxel once; `io.label_store.LabelStore` is one."""

    @property
    def finished(self) -> Sequence[Box]:
        """What an earlier run has written already."""

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Take the labels (z, y, x) of a box, disjoint from all others; the same box may come again."""

    def read(self, box: Box) -> NDArray[Any]:
        """Give the labels of a box; 0 where nothing was written."""


class MemoryLabels:
    """A label volume in memory.

    Attributes
    ----------
    array : ndarray, shape (Z, Y, X)

    Raises
    ------
    Vol3dError
        If there is not so much memory.
    """

    def __init__(self, shape: Triple, dtype: np.dtype[Any]) -> None:
        try:
            self.array: NDArray[Any] = np.zeros(shape, dtype)
        except MemoryError as error:
            size = np.prod(shape, dtype=float) * dtype.itemsize / 1e9
            raise Vol3dError(
                f"Too large for memory: the labels of this scan take {size:.0f} GB.",
                hint="Segment a part of it, or on the command line write them tile by tile: --format .ome.zarr.",
            ) from error

    @property
    def finished(self) -> Sequence[Box]:
        """Nothing: memory does not outlive a run."""
        return ()

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Take the labels (z, y, x) of a box."""
        self.array[box.slices] = labels

    def read(self, box: Box) -> NDArray[Any]:
        """View the labels of a box."""
        return self.array[box.slices]
