"""The scan that a DICOM label object was drawn on: looked for beside the object, and never far."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.dicom.header import is_dicom, read_header
from napari_vol3d.io.dicom.images import groups_in, read_image

log = logging.getLogger(__name__)

MOST_FILES = 10_000  # read in about five seconds
DEEPEST = 3  # folders below the one where the search begins
NO_SCANS = ("SEG", "RTDOSE", "PR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series of images on the disk.

    Attributes
    ----------
    uid, frame : str
        SeriesInstanceUID and FrameOfReferenceUID.
    folder : Path
        The innermost one that holds all of it.
    """

    uid: str
    frame: str
    folder: Path

    def volumes(self) -> Iterator[Volume]:
        """Read the scan; where a series holds several volumes, one after the other, that of most slices first.

        Raises
        ------
        FileProblem
            If it can't be read.
        """
        groups, folder = groups_in(self.folder)
        for group in groups:
            if group.part.key.partition("#")[0] == self.uid:
                if group.problem is not None:
                    raise group.problem
                yield read_image(group, folder, folder)


def find_series(folder: Path, uids: Sequence[str], frame: str) -> tuple[Series, ...]:
    """Look for series of images in `folder`, and for those that are named in the folders beside it too.

    Parameters
    ----------
    uids : sequence of str
        Those that the object names, the best first.
    frame : str
        Its FrameOfReferenceUID, "" where it has none.

    Returns
    -------
    tuple of Series
        Those that are named, in that order; else those in `folder` that share the frame of reference.
    """
    here = folder.resolve()
    there = _series_below(here, without=None)
    named = [there[uid] for uid in dict.fromkeys(uids) if uid in there]
    if named:
        return tuple(named)
    if uids and here.parent != here:
        beside = _series_below(here.parent, without=here)
        named = [beside[uid] for uid in dict.fromkeys(uids) if uid in beside]
    return tuple(named or [one for one in there.values() if frame and one.frame == frame])


def _series_below(root: Path, *, without: Path | None) -> dict[str, Series]:
    frames: dict[str, str] = {}
    images: dict[str, dict[Path, set[str]]] = {}
    for path in _files(root, without=without):
        try:
            header = read_header(path) if is_dicom(path) else None
        except (FileProblem, OSError):
            continue  # whoever opens that file itself is told what is wrong with it
        uid = header.text("SeriesInstanceUID") if header else ""
        if header and uid and header.keyword and header.text("Modality") not in NO_SCANS:
            frames.setdefault(uid, header.text("FrameOfReferenceUID"))
            images.setdefault(uid, {}).setdefault(path.parent, set()).add(header.text("SOPInstanceUID"))
    return {uid: Series(uid=uid, frame=frames[uid], folder=_folder_of(images[uid])) for uid in frames}


def _folder_of(images: dict[Path, set[str]]) -> Path:
    """Give the first folder that holds all images of a series, of which there may be copies, or what holds them all."""
    everything = set().union(*images.values())
    whole = next((folder for folder, there in images.items() if there == everything), None)
    return whole or Path(os.path.commonpath(images))


def _files(root: Path, *, without: Path | None) -> Iterator[Path]:
    """Give the regular files at most `DEEPEST` folders below, and no more than `MOST_FILES`."""
    count = 0
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        deep = len(here.relative_to(root).parts)
        inner[:] = sorted(n for n in inner if deep < DEEPEST and not n.startswith(".") and here / n != without)
        for name in sorted(names):
            path = here / name
            if name.startswith(".") or not path.is_file():
                continue
            count += 1
            if count > MOST_FILES:
                log.warning("Stopped looking for the scan after %d files in %s.", MOST_FILES, root.name)
                return
            yield path
