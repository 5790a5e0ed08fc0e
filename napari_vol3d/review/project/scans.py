"""Which entries of a folder are scans: told from names, and of nameless files from their first bytes."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_vol3d.io.folder_kind import is_dicom
from napari_vol3d.io.registry import EXPORT_EXTENSIONS, READ_EXTENSIONS, is_volume_file
from napari_vol3d.io.slices import is_slice_folder

DICOM = (".dcm", ".ima", ".dicom")
OTHERS = tuple(extension for extension in READ_EXTENSIONS if extension not in DICOM)
NAMELESS = re.compile(r"[^.]*|.*\.\d+")  # how scanners name their files: IM_0001, or a UID
LOOKED_AT = 20  # files of a folder, for one of DICOM
DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What lies in a folder.

    Attributes
    ----------
    scans : tuple of Path
        Files, and folders that are one scan each; the folder itself for the DICOM files right in it.
    folders : tuple of Path
        Other folders, to be looked into.
    closed : tuple of Path
        Links to scans that are not there, and the folder itself where nobody may look into it.
    """

    scans: tuple[Path, ...]
    folders: tuple[Path, ...]
    closed: tuple[Path, ...] = ()


def list_scans(folder: Path) -> Listing:
    """List a folder, in the order in which people count; hidden entries are left out."""
    if is_slice_folder(folder):
        return Listing(scans=(folder,), folders=())
    if not os.access(folder, os.R_OK | os.X_OK):
        return Listing(scans=(), folders=(), closed=(folder,))
    found = entries_of(folder)
    named = [path for path in found if path.name.lower().endswith(OTHERS)]
    folders = [path for path in found if _is_folder(path) and not _is_loop(path)]
    scans = [path for path in named if path.exists()]
    if has_dicom(folder, found):
        return Listing(scans=(folder, *scans), folders=())  # a reader of DICOM looks into the folders below too
    return Listing(scans=tuple(scans), folders=tuple(folders), closed=tuple(p for p in named if not p.exists()))


def entries_of(folder: Path) -> list[Path]:
    """Give what lies in a folder and is not hidden, as people count; nothing of one that can't be looked into."""
    try:
        with os.scandir(folder) as entries:
            return sorted((Path(entry.path) for entry in entries if not entry.name.startswith(".")), key=natural)
    except OSError:
        return []


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder; none has a name that no system lets a file have."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a null
        return False


def is_scan(path: Path) -> bool:
    """Whether a file or folder is one scan; of a folder of scans it is not said."""
    if _is_folder(path):
        return has_dicom(path) or is_slice_folder(path)
    return is_volume_file(path) and not path.name.lower().endswith(EXPORT_EXTENSIONS)


def is_dicom_file(path: Path) -> bool:
    """Whether a file is of DICOM, whatever it is called."""
    return not path.name.lower().endswith(OTHERS) and is_dicom(path)


def has_dicom(folder: Path, found: list[Path] | None = None) -> bool:
    """Whether files of DICOM lie right in a folder, by a look at the first of those that may be."""
    paths = entries_of(folder) if found is None else found
    return any(map(is_dicom, itertools.islice(_maybe_dicom(paths), LOOKED_AT)))


def natural(path: Path) -> tuple[tuple[str, int], ...]:
    """Give what sorts paths as people count: 2 before 10."""
    pieces = DIGITS.split(str(path).lower())
    return tuple(zip(pieces[::2], [*map(int, pieces[1::2]), -1], strict=True))


def _is_folder(path: Path) -> bool:
    return not path.name.lower().endswith(OTHERS) and path.is_dir()


def _is_loop(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.resolve() in (folder.parent.resolve(), *folder.parent.resolve().parents)


def _maybe_dicom(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        name = path.name.lower()
        if name != "dicomdir" and (name.endswith(DICOM) or NAMELESS.fullmatch(name)):
            yield path
