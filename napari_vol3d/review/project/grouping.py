"""Files that belong together: contrasts and channels of one scan, and the label map that lies beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_vol3d.io.registry import stem
from napari_vol3d.review.project.drafts import Draft
from napari_vol3d.review.project.roles import order_of, split_channel, split_labels, split_role, without_image
from napari_vol3d.review.project.scans import natural

MOST_CHANNELS = 16


def group_scans(
    paths: Sequence[Path], *, channels: Mapping[int, str] | None = None
) -> tuple[list[Draft], list[str]]:
    """Make cases of the scans of one folder.

    Files whose names differ in a contrast alone, at an end, make one case: "a_T1" and "a_FLAIR". So do nnU-Net's
    channels, "a_0000" and "a_0001", where that is certain: a data set describes them, or at least two scans have the
    same ones. Where it is not certain, each file is a case. What is called "a_seg" or "a_mask" are labels of "a".

    Parameters
    ----------
    channels : mapping of int to str, optional
        Roles of nnU-Net's channels, as its data set describes them.

    Returns
    -------
    list of Draft, list of str
        In the order in which people count, and a sentence for each name that is not clear.
    """
    labels = [path for path in paths if split_labels(path) is not None]
    images = sorted(set(paths) - set(labels), key=natural)
    numbered, notes = _numbered(images, channels)
    drafts = numbered if numbered is not None else []
    if numbered is None:
        drafts, more = _by_contrast(images)
        notes += more
    if len(drafts) == 1:  # "mask.nii.gz" is a mask of the one scan beside it
        drafts = [replace(drafts[0], called=drafts[0].called | {""})]
    found, alone = with_priors(drafts, labels)
    return found, notes + alone


def with_priors(drafts: Sequence[Draft], labels: Iterable[Path]) -> tuple[list[Draft], list[str]]:
    """Give cases their labels, by name; labels of a case that has some already are those of the folder that was named.

    Returns
    -------
    list of Draft, list of str
        And a sentence for labels without a scan, and for a scan with two label maps.
    """
    owners: dict[str, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        codes = {draft.code} - {""}
        for name in {draft.name, *codes, *draft.called, *(stem(path) for path, _ in draft.images)}:
            owners[name].append(place)
    offered: dict[int, list[tuple[int, Path]]] = defaultdict(list)
    notes = []
    for path in sorted(labels, key=natural):
        owner, rank = _owner(path, owners)
        if owner is None:
            notes.append(f"{path.name}: labels of no scan that is here.")
        else:
            offered[owner].append((rank, path))
    found = list(drafts)
    for place, several in offered.items():
        (_, best), *others = sorted(several, key=lambda each: (each[0], natural(each[1])))
        found[place] = replace(drafts[place], prior=best)
        if others:
            notes.append(f"{drafts[place].name} has {len(several)} label maps; {best.name} is taken.")
    return found, notes


def _owner(path: Path, owners: Mapping[str, Sequence[int]]) -> tuple[int | None, int]:
    """Find whose labels these are: of the case with just this name, or with the name before "_labels"."""
    split = split_labels(path) or (stem(path), 0)
    for name, rank in ((stem(path), -1), split):
        if len(owners.get(name, ())) == 1:
            return owners[name][0], rank
    return None, 0


def _numbered(images: Sequence[Path], channels: Mapping[int, str] | None) -> tuple[list[Draft] | None, list[str]]:
    """Group nnU-Net's channels; None where these are no channels, or may be numbers of scans."""
    groups: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in images:
        split = split_channel(stem(path))
        if split is None or split[1] in groups[split[0]]:
            return None, []
        groups[split[0]][split[1]] = path
    sets = {tuple(sorted(found)) for found in groups.values()}
    count = max((len(numbers) for numbers in sets), default=0)
    if sets != {tuple(range(count))} or count > MOST_CHANNELS:
        return None, []
    if channels is None and len(groups) == 1:
        several = f"{stem(images[0])} and {stem(images[1])} may be channels of one scan; each is a case."
        return None, [several] if count > 1 else []
    said = channels or {}
    return [
        Draft(name=base, images=tuple((path, said.get(n, _channel(n, count))) for n, path in sorted(found.items())))
        for base, found in groups.items()
    ], []


def _channel(number: int, count: int) -> str:
    return f"channel {number + 1}" if count > 1 else ""


def _by_contrast(images: Sequence[Path]) -> tuple[list[Draft], list[str]]:
    groups: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for path in images:
        base, role = split_role(stem(path))
        groups[base].append((path, role))
    drafts, notes = [], []
    merged = [base for base, found in groups.items() if len(found) > 1 and _is_one(found)]
    for base, found in groups.items():
        # Where most scans have several contrasts, one that has a single one is called as they are.
        if base in merged or (_is_one(found) and 2 * len(merged) >= len(groups)):
            drafts.append(_merged(base, found))
            continue
        drafts += [_alone(path, role) for path, role in found]
        if len(found) > 1 and len({stem(path) for path, _ in found}) > 1:
            notes.append(f"{base}: {', '.join(path.name for path, _ in found)} are not clear; each is a case.")
    return drafts, notes


def _is_one(found: Sequence[tuple[Path, str]]) -> bool:
    """Whether files of one base are one scan: each says what it is, and no two say the same."""
    roles = [role for _, role in found]
    return len(set(roles)) == len(roles) and (len(roles) == 1 or all(roles))


def _merged(base: str, found: Sequence[tuple[Path, str]]) -> Draft:
    images = tuple(sorted(found, key=lambda image: order_of(image[1])))
    name = base or images[0][0].parent.name
    return Draft(name=name, images=images, called=frozenset({without_image(name)}))


def _alone(path: Path, role: str) -> Draft:
    name = stem(path)
    return Draft(name=name, images=((path, role),), called=frozenset({without_image(name), split_role(name)[0]} - {""}))
