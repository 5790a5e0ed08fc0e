"""A folder that is neither a scan nor a model and holds some: what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.gui.jobs import report
from napari_vol3d.gui.model_drop import HANDLED, holds_models, open_model
from napari_vol3d.io.registry import is_volume_file

MOST_LOOKED_AT = 1000  # entries of a folder
MOST_OPENED = 12  # scans: a case with its channels and labels, not a study


def folder_reader(
    paths: Sequence[str | Path], read: Callable[[Sequence[str]], list[Any]]
) -> Callable[..., list[Any]] | None:
    """Give napari a reader of what one folder holds; None where that is neither models nor scans.

    Parameters
    ----------
    read : callable
        Reads scans into layers. More than a case has are not opened; a notification says what to do with them.
    """
    if len(paths) != 1:
        return None
    folder = Path(paths[0])
    if holds_models(folder):
        return open_model
    scans = _scans_in(folder)

    def open_all(_: object) -> list[Any]:
        if len(scans) > MOST_OPENED:
            hint = "Drop those that you want, or make a project of the folder in the tab Review."
            report(FileProblem(f"{folder.name} holds {len(scans)} scans.", hint=hint))
            return HANDLED
        return read([str(scan) for scan in scans])

    return open_all if scans else None


def _scans_in(folder: Path) -> list[Path]:
    try:
        entries = sorted(islice(folder.iterdir(), MOST_LOOKED_AT))
    except OSError:  # no folder, or one that may not be looked into
        return []
    return [each for each in entries if not each.name.startswith(".") and each.is_file() and is_volume_file(each)]
