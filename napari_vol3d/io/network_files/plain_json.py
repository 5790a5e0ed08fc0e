"""JSON of strangers: of a known size and depth before it is parsed, and with one meaning only."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

import numpy as np

from napari_vol3d.core.errors import ModelProblem

MOST_BYTES = 8 << 20
MOST_VALUES = 500_000  # the largest network known here has a hundredth
LONGEST_NUMBER = 60  # digits
DEEPEST = 200
AGAIN = "Copy or download it again, or save it anew."
# Possessive throughout, and open to the end of the text: it never goes back, whatever comes.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?(?:"|\Z)', re.DOTALL)

_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_LETTER = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


def read_json(text: bytes, name: str) -> Any:
    """Parse JSON.

    Parameters
    ----------
    name : str
        Of the file, for messages.

    Raises
    ------
    ModelProblem
        If it is too large or too deep, is no JSON in UTF-8, names a key twice, or holds NaN, infinity or a number
        too long.
    """
    if len(text) > MOST_BYTES:
        raise ModelProblem(f"Too large: {name} is {len(text) / 1e6:.0f} MB of JSON; 8 MB are the most.")
    if sum(text.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:  # those in strings count too
        raise ModelProblem(f"Too many values: {name} holds more than {MOST_VALUES:,}, as no network does.")
    if _depth(text) > DEEPEST:
        raise ModelProblem(f"Nested too deep: {name} goes deeper than {DEEPEST} levels, as no network does.")
    try:
        plain = text.decode("utf-8-sig")  # brackets were counted byte by byte, as only this encoding has them
        if _HALF_LETTER.search(plain):
            raise ValueError("half of a surrogate pair")
        return json.loads(
            plain, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_real, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise ModelProblem(f"Damaged JSON in {name}: {str(error)[:120]}.", hint=AGAIN) from error


def _depth(text: bytes) -> int:
    """Count how deep brackets nest; those in strings do not count."""
    marks = np.frombuffer(re.sub(rb"[^\[\]{}]+", b"", _STRING.sub(b"", text)), dtype=np.uint8)
    if not marks.size:
        return 0
    opens = (marks == ord("[")) | (marks == ord("{"))
    return int(np.cumsum(np.where(opens, 1, -1)).max())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # parsers differ in which one they take
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:60]!r} comes twice")
    return found


def _real(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):  # 1e999
        raise ValueError(f"{word[:60]} is too large a number")
    return number


def _whole(word: str) -> int:
    if len(word) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(word)} digits")
    return int(word)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
