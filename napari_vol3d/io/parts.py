"""Files and folders that hold several volumes: DICOM series, datasets of an HDF5 file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_vol3d.core.errors import FileProblem

MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of several volumes in a file or folder.

    Attributes
    ----------
    key : str
        What a reader takes as `part`: a series' UID, a dataset's name.
    title : str
        For people: "T1 post contrast, 22 slices of 512 x 512, 6.5 mm".
    """

    key: str
    title: str


class SeveralParts(FileProblem):
    """Somebody has to choose: the file or folder holds several volumes."""

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        listed = "; ".join(f"{part.key} ({part.title})" for part in parts[:MOST_NAMED])
        more = f"; and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else ""
        super().__init__(f"{len(parts)} volumes to choose from in {path.name}.", hint=f"Name one: {listed}{more}.")
        self.path = path
        self.parts = tuple(parts)
        self.question = f"{path.name} holds {len(parts)} volumes. Open which?"


class Irregular(SeveralParts):
    """A series that is not what it should be, of which one volume can be had all the same: repaired, if asked for.

    Parameters
    ----------
    part : Part
        What to ask for to get it.
    """

    def __init__(self, path: Path, message: str, *, hint: str, part: Part) -> None:
        super().__init__(path, (part,))
        FileProblem.__init__(self, message, hint=f"{hint}: part {part.key}.")
        self.question = f"{message} Open it all the same?"


def choose(path: Path, parts: Sequence[Part], wanted: str | None) -> Part:
    """Give the part that is wanted, or the only one.

    Raises
    ------
    SeveralParts
        If none was named and there are several.
    FileProblem
        If there is none of that key.
    """
    if wanted is None:
        if len(parts) == 1:
            return parts[0]
        raise SeveralParts(path, parts)
    found = next((part for part in parts if part.key == wanted), None)
    if found is None:
        listed = ", ".join(part.key for part in parts[:MOST_NAMED])
        raise FileProblem(f"No part {wanted!r} in {path.name}.", hint=f"There are: {listed}.")
    return found
