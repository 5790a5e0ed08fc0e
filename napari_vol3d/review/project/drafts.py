"""Cases before they have a code: scans that were found, which files belong together, and what makes them rows."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.project.codes import alike, codes_for, is_plain, told_outside, with_dates, with_names
from napari_vol3d.review.project.records import Case, ImageRef

MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A case that was found.

    Attributes
    ----------
    images : tuple of (Path, str)
        Each with its role.
    code : str
        "" where the name says nothing that can be relied on.
    called : frozenset of str
        What label files of it may be called, besides its name.
    """

    name: str
    images: tuple[tuple[Path, str], ...]
    subject: str = ""
    session: str = ""
    prior: Path | None = None
    code: str = ""
    called: frozenset[str] = frozenset()


def cases_of(
    drafts: Sequence[Draft], base: Path, *, present: Sequence[Case] = ()
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Make cases: no file in two of them, no two of one name or code, paths relative to `base`.

    Parameters
    ----------
    present : sequence of Case
        Those of the project already.

    Returns
    -------
    tuple of Case, tuple of str
        And a sentence for each that was left out or renamed.
    """
    fresh, notes = _once(drafts, base, {image.path for case in present for image in case.images})
    named, more = _named_apart(fresh, {case.name for case in present})
    codes, said = _codes(named, {case.code for case in present})
    rows = enumerate(zip(named, codes, strict=True), start=len(present))
    return tuple(_case(draft, code, base, place) for place, (draft, code) in rows), (*notes, *more, *said)


def relative(path: Path, base: Path) -> str:
    """Give where a file lies, seen from the project's folder, with "/".

    Raises
    ------
    FileProblem
        If it lies on another drive.
    """
    path, base = Path(os.path.normpath(path.absolute())), Path(os.path.normpath(base.absolute()))
    if not path.is_relative_to(base):
        # ".." goes up from where a link leads to. The name stays: that of a link is the scan's, its target's is not.
        path, base = path.parent.resolve() / path.name, base.resolve()
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError as error:
        raise FileProblem(
            f"On another drive: {path.name} has no path from the project's folder.",
            hint="Keep the project on the drive of its scans.",
        ) from error


def _case(draft: Draft, code: str, base: Path, position: int) -> Case:
    images = tuple(ImageRef(path=relative(path, base), role=role) for path, role in draft.images)
    return Case(
        name=draft.name, code=code, images=images, subject=draft.subject, session=draft.session, position=position,
        prior=None if draft.prior is None else relative(draft.prior, base),
    )  # fmt: skip


def _once(drafts: Iterable[Draft], base: Path, there: set[str]) -> tuple[list[Draft], list[str]]:
    kept, notes, seen = [], [], set(there)
    for draft in drafts:
        paths = {relative(path, base) for path, _ in draft.images}
        if paths & seen:
            again = "is in the project already" if paths & there else "was found twice, and is one case"
            notes.append(f"{draft.name} {again}.")
            continue
        seen |= paths
        kept.append(draft)
    return kept, notes


def _codes(drafts: Sequence[Draft], taken: set[str]) -> tuple[list[str], list[str]]:
    """Give the codes that are known, and make others for the rest; a sentence for what a person should know of them."""
    given, notes = _known_codes([draft.code for draft in drafts], {alike(code) for code in taken})
    others = iter(codes_for([d.name for d, code in zip(drafts, given, strict=True) if not code],
                            taken=taken | set(given)))  # fmt: skip
    codes = [code or next(others) for code in given]
    told = told_outside(codes)
    return codes, [*notes, *([f"Codes are told outside: {_some(told)}"] if told else [])]


def _known_codes(said: Sequence[str], taken: set[str]) -> tuple[list[str], list[str]]:
    """Give the codes that can stay, "" for the others, and a sentence for each reason; one that comes twice is none."""
    counts, given, notes = Counter(map(alike, said)), list(said), []
    dates, names = (_of_those(said, find) for find in (with_dates, with_names))
    for wrong, reason in (
        ([code and not is_plain(code) for code in said], "can't name a file"),
        ([code and (counts[alike(code)] > 1 or alike(code) in taken) for code in said], "comes twice"),
        (dates, "holds a date"), (names, "reads like a person's name"),
    ):  # fmt: skip
        out = [place for place, is_wrong in enumerate(wrong) if is_wrong and given[place]]
        notes += [f"{len(out)} case{'s' * (len(out) > 1)} got a number for a code that {reason}."] if out else []
        given = ["" if place in out else code for place, code in enumerate(given)]
    return given, notes


def _of_those(said: Sequence[str], find: Callable[[Sequence[str]], list[bool]]) -> list[bool]:
    """Ask of the codes that are there; what is not says nothing about the others."""
    answers = iter(find([code for code in said if code]))
    return [bool(code) and next(answers) for code in said]


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:MOST_NAMED]) + (" ..." if len(codes) > MOST_NAMED else ".")


def _named_apart(drafts: Sequence[Draft], taken: set[str]) -> tuple[list[Draft], list[str]]:
    """Rename cases of one name: by the folders that they lie in, else by the whole name of the file, else by number."""
    alike: dict[str, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        alike[draft.name].append(place)
    named, notes, used = list(drafts), [], taken | alike.keys()
    for name, places in alike.items():
        if len(places) > 1 or name in taken:
            names, note = _other_names([drafts[place] for place in places], used)
            notes += [note] if note else []
            used |= set(names)
            for place, other in zip(places, names, strict=True):
                named[place] = replace(drafts[place], name=other)
    return named, notes


def _other_names(drafts: Sequence[Draft], used: set[str]) -> tuple[list[str], str]:
    for way in WAYS:
        names = [way(draft) for draft in drafts]
        if len(set(names)) == len(names) and not used & set(names):
            files = way is _by_file
            return names, f"{len(names)} scans are called {drafts[0].name}: {', '.join(names)}." if files else ""
    numbered, number = [], 1
    for draft in drafts:
        while f"{draft.name} ({number})" in used:
            number += 1
        numbered.append(f"{draft.name} ({number})")
        number += 1
    return numbered, f"{len(drafts)} scans are called {drafts[0].name}; they got numbers."


def _by_file(draft: Draft) -> str:
    return draft.images[0][0].name


def _by_folder(draft: Draft) -> str:
    return f"{draft.images[0][0].parent.name}/{draft.name}"


def _by_two_folders(draft: Draft) -> str:
    return f"{draft.images[0][0].parent.parent.name}/{_by_folder(draft)}"


WAYS: tuple[Callable[[Draft], str], ...] = (_by_folder, _by_two_folders, _by_file)
