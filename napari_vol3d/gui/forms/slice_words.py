"""Slices in words: "z 12-14, 16"."""

from __future__ import annotations

from collections.abc import Collection

from napari_vol3d.correct.naming import LETTERS


def runs(numbers: Collection[int]) -> str:
    """Say numbers in order, those without a gap together.

    Examples
    --------
    >>> runs([16, 12, 13, 14])
    '12-14, 16'
    """
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)


def slices_in_words(axis: int, slices: Collection[int]) -> str:
    """Say which slices across an axis.

    Examples
    --------
    >>> slices_in_words(0, [3, 4])
    'z 3-4'
    """
    return f"{LETTERS[axis]} {runs(slices)}"
