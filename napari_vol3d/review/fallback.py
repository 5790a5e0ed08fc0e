"""Journals in the person's own folder: where there is no project, and for the time that a project can't be reached."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_path

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review import damage, lock
from napari_vol3d.review.journal import AT_ONCE, Journal
from napari_vol3d.review.records import new_token


def journals_folder() -> Path:
    """Folder for the person's own journals; `VOL3D_JOURNALS` names another."""
    return Path(os.environ.get("VOL3D_JOURNALS") or user_data_path("napari-vol3d") / "journals")


def journal_of_scan(sha256: str) -> Path:
    """Where the corrections of a scan lie that belongs to no project."""
    return journals_folder() / f"{sha256}.journal"


def new_fallback(main: Path) -> Path:
    """Give a file of its own for what a journal could not take; it belongs to one program at a time."""
    return journals_folder() / f"waiting-{_name_of(main)}-{new_token()[:8]}.journal"


def waiting_for(main: Path) -> list[Path]:
    """Give the files that hold what a journal could not take, oldest first."""
    files = journals_folder().glob(f"waiting-{_name_of(main)}-*.journal")
    return sorted(files, key=lambda path: path.stat().st_mtime_ns)


def merge(source: Journal, target: Journal) -> int:
    """Add all that a journal holds to another, in order; what that holds already is left out.

    What was added to the target meanwhile stays: both then are branches of one history.

    Returns
    -------
    int
        Number of events that the source held.
    """
    count = 0
    for layer in source.layers():
        plain = source.history(layer)
        for start in range(0, len(plain), AT_ONCE):
            target.add(layer, list(source.with_voxels(plain[start : start + AT_ONCE])))
        count += len(plain)
    return count


def gather(main: Journal) -> int:
    """Merge what programs that ended before left in the person's folder; call it after opening a journal.

    Files of a program that still runs are left alone, and so is one that can't be read.

    Returns
    -------
    int
        Number of events that waited.
    """
    return sum(_merge_and_remove(path, main) for path in list(waiting_for(main.path)))


def remove(journal: Path) -> None:
    """Remove a journal whose events lie in another."""
    journal.unlink(missing_ok=True)
    damage.rollback_of(journal).unlink(missing_ok=True)


def _merge_and_remove(path: Path, main: Journal) -> int:
    with suppress(Vol3dError, OSError):
        source = Journal.open(path)
        if isinstance(lock.acquire(source), lock.Held):
            return 0
        count = merge(source, main)
        remove(path)
        return count
    return 0


def _name_of(main: Path) -> str:
    return hashlib.sha256(os.path.abspath(main).encode()).hexdigest()[:16]  # noqa: PTH100 - the disk may be gone
