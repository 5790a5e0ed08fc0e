"""Folders that take their name whole: made beside it, and moved there in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.safe_write import HOST
from napari_vol3d.io.zarr_store import METADATA


def refuse_occupied(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that is there already, unless it is a Zarr folder that may be replaced."""
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise SaveProblem(f"{target.name} was not saved: it is already there.", hint="Choose another name.")
    if target.is_symlink() or not any((target / name).is_file() for name in METADATA):
        raise SaveProblem(f"{target.name} was not saved: what is there is no Zarr folder.", hint="Choose another name.")


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Make a folder whose name says whose it is; `safe_write` removes those of programs that were killed."""
    folder = Path(tempfile.mkdtemp(prefix=f".saving-{HOST}-{os.getpid()}-", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def moved_away(target: Path) -> Iterator[None]:
    """Take an older folder out of the way, put it back if the new one can't take its place, else throw it away."""
    if not target.exists():
        yield
        return
    with folder_beside(target) as aside:
        target.rename(aside / target.name)
        try:
            yield
        except OSError:
            (aside / target.name).rename(target)
            raise
