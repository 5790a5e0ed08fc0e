"""What `h5_apart` runs: it reads one HDF5 file from its standard input, and says in JSON what is stored.

Where it is given one more path, it puts the arrays there as NumPy's .npz, numbered, and says their names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import BinaryIO

import numpy as np

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_h5 import StoredArrays, read_arrays, read_h5


def main() -> None:
    """Read the file that lies from byte `start` on, of so many bytes, and call it by this name."""
    _stay_alone()
    start, length, name, *packed = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    with os.fdopen(0, "rb") as whole:
        window = io.BufferedReader(_Window(whole, start, length))
        try:
            said = _told(read_h5(window, name, length))
            if packed:
                said["names"] = _pack(window, packed[0])
        except ModelProblem as problem:
            said = {"problem": problem.message, "hint": problem.hint}
    sys.stdout.write(json.dumps(said))


def _stay_alone() -> None:
    """Start nothing from here on: it would outlive this process, and hold its answer open for ever."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _pack(file: BinaryIO, target: str) -> list[str]:
    arrays = read_arrays(file)
    np.savez(target, *arrays.values())
    return list(arrays)


def _told(found: StoredArrays) -> dict[str, object]:
    return {
        "layout": found.layout, "config": found.config.decode("latin-1"), "shapes": found.shapes,
        "version": found.version,
    }  # fmt: skip


class _Window(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max((0, self._at, self._length)[whence] + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        content = self._file.read(max(0, min(len(buffer), self._length - self._at)))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


if __name__ == "__main__":
    main()
