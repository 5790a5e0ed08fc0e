"""Which files of a folder are the slices of one volume, and in which order, by the numbers in their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from napari_vol3d.core.errors import FileProblem

EXTENSIONS = (".tif", ".tiff", ".png")
NUMBER = re.compile(r"(\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Files that are counted by one number.

    Attributes
    ----------
    key : str
        What their names have in common: "image" of ``image_1.png``, ``image_2.png``.
    names : tuple of str
        In the order of the number: 2 before 10.
    numbers : tuple of int
    """

    key: str
    names: tuple[str, ...]
    numbers: tuple[int, ...]


def find_series(names: Iterable[str]) -> list[Series]:
    """Sort names into series of two or more, by all that is not the number that counts the slices.

    Names with several numbers that change are counted by the one with the most values, the last of these; the others
    tell series apart, as those of ``z001_c0.tif``. Hidden files and names without a number are left out.
    """
    groups: dict[tuple[str, ...], list[tuple[str, list[int]]]] = defaultdict(list)
    for name in names:
        if is_slice_name(name):
            pieces = NUMBER.split(name)
            groups[tuple(pieces[::2])].append((name, [int(piece) for piece in pieces[1::2]]))
    found: list[Series] = []
    for texts, members in groups.items():
        place = _counting(members)
        apart: dict[tuple[int, ...], list[tuple[int, str]]] = defaultdict(list)
        for name, numbers in members:
            apart[(*numbers[:place], *numbers[place + 1 :])].append((numbers[place], name))
        for entries in apart.values():
            entries.sort()
            if len(entries) > 1:
                before, after = _around(entries[0][1], place)
                key = f"{before.rstrip('_-. ')}{after if _has_text(after) else ''}" or "".join(texts)
                found.append(
                    Series(key=key, names=tuple(n for _, n in entries), numbers=tuple(k for k, _ in entries))
                )
    return _with_own_keys(sorted(found, key=lambda series: series.key))


def is_slice_name(name: str) -> bool:
    """Whether a file of this name could be a slice."""
    stem, dot, extension = name.rpartition(".")
    return f"{dot}{extension}".lower() in EXTENSIONS and not name.startswith(".") and bool(NUMBER.search(stem))


def check_complete(series: Series) -> None:
    """Refuse a series that counts unevenly, or counts a number twice.

    Raises
    ------
    FileProblem
        Naming the two files between which one is missing.
    """
    pairs = list(zip(series.numbers, series.numbers[1:], strict=False))
    step = min((b - a for a, b in pairs if b > a), default=0)
    for at, (a, b) in enumerate(pairs):
        first, second = series.names[at], series.names[at + 1]
        if a == b:
            raise FileProblem(f"Two slices of one number: {first} and {second}.", hint="Take one of them away.")
        if b - a != step:
            raise FileProblem(
                f"Missing slice: nothing between {first} and {second}.",
                hint="Copy the missing file into the folder, or number the slices anew.",
            )


def _counting(members: Sequence[tuple[str, list[int]]]) -> int:
    """Give the place of the number that counts the slices."""
    columns = list(zip(*(numbers for _, numbers in members), strict=True))
    return max(range(len(columns)), key=lambda place: (len(set(columns[place])), place))


def _around(name: str, place: int) -> tuple[str, str]:
    """Give what stands before and after a number of a name, without the extension."""
    pieces = NUMBER.split(name)
    return "".join(pieces[: 2 * place + 1]), "".join(pieces[2 * place + 2 :]).rpartition(".")[0]


def _has_text(after: str) -> bool:
    return any(c.isalnum() for c in after)


def _with_own_keys(found: Sequence[Series]) -> list[Series]:
    """Let no two series have one key: those that would are named by their first files."""
    keys = [series.key for series in found]
    return [
        series if keys.count(series.key) == 1 and series.key else
        Series(key=series.names[0], names=series.names, numbers=series.numbers)
        for series in found
    ]  # fmt: skip
