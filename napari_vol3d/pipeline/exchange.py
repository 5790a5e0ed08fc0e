"""The arrays that parent and engine share: files in the engine's private folder, gone when the run is over."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import EngineProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume

SLAB_BYTES = 16_000_000  # copied between two signs of life


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Arrays that parent and child share, in the child's private folder."""

    scan: Path
    labels: Path
    probabilities: Path


@contextlib.contextmanager
def exchange(folder: Path) -> Iterator[Files]:
    """Name the files of one run; they go when it ends."""
    stamp = time.monotonic_ns()
    files = Files(
        scan=folder / f"scan-{stamp}.npy", labels=folder / f"labels-{stamp}.npy",
        probabilities=folder / f"probabilities-{stamp}.npy",
    )  # fmt: skip
    try:
        yield files
    finally:
        for path in (files.scan, files.labels, files.probabilities):
            with contextlib.suppress(OSError):  # Windows keeps a file that the child still has open
                path.unlink(missing_ok=True)


def hand_over(frame: Volume, path: Path) -> Iterator[Progress]:
    """Copy the scan's stored voxels to where the engine can map them, a few slices at a time."""
    channels = frame.data.shape[3:] or (1,)
    target = shared_array(path, frame.data.dtype, (*frame.shape, *channels))
    slices = max(1, SLAB_BYTES // max(1, int(np.prod(frame.shape[1:])) * frame.data.dtype.itemsize))
    for first in range(0, frame.shape[0], slices):
        part = Box(start=(first, 0, 0), stop=(first + slices, *frame.shape[1:]))
        target[first : first + slices] = frame.read(part).reshape(-1, *frame.shape[1:], *channels)
        yield Progress(phase="Handing over the scan", done=min(first + slices, frame.shape[0]), total=frame.shape[0])


def shared_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Make an array of zeros that both processes can map.

    Raises
    ------
    EngineProblem
        If there is no room for it.
    """
    try:
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):  # a disk that is full while a map is written to ends the program (SIGBUS)
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise EngineProblem(
            f"No room for the scan in {path.parent}: {error.strerror}.", hint="Free some disk space."
        ) from error
    return array
