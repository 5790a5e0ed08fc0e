"""HDF5 of strangers, read by a process of its own: the library ends, or worse, on files that are damaged on purpose.

One file in twenty with a few random bytes in it makes HDF5 1.14 free memory that it does not own. So it runs in the
cage of the engine, which needs nothing of TensorFlow, and gets the file as an open one; what it says is taken as data.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_h5 import Layout, StoredArrays
from napari_vol3d.io.network_files.plain_json import AGAIN
from napari_vol3d.io.private_folder import make_private_folder

CHILD = "napari_vol3d.io.network_files.h5_child"
# The cage closes before anything else is imported. It is named here and not imported: io knows no engine.
COMMAND = f"""
import runpy, sys
from napari_vol3d.engine.cage import enter
from napari_vol3d.engine.limits import set_limits
set_limits(gpu=False, adopting=True)
enter(sys.argv.pop(1))
runpy.run_module({CHILD!r}, run_name="__main__")
"""
LEAST_SECONDS, BYTES_A_SECOND = 30.0, 20e6  # damage can make HDF5 go round for ever
MOST_SAID, PIECE = 64 << 20, 1 << 16  # bytes
PLAINLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# HDF5 loads libraries as filters from wherever this says; "::" forbids it. More arenas would reserve more addresses.
QUIET = {"HDF5_PLUGIN_PRELOAD": "::", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class _Said(BaseModel):
    """What the process says: what is stored, or why it can't be used."""

    layout: Layout = "other"
    config: str = ""
    shapes: dict[str, tuple[int, ...]] = {}
    version: str = ""
    names: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""


def read_h5_apart(file: IO[bytes], name: str, size: int, *, start: int = 0) -> StoredArrays:
    """Read what is stored in an HDF5 file as `keras_h5.read_h5` does, so that nothing can happen to this process.

    Parameters
    ----------
    file : open file
        With a number of the system, as `open` gives it.
    name : str
        For messages.
    size : int
        Bytes of the HDF5 file.
    start : int
        Where in `file` it begins.

    Raises
    ------
    ModelProblem
        If it is damaged, reaches out of the file, or declares what is not stored.
    """
    folder = make_private_folder()
    try:
        said = _said(file, [str(folder), str(start), str(size), name], size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    config = said.config.encode("latin-1", "replace")
    return StoredArrays(layout=said.layout, config=config, shapes=said.shapes, version=said.version)


def read_arrays_apart(file: IO[bytes], name: str, size: int, *, start: int = 0) -> dict[str, NDArray[Any]]:
    """Read the arrays themselves, by their paths, without those of an optimizer; else as `read_h5_apart`."""
    folder = make_private_folder()
    packed = folder / "arrays.npz"
    try:
        said = _said(file, [str(folder), str(start), str(size), name, str(packed)], size)
        with os.fdopen(os.open(packed, os.O_RDONLY | PLAINLY), "rb") as content:
            return _unpacked(content, said)
    except (OSError, ValueError, KeyError, EOFError, MemoryError, BadZipFile, zlib.error) as error:
        raise ModelProblem(f"Damaged HDF5: the arrays of {name} can't be read.", hint=AGAIN) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_h5_file(path: Path) -> StoredArrays:
    """Read what is stored in an HDF5 file on the disk; raises what `read_h5_apart` raises."""
    with path.open("rb") as file:
        return read_h5_apart(file, path.name, os.fstat(file.fileno()).st_size)


def _said(file: IO[bytes], arguments: list[str], size: int) -> _Said:
    name = arguments[3]
    try:
        said = _Said.model_validate_json(_answer(file, [each.replace("\0", " ") for each in arguments], size))
    except ValidationError as error:
        raise ModelProblem(f"Damaged HDF5: {name} can't be read (HDF5 itself fails on it).", hint=AGAIN) from error
    if said.problem:
        raise ModelProblem(said.problem, hint=said.hint)
    return said


def _unpacked(content: IO[bytes], said: _Said) -> dict[str, NDArray[Any]]:
    """Read what the process has packed: as much as there is and no more, and only what was proved to be there."""
    status = os.fstat(content.fileno())
    with ZipFile(content) as archive:
        members = archive.infolist()
    packed = any(member.compress_type != ZIP_STORED for member in members)
    if not stat.S_ISREG(status.st_mode) or packed or sum(member.file_size for member in members) > status.st_size:
        raise ValueError("not as it is packed")
    content.seek(0)
    with np.load(content, allow_pickle=False) as found:
        arrays = {key: found[f"arr_{number}"] for number, key in enumerate(said.names)}
    if {key: values.shape for key, values in arrays.items()} != said.shapes:
        raise ValueError("not what was proved")
    return arrays


def _answer(file: IO[bytes], arguments: list[str], size: int) -> bytes:
    """Give what the process says; nothing, or half of it, where it fails or takes too long."""
    # -P: a person's folder may hold a h5py.py, and is no place to import from.
    command = [sys.executable, "-P", "-c", COMMAND, *arguments]
    with subprocess.Popen(
        command, stdin=file.fileno(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **QUIET}
    ) as process:
        timer = threading.Timer(LEAST_SECONDS + size / BYTES_A_SECOND, process.kill)
        timer.start()
        try:
            return _read(process.stdout) if process.stdout else b""
        finally:
            timer.cancel()
            process.kill()  # one that says more than it may would wait for ever


def _read(pipe: IO[bytes]) -> bytes:
    said = bytearray()
    while len(said) < MOST_SAID and (piece := pipe.read(PIECE)):
        said += piece
    return bytes(said)
