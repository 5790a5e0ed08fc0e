"""Which scan this is, whatever it is called and wherever it lies: what its corrections are found by.

A number of the voxels as they lie on the disk: a file that was moved or renamed is the same scan, one that was saved
anew in another format is not. Of large scans a sample is taken, so that nobody waits: a change between the blocks of
the sample goes unnoticed, and for that each edit is compared with the voxels that it started from (`replay`).
"""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.data_files import NUMBERED, data_file
from napari_vol3d.io.zarr_store import METADATA

WHOLE_UP_TO = 256 * 2**20  # bytes that are all read
BLOCK, BLOCKS = 2**20, 64  # of a sample: the first, the last, and evenly between
HEADERS = (".mhd", ".nhdr")  # texts that name the files with the voxels
LONGEST_HEADER = 2**20
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what looking at a folder leaves in it


@dataclass(frozen=True, slots=True)
class _File:
    """One of the files of a scan: its name in the folder, and how long it is."""

    name: str
    path: Path
    size: int


def scan_sha256(path: Path) -> str:
    """Give the sha256 that a scan is known by.

    Parameters
    ----------
    path : Path
        A file, a header that names its data files (.mhd, .nhdr), or a folder: of DICOM, of slices, of Zarr, whose
        labels are left out.

    Returns
    -------
    str
        Of a file: of its bytes, as `sha256sum` gives it. Of several: of their names, sorted, with their lengths, and
        of all their bytes. Of more than 256 MB: of names and lengths, and of 64 blocks of 1 MB (the first, the last,
        evenly spaced ones) of all files in a row. 64 hexadecimal digits.

    Raises
    ------
    FileProblem
        If it can't be read.
    """
    try:
        files = _files_of(path)
        ends = list(accumulate(file.size for file in files))
        total = ends[-1] if ends else 0
        alone = len(files) == 1 and files[0].name == ""
        digest = hashlib.sha256()
        if not alone or total > WHOLE_UP_TO:
            digest.update(json.dumps([(file.name, file.size) for file in files]).encode())
        for start, stop in _ranges(total):
            for part in _bytes_of(files, ends, start, stop):
                digest.update(part)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileProblem(f"{path.name} can't be read: {reason}.", hint="See whether its disk is there.") from error
    return digest.hexdigest()


def array_sha256(data: Any) -> str:
    """Give the sha256 that a scan without a file is known by.

    Parameters
    ----------
    data : array
        In memory or lazy (anything that slices into NumPy arrays), of at least one axis.

    Returns
    -------
    str
        Of its shape, type and bytes in C order; of more than 256 MB, of so many slices along the first axis, evenly
        spaced, as make 64 MB.
    """
    shape, dtype = tuple(int(length) for length in data.shape), np.dtype(data.dtype)
    digest = hashlib.sha256(json.dumps([shape, dtype.str]).encode())
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    count = shape[0]
    if size > WHOLE_UP_TO:
        count = min(count, max(2, count * BLOCK * BLOCKS // size))
    for index in np.linspace(0, shape[0] - 1, count).round().astype(int):
        digest.update(np.ascontiguousarray(np.asarray(data[int(index)])).tobytes())
    return digest.hexdigest()


# ---- files ----------------------------------------------------------------------------------------------------------


def _files_of(path: Path) -> list[_File]:
    if path.is_dir():
        paths = sorted(_inside(path), key=lambda file: file.relative_to(path).as_posix())
        return [_File(file.relative_to(path).as_posix(), file, file.stat().st_size) for file in paths]
    gate.regular_file(path)
    named = _named_in(path) if path.suffix.lower() in HEADERS else []
    whole = [_File("", path, path.stat().st_size)]
    return whole + [_File(file.name, file, file.stat().st_size) for file in named]


def _inside(folder: Path) -> Iterator[Path]:
    """Give the regular files of a folder; of Zarr without the labels, for ours may have been saved there."""
    is_zarr = any((folder / name).is_file() for name in METADATA)
    for base, folders, names in os.walk(folder):
        if is_zarr:
            folders[:] = [name for name in folders if name != "labels"]
        found = (Path(base, name) for name in names if name not in LITTER and not name.startswith("._"))
        yield from (file for file in found if file.is_file())


def _named_in(header: Path) -> list[Path]:
    """Give the files that a header's text names; a reader judges whether they fit."""
    lines = header.read_bytes()[:LONGEST_HEADER].decode("latin-1").splitlines()
    words = {part.strip() for line in lines for part in (line, line.partition(":")[2], line.partition("=")[2])}
    found = set[Path]()
    for word in words - {""}:
        with suppress(FileProblem):
            found.add(data_file(header, word))
        if numbered := NUMBERED.match(word):  # slice%03d.raw 1 20 1
            found.update(file for file in header.parent.glob(f"{escape(numbered[1])}*") if file.is_file())
    return sorted(found - {header})


def _ranges(total: int) -> list[tuple[int, int]]:
    """Give from where to where the bytes are read, all files in a row."""
    if total <= WHOLE_UP_TO:
        return [(0, total)]
    return [(int(start), int(start) + BLOCK) for start in np.linspace(0, total - BLOCK, BLOCKS)]


def _bytes_of(files: list[_File], ends: list[int], start: int, stop: int) -> Iterator[bytes]:
    """Read a range of all files in a row, a block at a time; `ends` says where each ends."""
    for place in range(bisect_right(ends, start), len(files)):
        file, begin = files[place], ends[place] - files[place].size
        if begin >= stop:
            return
        yield from _read(file.path, max(start - begin, 0), min(stop - begin, file.size))


def _read(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as opened:
        opened.seek(start)
        while start < stop and (part := opened.read(min(BLOCK, stop - start))):
            start += len(part)
            yield part
