"""What a new project is called, and where its file lies: beside the scans, where that can be."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_documents_path

NO_FILE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')  # what some system lets no file be called


def name_for(sources: Sequence[Path]) -> str:
    """Propose a name: that of the folder or of the table; of scans, that of the folder they lie in."""
    from napari_vol3d.review.project.sheet import is_table

    if not sources:
        return ""
    return sources[0].stem if is_table(sources[0]) else folder_of(sources[0]).name


def folder_for(sources: Sequence[Path]) -> Path:
    """Propose the folder that holds all sources; where nothing can be written to it, that of the person's documents."""
    folders = [str(folder_of(source).absolute()) for source in sources]
    try:
        common = Path(os.path.commonpath(folders))
    except ValueError:  # none, or on several drives
        common = Path(folders[0]) if folders else user_documents_path()
    return next((each for each in (common, user_documents_path()) if can_write(each)), Path.home())


def folder_of(source: Path) -> Path:
    """Give the folder of scans that a source is or lies in; a folder that is one scan lies in another.

    A folder `images` beside `labels` is a part of the one that both lie in.
    """
    from napari_vol3d.review.project.gather import labels_beside
    from napari_vol3d.review.project.scans import is_scan

    if source.is_dir() and labels_beside(source) is not None:
        return source.absolute().parent
    return source if source.is_dir() and not is_scan(source) else source.parent


def file_for(folder: Path, name: str) -> Path:
    """Give the project's file: its name as any system lets a file be called."""
    from napari_vol3d.review.project.tables import SUFFIX

    return folder / f"{NO_FILE.sub('_', name).strip(' .') or 'project'}{SUFFIX}"


def refusal(path: Path) -> str:
    """Say why no project can be made there; "" where it can."""
    if path.exists():
        return f"{path.name} is there already. Choose another name, or open it."
    if not path.parent.is_dir():
        return f"No folder {path.parent.name}. Choose one that is there."
    return "" if can_write(path.parent) else f"Nothing can be written to {path.parent.name}. Choose another folder."


def can_write(folder: Path) -> bool:
    """Whether it is a folder that can be written to."""
    return folder.is_dir() and os.access(folder, os.W_OK)
