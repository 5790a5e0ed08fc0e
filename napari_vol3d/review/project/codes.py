"""Codes of cases: what reports and exports call them, so that they tell nobody who was scanned."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

DIGITS = re.compile(r"\d+")
APART = re.compile(r"[\s/\\]+")
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST = 64
YEAR, MONTH, DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
# A day in a name may be the one on which somebody was born.
DATE = re.compile("|".join(rf"(?<!\d){a}([-_.]?){b}\{n}{c}(?!\d)" for n, (a, b, c) in enumerate(
    ((YEAR, MONTH, DAY), (DAY, MONTH, YEAR), (MONTH, DAY, YEAR)), start=1
)))  # fmt: skip


def codes_for(names: Sequence[str], *, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Give a code for each of these names, no two alike.

    Names that were made to be codes, "hippocampus_001" or "sub-01 ses-02", stay, with "_" for spaces: all are the same
    but for their digits, none holds a date, and the letters are plain. Else they may be names of patients, and the
    codes are case-0001, case-0002 ... A single name says nothing about how it was made, and is no code.

    Parameters
    ----------
    names : sequence of str
        No two alike.
    taken : collection of str
        Codes of other cases; numbers go on behind the highest of them.

    Examples
    --------
    >>> codes_for(["hippocampus_001", "hippocampus_004"])
    ('hippocampus_001', 'hippocampus_004')
    >>> codes_for(["Anna", "Berta"])
    ('case-0001', 'case-0002')
    """
    plain = tuple(APART.sub("_", name) for name in names)
    if are_codes(plain) and not set(plain) & set(taken):
        return plain
    first = 1 + max((int(code[5:]) for code in taken if re.fullmatch(r"case-\d{4,9}", code)), default=0)
    return tuple(f"case-{number:04d}" for number in range(first, first + len(names)))


def are_codes(names: Sequence[str]) -> bool:
    """Whether names were counted, not given: two or more that differ in nothing but digits."""
    skeletons = {DIGITS.sub("", name) for name in names}
    return len(set(names)) == len(names) > 1 == len(skeletons) and all(
        is_plain(name) and DATE.search(name) is None for name in names
    )  # fmt: skip


def is_plain(name: str) -> bool:
    """Whether a name can be a code: files are named by it."""
    return PLAIN.fullmatch(name) is not None and len(name) <= LONGEST
