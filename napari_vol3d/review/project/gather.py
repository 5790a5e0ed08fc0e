"""Finding cases: in folders, data sets of BIDS, tables and dropped files. No voxel is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.series import series_of
from napari_vol3d.review.project.bids import DESCRIPTIONS, find_bids, is_bids
from napari_vol3d.review.project.drafts import Draft, cases_of
from napari_vol3d.review.project.grouping import group_scans, with_priors
from napari_vol3d.review.project.records import Case
from napari_vol3d.review.project.scans import is_scan, is_there, list_scans, natural
from napari_vol3d.review.project.sheet import is_table, read_sheet, shorten

LAYOUTS = (("images", "labels"), ("imagesTr", "labelsTr"), ("imagesTs", "labelsTs"))  # ours, and nnU-Net's
DESCRIPTION = "dataset.json"
DEEPEST = 5  # folders: patient, study, series, and what lies around them
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found.

    Attributes
    ----------
    cases : tuple of Case
        For `Project.create` or `Project.add_cases`.
    notes : tuple of str
        A sentence for each thing that was left out or is not clear. They name files: for the screen, not for reports.
    """

    cases: tuple[Case, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    drafts: list[Draft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, more: tuple[Sequence[Draft], Sequence[str]]) -> None:
        self.drafts.extend(more[0])
        self.notes.extend(more[1])


def gather(
    sources: Sequence[Path], *, base: Path, priors: Path | None = None, present: Sequence[Case] = ()
) -> Gathered:
    """Find the cases that files, folders, data sets and tables hold.

    A folder that holds BIDS is taken as that; one with `images/` and `labels/` as a training folder, also where its
    `images/` is named; one of DICOM files, or of slices, is a scan. Of other folders every scan is a case, also of
    those in it. Files that are named together are grouped as those of a folder.

    Parameters
    ----------
    base : Path
        The folder that the project's file lies in.
    priors : Path, optional
        A folder of labels that are to be corrected, also in folders of its own; told by the names of the scans.
    present : sequence of Case
        The project's cases, where scans are added to it.

    Raises
    ------
    FileProblem
        If there is no scan, or a table can't be read.
    """
    found = _Found()
    files: list[Path] = []
    for source in sources:
        labels = labels_beside(source)
        if not is_there(source):
            found.notes.append(f"There is no {shorten(source.name)}.")
        elif labels is not None:
            found.add(_of_layout(source, labels, _channels(labels.parent)))
        elif source.is_dir() and not is_scan(source):
            found.add(_of_folder(source, DEEPEST))
        elif source.name in DESCRIPTIONS and is_bids(source.parent):
            found.add(find_bids(source.parent))
        elif is_table(source):
            found.add(read_sheet(source))
        else:
            files.append(source)
    found.add(_of_files(files))
    drafts, more = (found.drafts, []) if priors is None else _with_folder(found.drafts, priors)
    cases, said = cases_of(drafts, base, present=present)
    notes = (*found.notes, *more, *said)
    if not cases:
        raise FileProblem("No scan was found.", hint=notes[0] if notes else "Choose a folder with scans.")
    return Gathered(cases=cases, notes=notes)


def labels_beside(folder: Path) -> Path | None:
    """Give the folder of labels beside one of images that is called as a training folder's is; None: it is none.

    Such a folder says nothing: a project of it is called after the one that both lie in.
    """
    place = folder.absolute()  # "." has no name
    labels = next((place.parent / labels for images, labels in LAYOUTS if place.name == images), None)
    return labels if labels is not None and labels.is_dir() and folder.is_dir() and not is_bids(folder) else None


def _of_folder(folder: Path, depth: int) -> tuple[list[Draft], list[str]]:
    if is_bids(folder):
        return find_bids(folder)
    found = _Found()
    layouts = [(folder / images, folder / labels) for images, labels in LAYOUTS if (folder / images).is_dir()]
    for images, labels in layouts:
        found.add(_of_layout(images, labels, _channels(folder)))
    if not layouts:
        found.add(_of_tree(folder, depth))
    return found.drafts, found.notes


def _of_tree(folder: Path, depth: int) -> tuple[list[Draft], list[str]]:
    """Find the scans of a folder, with the labels in its `labels/`, and those of the folders below."""
    listing, found = list_scans(folder), _Found()
    drafts, notes = group_scans(listing.scans)
    beside = next((below for below in listing.folders if below.name == LAYOUTS[0][1] and drafts), None)
    found.notes.extend([*_closed(listing.closed), *notes])
    found.add((drafts, []) if beside is None else with_priors(drafts, _labels(beside)))
    for below in listing.folders if depth else ():
        if below != beside:
            found.add(_of_folder(below, depth - 1))
    return found.drafts, found.notes


def _of_layout(images: Path, labels: Path, channels: Mapping[int, str] | None) -> tuple[list[Draft], list[str]]:
    listing = list_scans(images)
    folders = [folder for folder in listing.folders if is_scan(folder)]
    drafts, notes = group_scans([*listing.scans, *folders], channels=channels)
    drafts, more = with_priors(drafts, _labels(labels) if labels.is_dir() else ())
    return drafts, [*_closed(listing.closed), *notes, *more]


def _of_files(files: Sequence[Path]) -> tuple[list[Draft], list[str]]:
    """Group files by the folders that they lie in; of each DICOM series the first file stands for all."""
    found, folders = _Found(), defaultdict(list)
    unknown = [path for path in files if not is_scan(path)]
    for path in _one_of_each_series(sorted(set(files) - set(unknown), key=natural)):
        folders[path.parent].append(path)
    for scans in folders.values():
        found.add(group_scans(scans))
    if unknown:
        found.notes.append(f"{_some(unknown)}: no scan that can be read.")
    return found.drafts, found.notes


def _one_of_each_series(files: Iterable[Path]) -> Iterator[Path]:
    seen: set[tuple[Path, str]] = set()
    for path in files:
        series = series_of(path)
        if series is None or series not in seen:
            yield path
        if series is not None:
            seen.add(series)


def _with_folder(drafts: Sequence[Draft], priors: Path) -> tuple[list[Draft], list[str]]:
    if not priors.is_dir():
        raise FileProblem(f"No folder of labels: {priors.name}.", hint="Choose the folder that they lie in.")
    found, notes = with_priors(drafts, _labels(priors))
    return found, [*notes] if any(draft.prior for draft in found) else [f"No labels in {priors.name} fit a scan."]


def _labels(folder: Path, depth: int = DEEPEST) -> list[Path]:
    """List label files in a folder and those below."""
    listing = list_scans(folder)
    below = [path for inner in (listing.folders if depth else ()) for path in _labels(inner, depth - 1)]
    return [*listing.scans, *below]


def _channels(folder: Path) -> dict[int, str] | None:
    """Give the roles of nnU-Net's channels as its data set describes them; None where nothing does."""
    path = folder / DESCRIPTION
    try:
        said = json.loads(path.read_bytes()) if path.is_file() else {}
        named = said.get("channel_names") or said.get("modality")
        return None if not named else {int(number): str(name) for number, name in dict(named).items()}
    except (ValueError, TypeError, AttributeError, OSError, RecursionError):
        return None  # somebody else's file of that name


def _closed(paths: Sequence[Path]) -> list[str]:
    return [f"Can't be opened: {_some(paths)}."] if paths else []


def _some(paths: Sequence[Path]) -> str:
    """Name the first few."""
    names = ", ".join(path.name for path in paths[:MOST_NAMED])
    return names + (f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else "")
