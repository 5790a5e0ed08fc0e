"""What a folder without an extension holds, told from a look at a few of its files: DICOM, or numbered slices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from napari_vol3d.io.slices import is_slice_folder

MOST_LOOKED_AT = 200
DEEPEST = 3
DICOM_AT = 128


def kind_of_folder(folder: Path) -> str:
    """Give "DICOM", "slices", or "" for neither; at most `MOST_LOOKED_AT` files are looked at, three folders deep."""
    if any(is_dicom(path) for path in islice(_files(folder, DEEPEST), MOST_LOOKED_AT)):
        return "DICOM"
    return "slices" if is_slice_folder(folder) else ""


def is_dicom(path: Path) -> bool:
    """Whether a regular file has the mark of DICOM; its name means nothing, scanners give none that would."""
    try:
        if not path.is_file():  # never opens a pipe
            return False
        with path.open("rb") as file:
            file.seek(DICOM_AT)
            return file.read(4) == b"DICM"
    except OSError:
        return False


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    yield from (Path(entry.path) for entry in entries if entry.is_file())
    if depth:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _files(Path(entry.path), depth - 1)
