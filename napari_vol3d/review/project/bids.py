"""Cases of a BIDS data set: one for each subject and session, roles from the suffixes, labels from its derivatives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from napari_vol3d.io.registry import stem
from napari_vol3d.review.project.drafts import Draft
from napari_vol3d.review.project.roles import order_of
from napari_vol3d.review.project.scans import entries_of, is_scan

DESCRIPTIONS = ("dataset_description.json", "participants.tsv")
ANAT = "anat"
NO_SCANS = frozenset({"dseg", "probseg", "mask", "defacemask"})
ENTITY = re.compile(r"([A-Za-z]+)-([A-Za-z0-9+]+)")
DERIVATIVES = "derivatives"
AGENT = "ce"  # a T1 with gadolinium is another image, also where there is no other


def is_bids(folder: Path) -> bool:
    """Whether a folder is a data set of BIDS: with subjects, and a description or scans where BIDS has them."""
    subjects = list(_folders(folder, "sub-"))
    described = any((folder / name).is_file() for name in DESCRIPTIONS)
    return bool(subjects) and (described or any(True for one in subjects for _ in _anatomies(one)))


def find_bids(root: Path) -> tuple[list[Draft], list[str]]:
    """Find the cases of a data set.

    An image's role is its suffix, "T1w", with its contrast agent; where a session has several of a suffix, with the
    entities that tell them apart: "T1w run-2". Labels are the `*_dseg` of the data set's derivatives that lie on the
    scan's own grid.

    Returns
    -------
    list of Draft, list of str
        In order of subjects and sessions, and a sentence for each that has no scan, or labels that are not clear.
    """
    drafts, notes = [], []
    for subject in _folders(root, "sub-"):
        anatomies = list(_anatomies(subject))
        found = [draft for session, anat in anatomies for draft in _case(subject.name, session, anat)]
        drafts += found
        if not found:
            notes.append(f"{subject.name} has no scan in {ANAT}/.")
    codes = {draft.code for draft in drafts}
    labels = [path for place in (root, *_pipelines(root)) for path in _label_maps(place)]
    chosen, more = _chosen(labels)
    missing = [f"{path.name}: labels of no scan that is here." for code, path in chosen.items() if code not in codes]
    return [replace(draft, prior=chosen.get(draft.code)) for draft in drafts], [*notes, *more, *missing]


def _case(subject: str, session: str, anat: Path) -> Iterator[Draft]:
    """Give the case of a session, if it has a scan."""
    scans = [path for path in entries_of(anat) if _suffix(path) not in NO_SCANS and is_scan(path) and path.exists()]
    if scans:
        roles = _roles(scans)
        images = sorted(((path, roles[path]) for path in scans), key=lambda image: order_of(image[1]))
        parts = [part for part in (subject, session) if part]
        yield Draft(
            name=" ".join(parts), code="_".join(parts), images=tuple(images), subject=subject, session=session,
        )  # fmt: skip


def _roles(scans: list[Path]) -> dict[Path, str]:
    """Give suffixes, with a contrast agent, and behind those that occur twice what is not the same in all files."""
    suffixes = Counter(map(_suffix, scans))
    entities = {path: _entities(path) for path in scans}
    common = set.intersection(*(set(found.items()) for found in entities.values()))
    return {
        path: " ".join([
            _suffix(path),
            *(f"{a}-{b}" for a, b in entities[path].items()
              if a == AGENT or (suffixes[_suffix(path)] > 1 and (a, b) not in common)),
        ])
        for path in scans
    }  # fmt: skip


def _chosen(labels: list[Path]) -> tuple[dict[str, Path], list[str]]:
    """Choose one label map for each session: on the scan's own grid, and one that a person made where there is one."""
    sessions: dict[str, list[Path]] = {}
    for path in labels:
        sessions.setdefault(_session_of(path), []).append(path)
    chosen, notes = {}, []
    for code, paths in sessions.items():
        own = [path for path in paths if "space" not in _entities(path)]
        if not own:
            notes.append(f"{paths[0].name}: these labels lie in another space, and are left out.")
            continue
        chosen[code] = best = min(own, key=_preference)
        if len(own) > 1:
            notes.append(f"{code.replace('_', ' ')} has {len(own)} label maps; {best.name} is taken.")
    return chosen, notes


def _preference(path: Path) -> tuple[bool, int, str]:
    return _entities(path).get("desc") != "manual", len(path.name), str(path)


def _session_of(path: Path) -> str:
    entities = _entities(path)
    return "_".join(f"{name}-{entities[name]}" for name in ("sub", "ses") if name in entities)


def _label_maps(place: Path) -> Iterator[Path]:
    for subject in _folders(place, "sub-"):
        for _, anat in _anatomies(subject):
            found = (path for path in entries_of(anat) if _suffix(path) == "dseg")
            yield from (path for path in found if is_scan(path) and path.exists())


def _pipelines(root: Path) -> Iterator[Path]:
    """Give the derivatives' folders: of each program, or `derivatives` itself where subjects lie right in it."""
    if (root / DERIVATIVES).is_dir():
        yield root / DERIVATIVES
        yield from _folders(root / DERIVATIVES, "")


def _anatomies(subject: Path) -> Iterator[tuple[str, Path]]:
    """Give each session, "" where there are none, and its folder of anatomical scans."""
    if (subject / ANAT).is_dir():
        yield "", subject / ANAT
    for session in _folders(subject, "ses-"):
        if (session / ANAT).is_dir():
            yield session.name, session / ANAT


def _entities(path: Path) -> dict[str, str]:
    """Give what a name says: {"sub": "01", "ses": "02"}."""
    pairs = (ENTITY.fullmatch(piece) for piece in stem(path).split("_"))
    return {pair[1]: pair[2] for pair in pairs if pair}


def _suffix(path: Path) -> str:
    return stem(path).rpartition("_")[2]


def _folders(folder: Path, prefix: str) -> Iterator[Path]:
    return (path for path in entries_of(folder) if path.name.startswith(prefix) and path.is_dir())
