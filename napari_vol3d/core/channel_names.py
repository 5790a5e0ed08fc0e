"""What names of images say: which channel of a model one is, and which images are of one case.

A name is what people and scanners write: "patient19_T1-post.nii", "Ax T2 FLAIR", "T1w ce-gadolinium".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Words that say the same of an image, each written as its shortest; what a person or a scanner calls them.
SAME = {
    "t1c": ("t1ce", "t1gd", "t1post", "t1contrast", "t1km", "gdt1", "cet1", "postt1", "t1wpost", "t1wce", "t1wgd",
            "t1wc"),
    "t1": ("t1w", "t1n", "t1weighted", "t1pre", "mprage", "bravo"), "t2": ("t2w", "t2weighted"),
    "flair": ("t2flair", "flairt2", "t2f", "fl", "flr"), "pd": ("pdw", "protondensity"),
    "dwi": ("diffusion", "trace"),
}  # fmt: skip
CONTRAST = frozenset({"ce", "contrast", "gad", "gadolinium", "gd", "km", "postcontrast"})
NO_CONTRAST = frozenset({"native", "no", "non", "pre", "precontrast", "without"})
FILLING = frozenset({"image", "mr", "mri", "scan", "weighted"})  # of what a card calls a channel
ENDING = re.compile(r"\.(nii|gz|nrrd|mha|mhd|mgz|tiff?|dcm|h5|zarr|ome)\b")
WORD = re.compile(r"[a-z]+\d*[a-z]*|\d+")
Families = Mapping[str, Mapping[int, Sequence[int]]]  # by what names have besides the channel: of each channel, names


@dataclass(frozen=True, slots=True)
class _Said:
    """A word of a name, or two that are one, with the kind of image that it says; "" for none."""

    start: int
    stop: int
    word: str
    kind: str


def match_channels(wanted: Sequence[str], found: Sequence[str], *, like: str = "") -> tuple[int | None, ...]:
    """Tell for each wanted channel which of the names found is it; None where none says so.

    Names are compared by their words, in whatever case: "patient19_T1-post.nii" is "T1 post", and never "T1". Those
    that differ in the channel alone belong together and are taken together; what belongs to others is left to them.

    Parameters
    ----------
    like : str
        The name of an image of the case that is meant, where names of several cases were found: none of another is
        then taken.
    """
    return tuple(each[0] if each else None for each in likely_channels(wanted, found, like=like))


def likely_channels(wanted: Sequence[str], found: Sequence[str], *, like: str = "") -> tuple[tuple[int, ...], ...]:
    """Tell for each wanted channel which of the names found may be it, the likeliest first.

    It is one where that is clear, and several where only a guess could choose. See `match_channels`.
    """
    families = _families(wanted, found)
    own = _own_family(wanted, families, like)
    chosen = {k: tuple(names) for k, names in families.get(own, {}).items()} if own is not None else {}
    taken = {n for names in chosen.values() for n in names}
    others = {n for rest, family in families.items() if rest != own and len(family) > 1 for n in _all(family)}
    for k in sorted(range(len(wanted)), key=lambda k: -len(wanted[k])):
        if k not in chosen:
            free = [n for n in range(len(found)) if n not in taken | others and says_channel(found[n], wanted[k])]
            own_only = [n for n in free if not like or own is None or _may_be_of(own, found[n], wanted[k])]
            chosen[k] = tuple(sorted(own_only, key=lambda n: len(_plain(found[n]))))
            taken.update(chosen[k][:1])
    return tuple(chosen[k] for k in range(len(wanted)))


def says_channel(name: str, channel: str) -> bool:
    """Whether a name has the words of a channel, and none that make it another kind of image."""
    kind, said = kind_of(channel), list(_said(name))
    if kind:
        return kind in _kinds(said)
    words, aims = [each for one in said for each in one.word.split()], _words(channel)
    return all(aim in words for aim in aims) if aims else channel.casefold() in name.casefold()


def kind_of(channel: str) -> str:
    """Give the kind of image that a channel is, as its shortest word; "" where its words say none, or more.

    Examples
    --------
    >>> kind_of("T1-weighted"), kind_of("T2 FLAIR MRI"), kind_of("nuclei")
    ('t1', 'flair', '')
    """
    said = list(_said(channel))
    kinds = _kinds(said)
    plain = all(one.kind or one.word in FILLING or one.word in CONTRAST | NO_CONTRAST for one in said)
    return kinds.pop() if len(kinds) == 1 and plain else ""


def without_channel(name: str, channel: str) -> frozenset[str]:
    """Give what a name says besides a channel, in lower case: {"p19 "} of "p19_T1w.nii.gz" for "T1".

    It is several where the name may say it at several places, and empty where it does not.
    """
    text, said, kind = _plain(name), list(_said(name)), kind_of(channel)
    spans = _spans(said, _words(channel)) if not kind else [(one.start, one.stop) for one in said if one.kind == kind]
    enhanced = kind == "t1" and "t1c" in _kinds(said)
    return frozenset() if enhanced else frozenset(text[:start] + text[stop:] for start, stop in spans)


def renamed(name: str, channel: str, other: str) -> str:
    """Write a name for another channel, as a person would call that image: "p19_FLAIR" for "T1 post", "p19_T1_post"."""
    kind, said = kind_of(channel), list(_said(name))
    spans = _spans(said, _words(channel)) if not kind else [(one.start, one.stop) for one in said if one.kind == kind]
    start, stop = spans[0] if spans else (len(name), len(name))
    return name[:start] + re.sub(r"\W+", "_", other).strip("_") + name[stop:]


def _families(wanted: Sequence[str], found: Sequence[str]) -> Families:
    families: defaultdict[str, dict[int, list[int]]] = defaultdict(dict)
    for k, channel in enumerate(wanted):
        for n, name in enumerate(found):
            for rest in without_channel(name, channel):
                if n not in _all(families[rest]):
                    families[rest].setdefault(k, []).append(n)
    return families


def _own_family(wanted: Sequence[str], families: Families, like: str) -> str | None:
    """Give what the names of the case that is meant have in common; None where nothing says so."""
    rests = {rest for channel in wanted for rest in without_channel(like, channel)} & families.keys()
    largest = max(sorted(rests) or families, key=lambda rest: len(families[rest]), default=None)
    return largest if largest is not None and (rests or len(families[largest]) > 1) else None


def _may_be_of(case: str, name: str, channel: str) -> bool:
    """Whether a name says what all names of a case have in common, or nothing but the channel."""
    bare = any(not _words(rest) for rest in without_channel(name, channel))
    return bare or set(_words(case)) <= set(_words(name))


def _all(family: Mapping[int, Sequence[int]]) -> set[int]:
    return {n for names in family.values() for n in names}


def _said(name: str) -> Iterator[_Said]:
    """Go through the words of a name; two in a row that say a kind together are one."""
    words, at = list(WORD.finditer(_plain(name))), 0
    while at < len(words):
        pair = "".join(word[0] for word in words[at : at + 2])
        count = 2 if at + 1 < len(words) and _kind(pair) else 1
        several = words[at : at + count]
        kind = _kind("".join(word[0] for word in several))
        yield _Said(several[0].start(), several[-1].end(), " ".join(word[0] for word in several), kind)
        at += count


def _spans(said: Sequence[_Said], aims: Sequence[str]) -> list[tuple[int, int]]:
    """Find words in a row."""
    count, words = len(aims), [one.word for one in said]
    places = [at for at in range(len(said) - count + 1) if words[at : at + count] == list(aims)] if count else []
    return [(said[at].start, said[at + count - 1].stop) for at in places]


def _kinds(said: Sequence[_Said]) -> set[str]:
    """Give the kinds that a name's words stand for, all of them taken together."""
    found, words = {one.kind for one in said} - {""}, {each for one in said for each in one.word.split()}
    if "t1" in found and words & CONTRAST and not words & NO_CONTRAST:
        found = found - {"t1"} | {"t1c"}
    found -= {"t1"} if "t1c" in found else set()
    return found - {"t2"} if "flair" in found else found


def _kind(word: str) -> str:
    return next((short for short, same in SAME.items() if word == short or word in same), "")


def _words(name: str) -> list[str]:
    return WORD.findall(_plain(name))


def _plain(name: str) -> str:
    """Write a name in lower case, without the file's ending."""
    return ENDING.sub("", name.lower().replace("_", " ")).replace("*", "star")
