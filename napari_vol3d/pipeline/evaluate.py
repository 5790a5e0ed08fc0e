"""The verb `evaluate`: how well label files agree with references, scan by scan and on average."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.core.labels import to_label_dtype
from napari_vol3d.core.metrics import ClassFigures, compare_labels
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import is_volume_file, read_volume, stem
from napari_vol3d.models.card import Record

log = logging.getLogger(__name__)
MM_PER_UNIT = {"mm": 1.0, "um": 1e-3}
LABELS_SUFFIX = "_labels"  # what `segment` adds to a scan's name
HEADINGS = ("scan", "class", "Dice", "HD95 {unit}", "ASSD {unit}", "mL", "reference mL")


class ScanEvaluation(Record):
    """Figures of one scan."""

    scan: str = Field(title="Scan", description="Name of the reference without folder and extension")
    classes: tuple[ClassFigures, ...] = Field(title="Classes")

    @property
    def mean_dice(self) -> float | None:
        """Mean Dice of its classes; None where there are none."""
        return _mean(figures.dice for figures in self.classes)


class Evaluation(Record):
    """Figures of all scans, their means, and which scan is worst."""

    format_version: Literal[1] = 1
    unit: Literal["mm", "voxels"] = Field(
        title="Unit", description='Unit of the distances; "voxels" where the files say no length, also for HD95 "mm"'
    )
    scans: tuple[ScanEvaluation, ...] = Field(title="Scans")
    means: tuple[ClassFigures, ...] = Field(title="Means", description="Over the scans where a figure exists")
    worst_scan: str | None = Field(None, title="Worst scan", description="The one with the lowest mean Dice")

    def table(self) -> str:
        """Lay all figures out for a terminal."""
        rows = [[heading.format(unit=self.unit) for heading in HEADINGS]]
        rows += [_cells(scan.scan, figures) for scan in self.scans for figures in scan.classes]
        if len(self.scans) > 1:
            rows += [_cells("mean", figures) for figures in self.means]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        lines = [_line(row, widths) for row in rows]
        if len(self.scans) > 1 and self.worst_scan:
            lines.append(f"Worst scan: {self.worst_scan}")
        return "\n".join(lines)


def find_pairs(prediction: Path, reference: Path) -> list[tuple[Path, Path]]:
    """Pair label files with their references.

    Parameters
    ----------
    prediction, reference : Path
        Two files, or two folders whose files are matched by name without extension; a prediction's name may also
        end in "_labels", as `segment` names them. References without a prediction are logged.

    Raises
    ------
    FileProblem
        If something is missing, one is a file and the other a folder, or no names match.
    """
    missing = [path for path in (prediction, reference) if not path.exists()]
    if missing:
        raise FileProblem(f"There is no {missing[0]}.", hint="Check the path.")
    if _is_folder(prediction) != _is_folder(reference):
        raise FileProblem("Give two files or two folders, not one of each.", hint="Folders are matched by file name.")
    if not _is_folder(prediction):
        return [(prediction, reference)]
    predictions, references = _by_stem(prediction), _by_stem(reference)
    plain = {name.removesuffix(LABELS_SUFFIX): path for name, path in predictions.items()}
    found = {name: predictions.get(name) or plain.get(name) for name in references}
    alone = [name for name, path in found.items() if path is None]
    if len(alone) == len(found):
        raise FileProblem(f"No file in {prediction} has a reference of the same name.", hint="Name both files alike.")
    if alone:
        log.warning("%d of %d references have no prediction: %s", len(alone), len(found), ", ".join(alone[:5]))
    return [(path, references[name]) for name, path in found.items() if path is not None]


def _is_folder(path: Path) -> bool:
    """Whether a path holds label files; a Zarr store is one volume."""
    return path.is_dir() and not path.name.lower().endswith(".zarr")


def evaluate(pairs: Sequence[tuple[Path, Path]]) -> Generator[Progress, None, Evaluation]:
    """Compare label files with their references.

    Parameters
    ----------
    pairs : sequence of (Path, Path)
        Prediction and reference, as `find_pairs` gives them.

    Yields
    ------
    Progress
        Before the first and after each pair.

    Returns
    -------
    Evaluation

    Raises
    ------
    FileProblem
        If a file can't be read or is no label volume, or there are no pairs.
    ScanMismatch
        If prediction and reference lie on different grids, or only some of the scans have a unit of length.
    """
    if not pairs:
        raise FileProblem("Nothing to compare: no pairs of files.", hint="Give a prediction and a reference.")
    began = time.monotonic()
    yield Progress(phase="Comparing", total=len(pairs))
    scans: list[ScanEvaluation] = []
    units: set[str] = set()
    for prediction, reference in pairs:
        figures, unit = compare_files(prediction, reference)
        units.add(unit)
        if len(units) > 1:
            raise ScanMismatch(
                f"Distances in mm and in voxels can't be averaged: {reference.name} is in {unit}, others are not.",
                hint="Compare scans with and without spacing separately.",
            )
        scans.append(ScanEvaluation(scan=stem(reference), classes=figures))
        mean = scans[-1].mean_dice
        yield Progress(
            phase="Comparing", done=len(scans), total=len(pairs), seconds=time.monotonic() - began,
            figures={} if mean is None else {"mean dice": mean},
        )  # fmt: skip
    return Evaluation(
        unit="mm" if units == {"mm"} else "voxels", scans=tuple(scans), means=_means(scans), worst_scan=_worst(scans)
    )


def compare_files(prediction: Path, reference: Path) -> tuple[tuple[ClassFigures, ...], str]:
    """Compare two label files; give the figures of each class and the unit of their distances."""
    found, wanted = read_volume(prediction), read_volume(reference)
    labels = [_labels_of(volume, path) for volume, path in ((found, prediction), (wanted, reference))]
    geometry, unit = _in_mm(wanted.geometry)
    if found.shape != wanted.shape or not _in_mm(found.geometry)[0].matches(geometry):
        raise ScanMismatch(
            f"Different grids: {prediction.name} {found.shape} and {reference.name} {wanted.shape}.",
            hint="Save the labels on the reference's grid; the same shape at another place or spacing is not the same.",
        )
    names = {item.id: item.name for item in (*found.classes, *wanted.classes)}
    figures = compare_labels(labels[0], labels[1], geometry.spacing, names)
    if unit != "mm":
        figures = tuple(replace(item, volume_ml=None, reference_ml=None) for item in figures)
    return figures, unit


def _labels_of(volume: Volume, path: Path) -> NDArray[Any]:
    if volume.data.ndim != 3:
        raise FileProblem(f"Not one label volume: {path.name} has channels.", hint="Save a single label map.")
    return to_label_dtype(np.asarray(volume.data))


def _in_mm(geometry: Geometry) -> tuple[Geometry, str]:
    """Give the geometry in mm, or as it is, in voxels, where its unit is no length."""
    factor = MM_PER_UNIT.get(geometry.unit)
    if factor is None:
        return geometry, "voxels"
    return replace(geometry, affine=np.diag([factor, factor, factor, 1.0]) @ geometry.affine, unit="mm"), "mm"


def _means(scans: Sequence[ScanEvaluation]) -> tuple[ClassFigures, ...]:
    """Average each figure of each class over the scans where it exists."""
    names = {figures.id: figures.name for scan in scans for figures in scan.classes}
    means = []
    for class_id in sorted(names):
        every = [figures for scan in scans for figures in scan.classes if figures.id == class_id]
        means.append(
            ClassFigures(
                id=class_id, name=names[class_id], dice=_mean(f.dice for f in every),
                hd95_mm=_mean(f.hd95_mm for f in every), assd_mm=_mean(f.assd_mm for f in every),
                volume_ml=_mean(f.volume_ml for f in every), reference_ml=_mean(f.reference_ml for f in every),
            )
        )  # fmt: skip
    return tuple(means)


def _worst(scans: Sequence[ScanEvaluation]) -> str | None:
    scored = [(mean, scan.scan) for scan in scans if (mean := scan.mean_dice) is not None]
    return min(scored)[1] if scored else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _by_stem(folder: Path) -> dict[str, Path]:
    return {stem(path): path for path in sorted(folder.iterdir()) if is_volume_file(path)}


def _cells(scan: str, figures: ClassFigures) -> list[str]:
    distances, volumes = (figures.hd95_mm, figures.assd_mm), (figures.volume_ml, figures.reference_ml)
    digits = [(figures.dice, 4), *((d, 3) for d in distances), *((v, 4) for v in volumes)]
    return [scan, figures.name, *("-" if value is None else f"{value:.{n}g}" for value, n in digits)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Align names to the left, numbers to the right."""
    names = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
    return "  ".join([*names, *(cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))])
