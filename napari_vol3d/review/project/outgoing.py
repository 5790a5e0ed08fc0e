"""What the exports have in common: the accepted cases, names for their files, labels on the grid of their scan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_vol3d.core.amounts import count_voxels
from napari_vol3d.core.errors import FileProblem, SaveProblem, ScanMismatch
from napari_vol3d.core.regions import classes_in
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.damage import rollback_of
from napari_vol3d.review.project.accepting import accepted_versions, labels_of_version
from napari_vol3d.review.project.records import Case, Reading, Version
from napari_vol3d.review.project.store import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A case of everybody's worklist whose labels are accepted.

    Attributes
    ----------
    name : str
        The case's code as a file can be called: letters, digits, "-", "_" and ".".
    """

    case: Case
    reading: Reading
    version: Version
    name: str


def accepted_cases(project: Project) -> tuple[Accepted, ...]:
    """Give the accepted cases in the order of the worklist.

    Raises
    ------
    FileProblem
        If there is none, or the codes of two would give one file name.
    """
    versions = accepted_versions(project)
    found = tuple(
        Accepted(
            case=row.case, reading=row.reading, version=versions[row.reading.key], name=file_name(row.case.code)
        )
        for row in project.rows() if row.reading.key in versions
    )  # fmt: skip
    if not found:
        raise FileProblem("No labels are accepted yet.", hint="Accept the labels of a scan first.")
    refuse_twins(one.name for one in found)
    return found


def file_name(code: str) -> str:
    """Give a code as any system lets a file be called."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", code).strip(".-") or "case"


def refuse_twins(names: Iterable[str]) -> None:
    """Refuse file names that some systems take for the same.

    Raises
    ------
    FileProblem
        If there are such.
    """
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise FileProblem(f"Two cases would become one file: {name}.", hint="Give one of them another code.")
        seen.add(name.casefold())


def scan_of(project: Project, case: Case) -> Volume:
    """Read the first image of a case, whose grid its labels have.

    Raises
    ------
    FileProblem
        If it can't be read.
    """
    return read_volume(project.place_of(case.images[0].path))


def labels_on(scan: Volume, project: Project, one: Accepted) -> Volume:
    """Give accepted labels as a volume on their scan's grid, with the classes of the project and those painted since.

    Raises
    ------
    ScanMismatch
        If the scan has another shape now.
    """
    labels = labels_of_version(project, one.version.key)
    timed = labels.ndim == 4
    data = np.moveaxis(labels, 0, -1) if timed else labels
    if data.shape[:3] != scan.shape:
        raise ScanMismatch(
            f"{one.case.code}: labels {data.shape[:3]} and scan {scan.shape} differ in shape.",
            hint="Put the scan back that was reviewed.",
        )
    classes = classes_in(sorted(count_voxels(labels).keys() - {0}), project.classes)
    # Without a source: nothing of the file's name may get into what is written.
    return Volume(
        data=data, geometry=scan.geometry, name=one.name, is_labels=True, classes=classes, timed=timed
    )  # fmt: skip


def refuse_own_folder(project: Project, folder: Path) -> None:
    """Refuse a folder that files of the project lie in: names are codes, and a scan would be replaced by its labels.

    Raises
    ------
    SaveProblem
        If it is one.
    """
    for case in project.cases():
        for path in (*(image.path for image in case.images), *([case.prior] if case.prior else [])):
            place = project.place_of(path).resolve()
            if folder.resolve() in (place, place.parent):  # a scan may be a folder
                raise SaveProblem(f"{folder.name} holds scans of this project.", hint="Choose another folder.")


def own_files(project: Project) -> frozenset[Path]:
    """Give the project's file, its scans and its labels to correct, links followed; a scan may be a folder."""
    said = {path for case in project.cases() for path in (*(image.path for image in case.images), case.prior) if path}
    places = (project.path, rollback_of(project.path), *map(project.place_of, said))
    return frozenset(place.resolve() for place in places)


def refuse_own_file(project: Project, *targets: Path) -> None:
    """Refuse to write in the place of the project's file, a scan, or labels to correct.

    Raises
    ------
    SaveProblem
        If one of the targets is one, by whatever name.
    """
    own = own_files(project)
    for target in targets:
        refuse_own(own, target)


def refuse_own(own: frozenset[Path], target: Path) -> None:
    """Refuse a target that is one of `own_files`, or lies in one, as in a folder of DICOM files."""
    place = target.resolve()
    same = target.exists() and any(one.name.casefold() == place.name.casefold() and one.exists() and one.samefile(place)
                                   for one in own)  # on a disk that takes "A" for "a"  # fmt: skip
    if same or not own.isdisjoint((place, *place.parents)):
        raise SaveProblem(f"{target.name} is a file of this project.", hint="Choose another name or folder.")


def refuse_foreign(target: Path, begins: str) -> None:
    """Refuse to replace a file that an export of this kind did not write.

    Parameters
    ----------
    begins : str
        How those begin that it writes.

    Raises
    ------
    SaveProblem
        If there is such a file.
    """
    try:
        with target.open("rb") as file:
            ours = file.read(len(begins.encode())) == begins.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        words = f"{target.name} can't be replaced: {error.strerror}."
        raise SaveProblem(words, hint="Choose another folder.") from error
    if not ours:
        raise SaveProblem(f"{target.name} is there already, and is no export.", hint="Choose another folder.")


def refuse_ending(target: Path, *endings: str) -> None:
    """Refuse a file whose name does not say what will be in it.

    Raises
    ------
    SaveProblem
        If it ends in none of these.
    """
    if target.suffix.lower() not in endings:
        raise SaveProblem(f"{target.name} must end in {endings[0]}.", hint=f"Call it {target.stem}{endings[0]}.")


def made_folder(folder: Path) -> Path:
    """Make a folder where there is none.

    Raises
    ------
    SaveProblem
        If it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveProblem(
            f"No folder {folder.name} can be made: {error.strerror}.", hint="Choose another folder."
        ) from error
    return folder
