"""Planes of a folder grouped into volumes: series, and within a series what can't be one volume."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.geometry import along_normal, distinct, normal_of, usual_step
from napari_vol3d.io.dicom.header import Header
from napari_vol3d.io.dicom.planes import Numbers, Plane
from napari_vol3d.io.dicom.scan import STRUCTURES, Found
from napari_vol3d.io.parts import Part

SAME_DIRECTION = 1e-3  # largest difference of a direction's numbers within one volume
NO_SERIES = "no-series-uid"
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What can be opened: the planes of one volume, or a label object.

    Attributes
    ----------
    part : Part
    planes : tuple of Plane
        Empty for a label object.
    header : Header
        Of the label object, or of one file of the series.
    problem : FileProblem or None
        Why it can't be opened.
    """

    part: Part
    planes: tuple[Plane, ...]
    header: Header
    problem: FileProblem | None = None

    @property
    def path(self) -> Path:
        """A file of it."""
        return self.header.path


def groups_of(found: Found, folder: Path) -> tuple[Group, ...]:
    """Give what can be opened, images first, each series in the order in which it was found."""
    groups: list[Group] = []
    series = _by(found.planes, lambda plane: plane.series)
    for uid, header in found.series.items():
        planes, problem = series.get(uid, []), found.problems.get(uid)
        if not planes:
            part = Part(key=uid or NO_SERIES, title=f"{name_of(header, folder)}, damaged")
            groups.append(Group(part=part, planes=(), header=header, problem=problem))
            continue
        volumes = [volume for alike in _alike(planes) for volume in _by_kind(alike)]
        volumes.sort(key=lambda volume: (-len(volume), volume[0].stored.path.name, volume[0].frame))
        for number, volume in enumerate(volumes, start=1):
            several = len(volumes) > 1
            key = (uid or NO_SERIES) + (f"#{number}" if several else "")
            title = _title(header, volume, folder, several=several) + (", damaged" if problem else "")
            part = Part(key=key, title=title)
            groups.append(Group(part=part, planes=tuple(volume), header=header, problem=problem))
    for header in found.labels:
        key = header.text("SOPInstanceUID")
        groups.append(Group(part=Part(key=key, title=_label_title(header)), planes=(), header=header))
    return tuple(groups)


def name_of(header: Header, folder: Path) -> str:
    """Give a name for people: the series' description, or the folder's name; nothing that names a patient."""
    return header.text("SeriesDescription") or folder.resolve().name


def _alike(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Split into planes of one matrix, spacing, direction and stack."""
    result: list[list[Plane]] = []
    for volume in _by(planes, _matrix).values():
        directions: list[tuple[Numbers | None, list[Plane]]] = []
        for plane in volume:
            home = next((group for first, group in directions if _close(first, plane.orientation)), None)
            if home is None:
                directions.append((plane.orientation, [plane]))
            else:
                home.append(plane)
        result += [group for _, group in directions]
    return result


def _matrix(plane: Plane) -> Hashable:
    # To five digits, in which programs round differently from slice to slice.
    spacing = tuple(float(f"{one:.5g}") for one in plane.spacing) if plane.spacing else None
    stored = plane.stored
    return (
        stored.rows, stored.columns, stored.frames, stored.samples, spacing, plane.stack, plane.position is None,
    )  # fmt: skip


def _close(first: Numbers | None, second: Numbers | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.abs(np.subtract(first, second)).max() < SAME_DIRECTION)


def _by_kind(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Split by image type what lies at the same positions: magnitude and phase, water and fat."""
    kinds = _by(planes, lambda plane: plane.kind)
    if len(kinds) == 1 or planes[0].position is None or planes[0].orientation is None:
        return [list(planes)]
    positions = [_positions(volume) for volume in kinds.values()]
    repeated = len(_positions(planes)) < sum(len(one) for one in positions)
    return list(kinds.values()) if repeated else [list(planes)]


def _positions(planes: Sequence[Plane]) -> list[float]:
    normal = normal_of(planes[0])
    return distinct(along_normal(planes, normal), planes[0])


def _title(header: Header, planes: Sequence[Plane], folder: Path, *, several: bool) -> str:
    first = planes[0]
    words = [name_of(header, folder), header.text("Modality") or "unknown modality"]
    size = f"{first.stored.columns} x {first.stored.rows}"
    if first.position is None or first.orientation is None:
        return ", ".join([*words, f"{_count(len(planes), 'image')} of {size} without positions"])
    places = _positions(planes)
    words.append(f"{_count(len(places), 'slice')} of {size}")
    if len(places) > 1:
        words.append(f"{usual_step(np.diff(places)):.4g} mm")
    if len(planes) > len(places):
        words.append(f"{len(planes)} images")
    if several:
        words += [_orientation(first), first.kind] if first.kind else [_orientation(first)]
    return ", ".join(words)


def _orientation(plane: Plane) -> str:
    normal = np.abs(normal_of(plane))
    return ("sagittal", "coronal", "axial")[int(np.argmax(normal))] if normal.max() > 0.8 else "oblique"


def _label_title(header: Header) -> str:
    if header.text("SOPClassUID") == STRUCTURES:
        label = header.text("StructureSetLabel") or header.text("SeriesDescription")
        return f"Structures {label}, {_count(header.count('StructureSetROISequence'), 'region')}"
    label = header.text("SeriesDescription") or header.text("ContentLabel")
    return f"Segmentation {label}, {_count(header.count('SegmentSequence'), 'segment')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _by(planes: Iterable[Plane], key: Callable[[Plane], K]) -> dict[K, list[Plane]]:
    groups: dict[K, list[Plane]] = {}
    for plane in planes:
        groups.setdefault(key(plane), []).append(plane)
    return groups
