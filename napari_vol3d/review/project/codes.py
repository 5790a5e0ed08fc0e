"""Codes of cases: what reports and exports call them, so that they tell nobody who was scanned."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from napari_vol3d.review.project.words import unknown_words

DIGITS = re.compile(r"\d+")
APART = re.compile(r"[\s/\\]+")
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST = 64
YEAR, MONTH, DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
SHORT_YEAR = r"\d\d"
ORDERS = ((YEAR, MONTH, DAY), (DAY, MONTH, YEAR), (MONTH, DAY, YEAR))
SHORT_ORDERS = ((DAY, MONTH, SHORT_YEAR), (MONTH, DAY, SHORT_YEAR), (SHORT_YEAR, MONTH, DAY))
# A day in a name may be the one on which somebody was born.
DATE = re.compile("|".join((
    *(rf"(?<!\d){a}([-_. ]?){b}\{n}{c}(?!\d)" for n, (a, b, c) in enumerate(ORDERS, start=1)),
    *(rf"(?<!\d){a}([-_. ]){b}\{n}{c}(?!\d)" for n, (a, b, c) in enumerate(SHORT_ORDERS, start=len(ORDERS) + 1)),
)))  # fmt: skip
SIX = re.compile(r"(?<!\d)\d{6}(?!\d)")
SIX_DATE = re.compile("|".join(rf"(?<!\d){a}{b}{c}(?!\d)" for a, b, c in SHORT_ORDERS))


def codes_for(names: Sequence[str], *, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Give a code for each of these names, no two alike.

    Names that were made to be codes, "hippocampus_001" or "sub-01 ses-02", stay, with "_" for spaces: all are the same
    but for their digits, none holds a date, and the letters are plain. Else they may be names of patients, and the
    codes are case-0001, case-0002 ... A single name says nothing about how it was made, and is no code. That the one
    word of "mueller1" and "mueller2" is a name nobody can know: see `told_outside`.

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
    there = {alike(code) for code in taken}
    if are_codes(plain) and there.isdisjoint(map(alike, plain)):
        return plain
    first = 1 + max((int(code[5:]) for code in there if re.fullmatch(r"case-\d{4,9}", code)), default=0)
    return tuple(f"case-{number:04d}" for number in range(first, first + len(names)))


def are_codes(names: Sequence[str]) -> bool:
    """Whether names were counted, not given: two or more that differ in nothing but digits."""
    skeletons = {DIGITS.sub("", name) for name in names}
    counted = len(set(map(alike, names))) == len(names) > 1 == len(skeletons)
    return counted and all(map(is_plain, names)) and not any(with_dates(names))


def with_dates(names: Sequence[str]) -> list[bool]:
    """Say of each name whether a date is in it.

    Six digits, as in 120462, are taken for one where half or more of all the names that have six are dates: of
    numbers that were counted less than a third are.
    """
    six = [name for name in names if SIX.search(name)]
    days = 2 * sum(SIX_DATE.search(name) is not None for name in six) >= max(len(six), 1)
    return [DATE.search(name) is not None or (days and SIX_DATE.search(name) is not None) for name in names]


def with_names(codes: Sequence[str]) -> list[bool]:
    """Say of each code whether it reads like the name of a person: two words or more that are of few codes.

    Words that say what was scanned are not counted (see `words`), nor those of more than half of several codes, which
    name a study.
    """
    found = [set(unknown_words(code)) for code in codes]
    counts = Counter(word for words in found for word in words)
    common = {word for word, count in counts.items() if count > 1 and 2 * count > len(codes)}
    return [len(words - common) > 1 for words in found]


def told_outside(codes: Sequence[str]) -> list[str]:
    """Give the codes with a word that may be a name: they are kept, and a person should know that they are told."""
    return [code for code in codes if unknown_words(code)]


def alike(code: str) -> str:
    """Give what is the same of codes whose files some system takes for one: "Sub1" and "sub1", "a" and "a."."""
    return code.strip(".-").casefold()


def is_plain(name: str) -> bool:
    """Whether a name can be a code: files are named by it."""
    return PLAIN.fullmatch(name) is not None and len(name) <= LONGEST
