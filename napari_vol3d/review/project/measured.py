"""Figures of a project: what was accepted, how far it is from the prediction, and how far readers are apart.

Voxels are read of one case at a time. Distances and volumes need a scan in units of length; where it has none, or
can't be read, they are None, and the rest is there.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.agreement import ClassAgreement, agreement
from napari_vol3d.core.amounts import count_voxels
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.metrics import volume_ml
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry, Spacing
from napari_vol3d.review.about import About
from napari_vol3d.review.project.accepting import labels_of_version, versions_of
from napari_vol3d.review.project.agreement import AgreementTable, agreement_table
from napari_vol3d.review.project.agreement_pairs import MM_PER_UNIT, pairs_of
from napari_vol3d.review.project.foreseen import labels_of_prediction, newest_prediction
from napari_vol3d.review.project.nameless import Nameless
from napari_vol3d.review.project.outgoing import scan_of
from napari_vol3d.review.project.records import Row, Version
from napari_vol3d.review.project.store import Project

PHASE = "Measuring"
SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOfCase:
    """One class of an accepted case.

    Attributes
    ----------
    dice, hd95_mm : float or None
        Between the prediction and the accepted labels; None where there is no prediction, or they have no meaning.
        Of a series the mean over its time points, as of the volumes.
    predicted_ml, accepted_ml : float or None
    voxels : int
        Accepted ones.
    added, removed : int
        Voxels that people added and took away, against what they started from.
    """

    id: int
    name: str
    dice: float | None
    hd95_mm: float | None
    predicted_ml: float | None
    accepted_ml: float | None
    voxels: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """A row of everybody's worklist with its figures.

    Attributes
    ----------
    versions : tuple of Version
        All of them, oldest first.
    accepted : Version or None
        The one that counts now.
    prediction : str or None
        Key of the prediction that it is compared with: the one that the reader started from, else the newest.
    classes : tuple of ClassOfCase
        None where nothing is accepted.
    """

    row: Row
    versions: tuple[Version, ...]
    accepted: Version | None
    prediction: str | None
    classes: tuple[ClassOfCase, ...]

    @property
    def code(self) -> str:
        """The case's code."""
        return self.row.case.code

    @property
    def minutes(self) -> float:
        """Minutes of activity."""
        return self.row.reading.seconds / SECONDS_PER_MINUTE

    @property
    def when(self) -> datetime | None:
        """When the version was accepted."""
        return datetime.fromisoformat(self.accepted.time) if self.accepted else None

    @property
    def mean_dice(self) -> float | None:
        """Mean over the classes that are in the prediction or in the accepted labels."""
        return mean(one.dice for one in self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All figures of a project.

    Attributes
    ----------
    agreement : AgreementTable or None
        Of the readings; None where nobody was asked for one.
    notes : tuple of str
        A sentence for each case whose scan could not be read.
    """

    cases: tuple[CaseFigures, ...]
    agreement: AgreementTable | None = None
    notes: tuple[str, ...] = ()

    @property
    def accepted(self) -> tuple[CaseFigures, ...]:
        """Those whose labels are accepted."""
        return tuple(one for one in self.cases if one.accepted is not None)


def measure(project: Project) -> Generator[Progress, None, Measured]:
    """Compute the figures of all cases, and how the readings of each agree where people were asked for some.

    Raises
    ------
    FileProblem
        If the project's file is damaged; a scan that can't be read is told of in a note.
    """
    rows, start, notes = project.rows(), time.monotonic(), list[str]()
    geometries, cases = _kept_geometries(project), []
    for done, row in enumerate(rows):
        yield Progress(phase=PHASE, done=done, total=len(rows), seconds=time.monotonic() - start)
        spacing, note = _spacing_of(project, row, geometries) if row.reading.status == "accepted" else (None, "")
        notes += [note] if note else []
        cases.append(_figures(project, row, spacing))
    yield Progress(phase=PHASE, done=len(rows), total=len(rows), seconds=time.monotonic() - start)
    table = None
    if project.readers():
        table = yield from agreement_table(pairs_of(project, called=Nameless.of(project).people))
        notes += table.notes
    return Measured(cases=tuple(cases), agreement=table, notes=tuple(notes))


def mean(values: Iterable[float | None]) -> float | None:
    """Give the mean of those that there are."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def names_of(project: Project) -> dict[int, str]:
    """Give the names of the classes by id."""
    return {item.id: item.name for item in project.classes}


def compare(
    first: NDArray[Any], second: NDArray[Any], spacing: Spacing | None, names: Mapping[int, str]
) -> tuple[ClassAgreement, ...]:
    """Compare labels (Z, Y, X) or (T, Z, Y, X) class by class; of a series, each time point by itself, all in a row."""
    if first.ndim == 3:
        return agreement(first, second, spacing, names=names)
    return tuple(
        one for a, b in zip(first, second, strict=True) for one in agreement(a, b, spacing, names=names)
    )  # fmt: skip


def _figures(project: Project, row: Row, spacing: Spacing | None) -> CaseFigures:
    versions = versions_of(project, row.reading.key)
    done = row.reading.status == "accepted"
    accepted = next((one for one in versions if done and one.key == row.reading.version), None)
    prediction, classes = None, tuple[ClassOfCase, ...]()
    if accepted is not None:
        newest = newest_prediction(project, row.case.key) if accepted.prediction is None else None
        prediction = newest.key if newest else accepted.prediction
        before = _before(project, prediction)
        prediction = None if before is None else prediction
        classes = _classes(project, accepted, before, spacing)
    return CaseFigures(row=row, versions=versions, accepted=accepted, prediction=prediction, classes=classes)


def _before(project: Project, prediction: str | None) -> NDArray[Any] | None:
    """Give the labels of a prediction; None where there are none, or they were lost with a damaged file."""
    try:
        return None if prediction is None else labels_of_prediction(project, prediction)
    except FileProblem:
        return None


def _classes(
    project: Project, version: Version, before: NDArray[Any] | None, spacing: Spacing | None
) -> tuple[ClassOfCase, ...]:
    labels, names = labels_of_version(project, version.key), names_of(project)
    compared: dict[int, list[ClassAgreement]] = {}
    if before is not None and before.shape == labels.shape:
        for one in compare(before, labels, spacing, names):
            compared.setdefault(one.id, []).append(one)
    counts, frames = count_voxels(labels), len(labels) if labels.ndim == 4 else 1
    ids = sorted((counts.keys() | compared.keys() | {int(i) for i in version.changed}) - {0})
    each = None if spacing is None else volume_ml(1, spacing) / frames
    return tuple(
        ClassOfCase(
            id=i, name=names.get(i, f"class {i}"), dice=mean(one.dice for one in compared.get(i, ())),
            hd95_mm=mean(one.hd95_mm for one in compared.get(i, ())),
            predicted_ml=None if before is None or each is None else each * int(np.count_nonzero(before == i)),
            accepted_ml=None if each is None else each * counts[i], voxels=counts[i],
            added=version.changed.get(str(i), (0, 0))[0], removed=version.changed.get(str(i), (0, 0))[1],
        )
        for i in ids
    )  # fmt: skip


def _kept_geometries(project: Project) -> dict[str, Geometry]:
    """Give the grids that the journal keeps, by reading, so that not every scan must be read."""
    abouts = {layer.key: About.read(layer.about) for layer in project.journal.layers()}
    return {key: about.geometry for key, about in abouts.items() if about.geometry is not None}


def _spacing_of(project: Project, row: Row, kept: Mapping[str, Geometry]) -> tuple[Spacing | None, str]:
    """Give the spacing in mm, None where it has no unit of length, and a sentence where the scan can't be read."""
    geometry = kept.get(row.reading.key)
    if geometry is None:
        try:
            geometry = scan_of(project, row.case).geometry
        except FileProblem:
            return None, f"The scan of {row.case.code} can't be read; its figures have no mm and mL."
    factor = MM_PER_UNIT.get(geometry.unit)
    if factor is None:
        return None, ""
    z, y, x = (length * factor for length in geometry.spacing)
    return (z, y, x), ""
