"""Accepted labels as a derivative data set of BIDS, named as the scans of the data set that they came from.

As BIDS 1.10 has it: https://bids-specification.readthedocs.io/en/v1.10.0/derivatives/imaging.html#segmentations. Names
are those of the source, because a derivative is worth nothing without them; scans from elsewhere are called by the
codes of their cases.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from napari_vol3d import __version__
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.progress import Progress
from napari_vol3d.io.registry import stem, write_labels
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.review.project.nameless import Nameless
from napari_vol3d.review.project.outgoing import (
    Accepted,
    accepted_cases,
    labels_on,
    made_folder,
    refuse_foreign,
    refuse_own_file,
    refuse_twins,
    scan_of,
)
from napari_vol3d.review.project.records import Case
from napari_vol3d.review.project.store import Project

PHASE = "Exporting"
PIPELINE, DESC, VERSION = "napari-vol3d", "reviewed", "1.10.0"
NAME = re.compile(r"(sub-[A-Za-z0-9+]+)((?:_[A-Za-z]+-[A-Za-z0-9+]+)*)_[A-Za-z0-9]+")
SESSION = re.compile(r"_(ses-[A-Za-z0-9+]+)")
NOT_IN_LABELS = re.compile(r"_(?:desc|echo|part)-[A-Za-z0-9+]+")  # what tells images of one session apart
HEAD = "index\tname\tcolor\n"
README = """\
# Reviewed labels

Label maps that people corrected and accepted in napari-vol3d. dseg.tsv names their classes. For research use only.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidsName:
    """Where labels of a case lie in a data set.

    Attributes
    ----------
    stem : str
        "sub-01_ses-02_desc-reviewed_dseg"
    source : str
        The scan, in its data set: "sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz"; "" where it is in none.
    root : str
        The data set of the scan, relative to the project's folder.
    """

    folder: str
    stem: str
    source: str = ""
    root: str = ""


@dataclass(slots=True)
class _Written:
    """What the files that describe the data set have to say, gathered while labels are written."""

    classes: dict[int, LabelClass] = field(default_factory=dict)
    models: dict[tuple[str, str], None] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)


def export_bids(project: Project, folder: Path) -> Generator[Progress, None, tuple[Path, ...]]:
    """Write the accepted labels of everybody's worklist to `derivatives/napari-vol3d` in a folder.

    Parameters
    ----------
    folder : Path
        Of the BIDS data set, or any other; files of an older export are replaced, a README.md stays.

    Returns
    -------
    tuple of Path
        The label maps.

    Raises
    ------
    FileProblem
        If nothing is accepted, or a scan can't be read.
    ScanMismatch
        If a scan is not the one that was reviewed.
    SaveProblem
        If a file can't be written, or would replace labels that the project is to correct.
    """
    cases, start, written = accepted_cases(project), time.monotonic(), _Written()
    names = [bids_name(one.case, one.name) for one in cases]
    refuse_twins(name.stem for name in names)
    place = folder / "derivatives" / PIPELINE
    _refuse_taken(project, place, names)
    made_folder(place)
    above = _above(project, place, names)
    for done, (one, name) in enumerate(zip(cases, names, strict=True)):
        yield Progress(phase=PHASE, done=done, total=len(cases), seconds=time.monotonic() - start)
        _write_case(project, one, name, place, written, linked=bool(above))
    yield Progress(phase=PHASE, done=len(cases), total=len(cases), seconds=time.monotonic() - start)
    write_text(place / "dseg.tsv", table(written.classes.values()))
    _write_json(place / "dataset_description.json", _description(project, written.models, above))
    if not (place / "README.md").exists():  # somebody may have written more
        write_text(place / "README.md", README)
    return tuple(written.files)


def bids_name(case: Case, code: str) -> BidsName:
    """Give the name of a case's labels: by the entities of its first image, else by its code."""
    path = PurePosixPath(case.images[0].path)
    found = NAME.fullmatch(stem(path.name))
    if found is None or found[1] not in path.parts:
        subject = f"sub-{re.sub('[^A-Za-z0-9]+', '', code)}"
        return BidsName(folder=f"{subject}/anat", stem=f"{subject}_desc-{DESC}_dseg")
    session = SESSION.search(found[2])
    folder = "/".join([found[1], *([session[1]] if session else []), "anat"])
    entities = found[1] + NOT_IN_LABELS.sub("", found[2])
    at = path.parts.index(found[1])
    root = str(PurePosixPath(*path.parts[:at]))
    return BidsName(
        folder=folder, stem=f"{entities}_desc-{DESC}_dseg", source=str(PurePosixPath(*path.parts[at:])), root=root
    )  # fmt: skip


def table(classes: Iterable[LabelClass]) -> str:
    """Give dseg.tsv: index, name and colour of each class."""
    rows = sorted(classes, key=lambda item: item.id)
    lines = (f"{item.id}\t{' '.join(item.name.split()) or 'n/a'}\t{item.color.upper()}\n" for item in rows)
    return HEAD + "".join(lines)


def _refuse_taken(project: Project, place: Path, names: Iterable[BidsName]) -> None:
    """Refuse where the project's own files lie, or where a data set of somebody else's is described."""
    labels = (place / name.folder / f"{name.stem}{end}" for name in names for end in (".nii.gz", ".json"))
    others = [place / name for name in ("dseg.tsv", "dataset_description.json")]
    refuse_own_file(project, *labels, *others)
    refuse_foreign(others[0], HEAD)
    refuse_foreign(others[1], '{\n  "Name": "Reviewed labels"')


def _write_case(
    project: Project, one: Accepted, name: BidsName, place: Path, written: _Written, *, linked: bool
) -> None:  # fmt: skip
    labels = labels_on(scan_of(project, one.case), project, one)
    folder = made_folder(place / name.folder)
    written.files.append(write_labels(folder / f"{name.stem}.nii.gz", labels))
    manual = bool(one.version.changed) or one.version.prediction is None
    did = "made or corrected" if manual else "accepted as predicted"
    about: dict[str, Any] = {"Description": f"Labels that people {did}", "Manual": manual}
    if linked and name.source:
        about |= {"Sources": [f"bids:raw:{name.source}"], "SpatialReference": f"bids:raw:{name.source}"}
    _write_json(folder / f"{name.stem}.json", about)
    written.classes |= {item.id: item for item in labels.classes}
    if one.version.model:
        written.models[(one.version.model, one.version.model_sha256)] = None


def _above(project: Project, place: Path, names: list[BidsName]) -> str:
    """Give the way from the derivative to its source, "../../"; "" where that is not above it: a path tells names."""
    roots = {project.place_of(name.root).resolve() for name in names if name.source}
    root = roots.pop() if len(roots) == 1 else None
    if root is None or not place.resolve().is_relative_to(root):
        return ""
    return os.path.relpath(root, place.resolve()).replace(os.sep, "/") + "/"


def _description(project: Project, models: Iterable[tuple[str, str]], above: str) -> dict[str, Any]:
    shown, own = Nameless.of(project), project.model
    by: list[dict[str, str]] = [{"Name": PIPELINE, "Version": __version__, "Description": "Labels accepted by people"}]
    for name, sha256 in models:
        told = {"Name": shown.text(name) or "model", "Description": f"Predicted the labels; weights sha256 {sha256}"}
        version = shown.text(own.get("version", "")) if own.get("sha256") == sha256 else ""
        by.append(told | ({"Version": version} if version else {}))
    said = {"Name": "Reviewed labels", "BIDSVersion": VERSION, "DatasetType": "derivative", "GeneratedBy": by}
    source = {"URL": above} if above else {}
    return said | ({"SourceDatasets": [source], "DatasetLinks": {"raw": above}} if source else {})


def _write_json(target: Path, content: Mapping[str, Any]) -> None:
    write_text(target, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
