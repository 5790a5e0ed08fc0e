"""Protocol buffers of strangers: what they hold is counted on the bytes, before an object is made of any of it.

The encoding is described at https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5  # how a field is stored; groups are as old as they are unused
LAST_BYTE = 0x80
LONGEST = 10  # bytes of a number
Inside = Mapping[str, Mapping[int, str]]


class TooManyError(ValueError):
    """There is more of something than may be; the text says of what."""


def count_messages(content: bytes, start: str, inside: Inside, *, most: Mapping[str, int]) -> Counter[str]:
    """Count messages by kind, and all fields under "fields".

    Parameters
    ----------
    start : str
        Kind of the message that `content` is.
    inside : mapping
        Of each kind of message, the kinds of those in it by their field numbers; other fields are skipped.
    most : mapping
        How many of a kind there may be.

    Raises
    ------
    TooManyError
        As soon as there are more.
    ValueError
        If it is damaged.
    """
    counts: Counter[str] = Counter()
    at, end, kind = 0, len(content), start
    outer: list[tuple[int, str]] = []
    while True:
        while at == end and outer:
            end, kind = outer.pop()
        if at == end:
            return counts
        tag, at = _varint(content, at, end)
        _count(counts, "fields", most)
        child = inside[kind].get(tag >> 3)
        at, length = _skip(content, at, end, tag & 7)
        if child is not None and tag & 7 == LENGTH:
            _count(counts, child, most)
            outer.append((end, kind))
            at, end, kind = at - length, at, child


def _count(counts: Counter[str], kind: str, most: Mapping[str, int]) -> None:
    counts[kind] += 1
    if kind in most and counts[kind] > most[kind]:
        raise TooManyError(f"more than {most[kind]:,} {kind.lower().removesuffix('s')}s")


def _skip(content: bytes, at: int, end: int, stored: int) -> tuple[int, int]:
    """Give where the value at `at` ends, and how many bytes it has."""
    if stored == VARINT:
        length, at = 0, _varint(content, at, end)[1]
    elif stored == LENGTH:
        length, at = _varint(content, at, end)
    elif stored in (EIGHT, FOUR):
        length = 8 if stored == EIGHT else 4
    else:
        raise ValueError("a field that is stored in no way known")
    if at + length > end:
        raise ValueError("a field that ends behind its message")
    return at + length, length


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; give it and where it ends."""
    if at < end and content[at] < LAST_BYTE:
        return content[at], at + 1
    value = 0
    for index, byte in enumerate(content[at : min(at + LONGEST, end)]):
        value |= (byte & 0x7F) << 7 * index
        if byte < LAST_BYTE:
            return value, at + index + 1
    raise ValueError("a number without end")
