"""What DICOM objects lie in a folder: planes of images, label objects, and how much else."""

from __future__ import annotations

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.config import IGNORE
from pydicom.uid import UID

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import magic
from napari_vol3d.io.dicom.header import Header, is_dicom, read_header
from napari_vol3d.io.dicom.planes import Plane, planes_of

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
DIRECTORY = "1.2.840.10008.1.3.10"
MOST_FILES = 200_000
PREAMBLE = 132  # bytes, and the mark behind them
NAMED = (".dcm", ".ima")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What lies in a folder.

    Attributes
    ----------
    planes : tuple of Plane
        Of all images, in the order of the files' names.
    labels : tuple of Header
        DICOM-SEG and RTSTRUCT objects.
    series : mapping
        A header for each SeriesInstanceUID that has images.
    problems : mapping
        What is wrong with an image, by SeriesInstanceUID: only who opens that series needs to be told.
    ignored : mapping
        How many files of which kind are neither.
    """

    planes: tuple[Plane, ...]
    labels: tuple[Header, ...]
    series: dict[str, Header]
    problems: dict[str, FileProblem]
    ignored: dict[str, int]


def scan(folder: Path, *, nested: bool = True, series: str | None = None) -> Found:
    """Read the headers of all DICOM files in a folder; of one series only, if its UID is given.

    Raises
    ------
    FileProblem
        If it is not known of which series a damaged DICOM file is. Or if there are far too many files.
    """
    planes: list[Plane] = []
    labels: list[Header] = []
    heads: dict[str, Header] = {}
    problems: dict[str, FileProblem] = {}
    ignored: Counter[str] = Counter()
    for path in _files(folder, nested=nested):
        header = _header(path)
        if header is None:
            ignored["not DICOM"] += 1
        elif series is not None and header.text("SeriesInstanceUID") not in (series, ""):
            continue
        elif is_labels(header):
            labels.append(header)
        elif _is_image(header):
            uid = header.text("SeriesInstanceUID")
            heads.setdefault(uid, header)
            try:
                planes += planes_of(header)
            except FileProblem as problem:
                problems.setdefault(uid, FileProblem(problem.message, hint=_hint(problem)))
        else:
            ignored[_kind(header)] += 1
    if ignored:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(ignored.items()))
        log.info("Ignored %d files that are no images (%s)", ignored.total(), kinds)
    return Found(
        planes=tuple(planes), labels=tuple(labels), series=heads, problems=problems, ignored=dict(ignored)
    )  # fmt: skip


def is_labels(header: Header) -> bool:
    """Whether a file is a DICOM-SEG or an RTSTRUCT."""
    return header.text("SOPClassUID") in (*SEGMENTATIONS, STRUCTURES)


def _files(folder: Path, *, nested: bool) -> Iterator[Path]:
    """Give the regular files in a folder that are not hidden, by name; links to folders are not followed."""
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if nested and not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise FileProblem(
                    f"Too many files: {folder.name} holds more than {MOST_FILES:,}.", hint="Open a folder inside it."
                )
            if not name.startswith("."):
                yield Path(root, name)


def _header(path: Path) -> Header | None:
    """Give a DICOM file's header, None for all else; pipes and devices are not opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        if not is_dicom(path):
            _refuse_lost(path)
            return None
    except FileNotFoundError:
        return None  # a broken link, or a file that was just removed
    except OSError as error:
        raise FileProblem(
            f"Can't be read: {path.name} ({error.strerror}).", hint="It may be a slice. Check its permissions."
        ) from error
    try:
        return read_header(path)
    except FileProblem as problem:
        raise FileProblem(problem.message, hint=_hint(problem)) from problem


def _refuse_lost(path: Path) -> None:
    """Refuse what is no DICOM file but seems to have been one: without it, a slice would be missing."""
    with path.open("rb") as file:
        start = file.read(PREAMBLE)
    cut = 0 < len(start) < PREAMBLE and not any(start) and not path.suffix
    if cut or path.suffix.lower() in NAMED:
        kind = magic.kind_of(path) if start else "empty"
        raise FileProblem(
            f"Not a DICOM file: {path.name} is {kind}.",
            hint="Copy or download it again. If no slice is in it, take it out of the folder.",
        )


def _hint(problem: FileProblem) -> str:
    return f"{problem.hint} If no slice is in it, take it out of the folder.".strip()


def _kind(header: Header) -> str:
    if header.stored_class() == DIRECTORY:
        return "DICOM directory"
    return header.text("Modality") or "without modality"


def _is_image(header: Header) -> bool:
    """Whether a file has pixels.

    Raises
    ------
    FileProblem
        If it says that it is an image, but ends before the pixels; or before it has said what it is.
    """
    if header.keyword:
        return True
    kinds = (header.text("SOPClassUID"), header.stored_class())
    said = (bool(kinds[0]) and kinds[1] in (kinds[0], "")) or kinds[1] == DIRECTORY
    if not said or any(" Image Storage" in UID(kind, validation_mode=IGNORE).name for kind in kinds):
        raise FileProblem(
            f"Truncated file: {header.path.name} is an image without pixels.",
            hint="Copy or download it again, or take it out of the folder.",
        )
    return False
