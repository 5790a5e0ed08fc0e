"""Reading RTSTRUCT: closed contours filled on the slices of the scan that they were drawn on.

A voxel belongs to a structure where its centre lies inside the contour or on it. Several contours of a structure in
one plane are combined by exclusive or, so one inside another is a hole; keyholes work too. Where structures
overlap, the one with the higher number is kept and the log says for how many voxels: a label map can hold one.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color, label_dtype
from napari_vol3d.core.polygon import fill_polygon
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.frames import TO_RAS
from napari_vol3d.io.dicom.reference import Series
from napari_vol3d.io.held import stored_from_held

log = logging.getLogger(__name__)

CONTOUR_DATA = 0x30060050
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
FAR = 1e5  # mm; nothing in a patient is
CORNERS = 3  # of a contour that encloses something
HALF = 0.5 + 1e-3  # slices: how far from a slice a contour may lie
SAME = 0.02  # slices: contours that are closer lie in one plane
DIGITS = 2  # of a voxel: what rounding in the file leaves, so that a corner on the centre of a voxel stays there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Structure:
    """One region of interest: its closed contours, each (N, 3) points in RAS+ mm."""

    name: str
    color: str | None
    frame: str
    contours: list[NDArray[np.float64]]


def referenced(dataset: Any) -> tuple[list[str], str]:
    """Give the SeriesInstanceUIDs that contours refer to, and their frame of reference."""
    frames = dataset.get("ReferencedFrameOfReferenceSequence") or []
    series = [
        str(one.SeriesInstanceUID)
        for frame in frames
        for study in frame.get("RTReferencedStudySequence") or []
        for one in study.get("RTReferencedSeriesSequence") or []
    ]
    named = [str(frame.get("FrameOfReferenceUID", "")) for frame in frames]
    named += [str(roi.get("ReferencedFrameOfReferenceUID", "")) for roi in dataset.StructureSetROISequence]
    return series, next((uid for uid in named if uid), "")


def read_rtstruct(path: Path, dataset: Any, series: Sequence[Series]) -> Volume:
    """Give the label map of contours that were read from `path`, on the grid of their scan.

    Parameters
    ----------
    series : sequence of Series
        What was found of their scan.

    Returns
    -------
    Volume
        Ids 1 to n in the order of the structures' numbers, those without closed contours left out.

    Raises
    ------
    FileProblem
        If the scan is not there, or no contour lies on it.
    """
    structures = _structures(path, dataset)
    if not structures:
        raise FileProblem(f"No closed contours: {path.name} holds none.", hint="There is nothing to fill in it.")
    scan = _scan(path, series)
    placed = [one for one in structures if not (one.frame and series[0].frame and one.frame != series[0].frame)]
    if len(placed) < len(structures):
        log.warning("%s: %d structures belong to another scan.", path.name, len(structures) - len(placed))
    dtype = label_dtype(len(placed))
    gate.check_memory(path, math.prod(scan.shape) * dtype.itemsize)
    held = np.zeros(scan.shape, dtype)
    stored = scan.geometry.stored.to_stored(held)  # a view: columns, rows, slices
    world_to_index = stored_from_held(scan.geometry.stored, scan.shape) @ np.linalg.inv(scan.geometry.affine)
    if _draw(path, placed, stored, world_to_index) == 0:
        raise FileProblem(
            f"Contours beside the scan: none of {path.name} lies on a slice of {scan.name}.",
            hint="Put it into the folder of the scan that it was drawn on.",
        )
    return Volume(
        data=held, geometry=scan.geometry, name=path.stem, source=path, is_labels=True,
        classes=tuple(
            LabelClass(id=number, name=one.name, color=one.color or default_color(number))
            for number, one in enumerate(placed, 1)
        ),
    )  # fmt: skip


def _scan(path: Path, series: Sequence[Series]) -> Volume:
    if not series:
        raise FileProblem(
            f"Contours without their scan: that of {path.name} is not here.",
            hint="Put the scan's DICOM files into the same folder, and open that.",
        )
    if len(series) > 1:
        raise FileProblem(
            f"Which scan? {path.name} may lie on {len(series)} of those here.",
            hint="Put it into one folder with the scan that it was drawn on.",
        )
    scan = next(series[0].volumes(), None)
    if scan is None:
        raise FileProblem(f"Not a volume: the scan of {path.name} has no slices.", hint="Open the scan by itself.")
    return scan


def _structures(path: Path, dataset: Any) -> list[_Structure]:
    """Give the structures that have closed contours, by their numbers."""
    drawn = {int(one.ReferencedROINumber): one for one in dataset.get("ROIContourSequence") or []}
    found, left_out = [], Counter[str]()
    for roi in sorted(dataset.StructureSetROISequence, key=lambda one: int(one.ROINumber)):
        number = int(roi.ROINumber)
        lines = drawn.get(number)
        contours = []
        for contour in (lines.get("ContourSequence") if lines is not None else None) or []:
            kind = str(contour.get("ContourGeometricType", ""))
            points = _points(contour) if kind in CLOSED else None
            if points is not None and len(points) >= CORNERS:
                contours.append(points)
            else:
                left_out[kind] += 1
        if contours:
            name = str(roi.get("ROIName", "")).strip() or f"structure {number}"
            frame = str(roi.get("ReferencedFrameOfReferenceUID", ""))
            found.append(_Structure(name=name, color=_color(lines), frame=frame, contours=contours))
    for kind, count in left_out.items():
        log.warning("%s: %d contours of the kind %r enclose nothing and are left out.", path.name, count, kind)
    return found


def _points(contour: Any) -> NDArray[np.float64]:
    element = contour.get_item(CONTOUR_DATA)
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        # Straight from the bytes: pydicom would make an object of each number, of which there may be millions.
        numbers = np.array(element.value.decode("ascii").strip(" \0").split("\\"), np.float64)
    else:
        numbers = np.array(contour.ContourData, np.float64)
    declared = int(contour.get("NumberOfContourPoints") or numbers.size // 3)
    if numbers.size != declared * 3 or not (np.abs(numbers) < FAR).all():
        raise ValueError(f"a contour of {declared} points holds {numbers.size} numbers, or not all are places")
    return np.asarray(numbers.reshape(-1, 3) @ TO_RAS)


def _color(lines: Any) -> str | None:
    shown = lines.get("ROIDisplayColor")
    if shown is None or len(shown) != 3:
        return None
    red, green, blue = (min(max(int(value), 0), 255) for value in shown)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _draw(
    path: Path, structures: Sequence[_Structure], stored: NDArray[Any], world_to_index: NDArray[np.float64]
) -> int:
    """Fill the contours in the order of the structures, later ones over earlier ones; give how many lay on slices."""
    overlap = drawn = beside = 0
    for number, one in enumerate(structures, 1):
        contours = [points @ world_to_index[:3, :3].T + world_to_index[:3, 3] for points in one.contours]
        on_slices = dict(_by_slice(contours, stored.shape[2]))
        filled = sum(len(together) for together in on_slices.values())
        drawn, beside = drawn + filled, beside + len(contours) - filled
        for index, together in on_slices.items():
            inside, corner = _filled(together, (stored.shape[0], stored.shape[1]))
            part = stored[corner[0] : corner[0] + inside.shape[0], corner[1] : corner[1] + inside.shape[1], index]
            overlap += int((inside & (part != 0)).sum())
            part[inside] = number
    if overlap:
        log.warning("%s: structures overlap in %d voxels; the later one is kept.", path.name, overlap)
    if beside:
        log.warning("%s: %d contours that lie on no slice of the scan are left out.", path.name, beside)
    return drawn


def _by_slice(contours: Sequence[NDArray[np.float64]], count: int) -> Iterator[tuple[int, list[NDArray[np.float64]]]]:
    """Give the contours (points as column, row, slice) that lie on each slice, as columns and rows.

    Where the contours are denser than the slices, only those of the nearest plane belong to a slice: contours of
    different planes must not punch holes into each other.
    """
    nearest: dict[int, list[tuple[float, NDArray[np.float64]]]] = {}
    for points in contours:
        level = float(points[:, 2].mean())
        index = math.floor(level + 0.5)
        if np.abs(points[:, 2] - level).max() > HALF or not -HALF <= level <= count - 1 + HALF:
            continue
        index = min(max(index, 0), count - 1)
        nearest.setdefault(index, []).append((level - index, points[:, :2].round(DIGITS)))
    for index, there in nearest.items():
        # By the distance, and of two planes that are equally far the one below.
        best = min((off for off, _ in there), key=lambda off: (round(abs(off), 3), off))
        yield index, [points for off, points in there if abs(off - best) <= SAME]


def _filled(contours: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> tuple[NDArray[np.bool_], Any]:
    """Give a mask (columns, rows) of what one or more contours enclose, and the index where it begins."""
    low = np.clip(np.floor(np.min([points.min(axis=0) for points in contours], axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(np.max([points.max(axis=0) for points in contours], axis=0)) + 1, low, shape).astype(int)
    shape = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = np.zeros(shape, bool)
    for points in contours:
        mask ^= fill_polygon(points - low, shape)
    return mask, low
