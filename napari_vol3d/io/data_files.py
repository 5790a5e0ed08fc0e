"""Data files that a header names, as .nhdr and .mhd do: in the header's own folder and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate

AGAIN = "Export the volume again."
NUMBERED = re.compile(r"([^%]*)%(0?)(\d?)d([^%]*)")


def data_file(header: Path, name: str) -> Path:
    """Give the path of a data file that a header names: a regular file in the header's own folder.

    Raises
    ------
    FileProblem
        If the name leads out of the folder, by itself or through a link, or there is no such file.
    """
    parts = PureWindowsPath(name)  # takes / and \ both as separators, and knows drives
    outside = not parts.name or "\0" in name or parts.drive or parts.root or ".." in parts.parts
    if not outside:
        path = header.parent.joinpath(*parts.parts)
        gate.regular_file(path)
        folder, target = header.parent.resolve(), path.resolve()
        if target == header.resolve():
            raise FileProblem(f"Damaged header: {header.name} names itself as its data file.", hint=AGAIN)
        outside = not target.is_relative_to(folder)
    if outside:
        raise FileProblem(
            f"Data file elsewhere: {header.name} names {name!r}, outside its own folder.",
            hint="Put both files into one folder, and the plain name into the header.",
        )
    return path


def numbered_names(header: Path, pattern: str, numbers: range, count: int) -> list[str]:
    """Give the names that a pattern such as ``slice%03d.raw`` stands for.

    Raises
    ------
    FileProblem
        If they are not `count` many, or the pattern is none.
    """
    found = NUMBERED.fullmatch(pattern)
    if found is None:
        raise FileProblem(f"Damaged header: {header.name} names its data files {pattern!r}.", hint=AGAIN)
    if len(numbers) != count:  # before any name is made: a header may ask for billions
        raise FileProblem(
            f"Damaged header: {header.name} names {len(numbers):,} data files where there are {count:,}.", hint=AGAIN
        )
    before, zeros, width, behind = found.groups()
    return [f"{before}{number:{zeros}{width}d}{behind}" for number in numbers]
