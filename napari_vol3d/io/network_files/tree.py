"""Folders of strangers: plain files only, and not without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from napari_vol3d.core.errors import ModelProblem

MOST_FILES = 10_000


def plain_files(folder: Path) -> dict[str, int]:
    """Give the sizes of all files below a folder, by their paths in it ("variables/variables.index"), sorted.

    Raises
    ------
    ModelProblem
        If there is a link, a device or the like, or more than `MOST_FILES` files and folders.
    """
    sizes: dict[str, int] = {}
    waiting, seen = [folder], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                seen += 1
                inside = Path(entry.path).relative_to(folder).as_posix()
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(Path(entry.path))
                elif stat.S_ISREG(status.st_mode):
                    sizes[inside] = status.st_size
                else:
                    raise ModelProblem(
                        f"Not a plain file: {inside} in {folder.name} is a link, pipe or device.",
                        hint="Copy the files themselves into one folder.",
                    )
                if seen > MOST_FILES:
                    raise ModelProblem(f"Too many files: {folder.name} holds more than {MOST_FILES}.")
    return dict(sorted(sizes.items()))
