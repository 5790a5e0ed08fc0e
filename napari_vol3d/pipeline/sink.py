"""Where labels go while a run goes on: memory, or a store on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple


class LabelSink(Protocol):
    """Takes labels box by box, each voxel once; `io.label_store.LabelStore` is one."""

    @property
    def finished(self) -> Sequence[Box]:
        """What an earlier run has written already."""

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Take the labels (z, y, x) of a box, disjoint from all others."""


class MemoryLabels:
    """A label volume in memory.

    Attributes
    ----------
    array : ndarray, shape (Z, Y, X)
    """

    def __init__(self, shape: Triple, dtype: np.dtype[Any]) -> None:
        self.array: NDArray[Any] = np.zeros(shape, dtype)

    @property
    def finished(self) -> Sequence[Box]:
        """Nothing: memory does not outlive a run."""
        return ()

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Take the labels (z, y, x) of a box."""
        self.array[box.slices] = labels
