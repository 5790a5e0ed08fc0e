"""A corpus of bad files, each with what must come of it; beside them whole ones, whose voxels and places are known.

Each case is made in a folder of its own by the format's usual library and then damaged, or written byte by byte.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.io.caged import facts_about

ROOMS = ("places", "nifti", "arrays", "itk", "tiff", "stores", "dicom")
Make = Callable[[Path], Path]
Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file or folder to open.

    Attributes
    ----------
    name : str
        The format, and what is wrong.
    make : callable
        Makes it in an empty folder and gives its path.
    verdict : str
        "refused", "asked" (which of several), or "same".
    words : str
        What the sentence must match: the true reason.
    facts : mapping
        Of a whole one: what `caged.facts_of` must tell.
    part : str or None
        Which of several is opened.
    """

    name: str
    make: Make
    verdict: Literal["refused", "same", "asked"]
    words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    part: str | None = None


def refused(name: str, words: str, make: Make, part: str | None = None) -> Case:
    return Case(name=name, make=make, verdict="refused", words=words, part=part)


def asked(name: str, words: str, make: Make) -> Case:
    return Case(name=name, make=make, verdict="asked", words=words)


def same(
    name: str, make: Make, stored: np.ndarray, affine: np.ndarray, *, part: str | None = None, **more: Any
) -> Case:
    """A file that must give these voxels, in the order of its own axes, where `affine` says."""
    return Case(name=name, make=make, verdict="same", facts=facts_about(stored, affine) | more, part=part)


@functools.cache
def cases_of(room: str) -> tuple[Case, ...]:
    """The cases of one module of `ROOMS`."""
    return tuple(import_module(f"tests.io.bad_{room}").cases())


# ---- damage ---------------------------------------------------------------------------------------------------------


def written(name: str, content: Callable[[], bytes] | bytes, *changes: Change) -> Make:
    """Make a file of this name and content, changed."""

    def make(folder: Path) -> Path:
        whole = content() if callable(content) else content
        for change in changes:
            whole = change(whole)
        path = folder / name
        path.write_bytes(whole)
        return path

    return make


def cut(share: float) -> Change:
    """Keep a share of the bytes."""
    return lambda whole: whole[: int(len(whole) * share)]


def short(count: int) -> Change:
    """Take bytes off the end."""
    return lambda whole: whole[:-count]


def more(tail: bytes) -> Change:
    """Put bytes behind the end."""
    return lambda whole: whole + tail


def flip(at: int, bit: int = 0) -> Change:
    """Flip a bit of the byte at this place, counted from the end if below zero."""
    return lambda whole: put(at, bytes([whole[at] ^ (1 << bit)]))(whole)


def put(at: int, part: bytes) -> Change:
    """Replace the bytes at this place, counted from the end if below zero."""

    def change(whole: bytes) -> bytes:
        start = at % len(whole)
        return whole[:start] + part + whole[start + len(part) :]

    return change


def swap(old: bytes, new: bytes) -> Change:
    """Replace what must be there exactly once."""

    def change(whole: bytes) -> bytes:
        assert whole.count(old) == 1, (old, whole.count(old))
        return whole.replace(old, new)

    return change


def cuts(kind: str, name: str, content: Callable[[], bytes], header: float, words: Iterable[str]) -> Iterable[Case]:
    """Cut a file within its header, in half, and by its last byte."""
    for what, change, reason in zip(
        ("within its header", "in half", "by its last byte"), (cut(header), cut(0.5), short(1)), words, strict=True
    ):
        yield refused(f"{kind}: cut {what}", reason, written(name, content, change))
