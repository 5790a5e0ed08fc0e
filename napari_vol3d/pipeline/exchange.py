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

from napari_vol3d.core.errors import EngineProblem

SLOTS = 2  # one patch is computed while the next is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Arrays that parent and child share, in the child's private folder."""

    inputs: Path
    outputs: Path
    probabilities: Path


@contextlib.contextmanager
def exchange(folder: Path) -> Iterator[Files]:
    """Name the files of one run; they go when it ends."""
    stamp = time.monotonic_ns()
    files = Files(
        inputs=folder / f"inputs-{stamp}.npy", outputs=folder / f"outputs-{stamp}.npy",
        probabilities=folder / f"probabilities-{stamp}.npy",
    )  # fmt: skip
    try:
        yield files
    finally:
        for path in (files.inputs, files.outputs, files.probabilities):
            with contextlib.suppress(OSError):  # Windows keeps a file that the child still has open
                path.unlink(missing_ok=True)


def exchange_dtype(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Give the type in which voxels travel: their own, in this machine's byte order, but at most 32 bits wide.

    Networks compute in float32; and JAX silently cuts 64-bit integers.
    """
    if stored.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if stored.itemsize > 4 else stored.newbyteorder("=")


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
