"""What may leave a project: people are "annotator 1", cases their codes; no path, no name, no free text of a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from napari_vol3d.io.registry import stem
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.records import STATUSES, Act, Reading
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.project.words import SHORTEST, long_numbers, one_form, unknown_words

TOLD = frozenset({"from", "to", "readings"})  # of an act's details, what is a status or a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameless:
    """How a project is told without names.

    Attributes
    ----------
    people : mapping of str to str
        "annotator 1", "annotator 2" ... by name, in the order in which they first did something.
    private : re.Pattern or None
        Finds the words that tell who somebody is: annotators, subjects, names of scans that are not codes, each as it
        is and word by word; words that say what was scanned are none, nor those of the codes.
    """

    people: Mapping[str, str]
    private: re.Pattern[str] | None

    @classmethod
    def of(cls, project: Project) -> Self:
        """Go through a project's people and cases."""
        names = dict.fromkeys(name for name in _people(project) if name)
        called = {one_form(word) for word in (*names, *_words(project))}
        codes = [case.code for case in project.cases()]
        told = {word for code in codes for word in (*unknown_words(code), *long_numbers(code))}
        whole = {word for word in called if len(word) >= SHORTEST}  # "1" is in every version number
        words = {word for one in called for word in unknown_words(one)} - told
        numbers = {number for one in called for number in long_numbers(one)} - told
        pattern = _any_of((whole, r"[^\W_]"), (words, r"[^\W\d_]"), (numbers, r"\d"))
        return cls(people={name: f"annotator {n}" for n, name in enumerate(names, start=1)}, private=pattern)

    def person(self, name: str) -> str:
        """Give what a person is called outside; "" where nobody is meant."""
        return self.people.get(name, "annotator") if name else ""

    def text(self, text: str) -> str:
        """Give a text as it is, or "" where it holds a path or a word that tells who somebody is."""
        found = self.private is not None and self.private.search(one_form(text)) is not None
        return "" if found or "/" in text or "\\" in text else text

    def plain(self, value: Any) -> Any:
        """Give what JSON knows without the texts that may not leave; a name that may not takes its value with it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(name): self.plain(one) for name, one in value.items() if self.text(str(name))}
        return [self.plain(one) for one in value] if isinstance(value, list | tuple) else value

    def details(self, act: Act) -> dict[str, Any]:
        """Give of an act's details what is no free text: a note may hold a name."""
        told = {name: act.details[name] for name in TOLD & act.details.keys()}
        told = {name: one for name, one in told.items() if isinstance(one, int | float) or one in STATUSES}
        readers = act.details.get("readers")
        return told | ({"readers": [self.person(str(name)) for name in readers]} if readers else {})


def readings(project: Project) -> Iterator[Reading]:
    """Give all readings of a project: everybody's worklist first, then those of each reader."""
    for reader in ("", *project.readers()):
        for row in project.rows(reader):
            yield row.reading


def _any_of(*kinds: tuple[set[str], str]) -> re.Pattern[str] | None:
    """Find any word of a set, where no character of the kind that is named with it stands before or behind."""
    found = [
        rf"(?<!{beside})(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})(?!{beside})"
        for words, beside in kinds if words
    ]  # fmt: skip
    return re.compile("|".join(found), re.IGNORECASE) if found else None


def _people(project: Project) -> Iterator[str]:
    for _, act in project.acts():
        yield act.who
        yield from map(str, act.details.get("readers", ()))
    for reading in readings(project):
        yield from (version.who for version in versions_of(project, reading.key))
        yield from (reading.reader, reading.annotator)


def _words(project: Project) -> Iterator[str]:
    """Give what cases are called, but for their codes, which are made to be told."""
    cases = project.cases()
    codes = {case.code.casefold() for case in cases}
    for case in cases:
        files = [stem(image.path) for image in case.images] + ([stem(case.prior)] if case.prior else [])
        for word in (case.name, case.subject, *files):
            if word.casefold() not in codes:
                yield word
