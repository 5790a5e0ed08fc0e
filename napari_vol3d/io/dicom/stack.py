"""The planes of one volume in order: slices along their normal, volumes at the same positions along time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.geometry import (
    along_normal,
    check_even,
    check_line,
    check_placed,
    check_tilt,
    normal_of,
    same_place,
    usual_step,
)
from napari_vol3d.io.dicom.planes import Plane

RANKED = ("TriggerTime", "AcquisitionTime")  # each slice has its own: only their order at one position counts
NAMED = ("TemporalPositionIdentifier", "EchoNumbers", "EchoTime", "DiffusionBValue", "AcquisitionNumber",
         "FrameReferenceTime")  # fmt: skip
Same = Callable[[Plane, Plane], bool]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The planes of one volume.

    Attributes
    ----------
    times : tuple of tuple of Plane
        For each time the slices in order along their normal; one time for most.
    slices : int
        How many slices the volume has: more than there are planes where gaps are to be filled.
    timed_by : str
        The field that tells the times apart; "" for a single volume.
    """

    times: tuple[tuple[Plane, ...], ...]
    slices: int
    timed_by: str = ""

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The slices of the first time."""
        return self.times[0]

    def gaps(self) -> NDArray[np.float64] | None:
        """Give where the slices lie among the planes, as fractions of a plane's number; None for one a plane."""
        along = along_normal(self.planes, normal_of(self.planes[0]))
        if self.slices < 3:
            return None
        wanted = np.linspace(along[0], along[-1], self.slices)
        where = np.interp(wanted, along, np.arange(len(along)))
        rounded = np.arange(self.slices)
        near = len(along) == self.slices and float(np.abs(where - rounded).max()) < 0.02
        return None if near else where


def stack(planes: Sequence[Plane], part: str, same: Same, *, repair: bool) -> Stack:
    """Put planes into order.

    Parameters
    ----------
    part : str
        The key of the volume when it is repaired, for messages.
    same : callable
        Whether two planes hold the same pixels.
    repair : bool
        Allow uneven distances and tilted gantries.

    Raises
    ------
    Irregular
        If distances differ or the gantry is tilted, and that is not to be repaired.
    FileProblem
        If the planes are no volume, and no series of volumes.
    """
    check_placed(planes)
    places = _at_places(_once(planes, same))
    if len(places) == 1 and len(places[0]) > 1:
        places = [_without_copies(places[0], same)]
        if len(places[0]) > 1:
            first, second = places[0][0], places[0][1]
            raise FileProblem(
                f"Not a volume: {len(places[0])} different images lie at one position, such as {first.name} and "
                f"{second.name}.",
                hint="Open a series whose slices lie beside each other.",
            )
    stacked = _stacked(places, same)
    for time in stacked.times:
        check_line(time)
    if len(places) < 2:
        return stacked
    if not repair:
        for time in stacked.times:
            check_tilt(time, part)
            check_even(time, part)
        return stacked
    along = along_normal(stacked.planes, normal_of(stacked.planes[0]))
    slices = round(float(along[-1] - along[0]) / usual_step(np.diff(along))) + 1
    return replace(stacked, slices=slices)


def _once(planes: Sequence[Plane], same: Same) -> list[Plane]:
    """Drop files that are there twice: one object, one content."""
    seen: dict[tuple[str, int], Plane] = {}
    result = []
    for plane in planes:
        known = seen.setdefault((plane.uid, plane.frame), plane) if plane.uid else plane
        if known is plane:
            result.append(plane)
        elif known.position != plane.position or not same(known, plane):
            raise FileProblem(
                f"One object, two contents: {known.name} and {plane.name} have the same SOP instance UID.",
                hint="Take one of them out of the folder.",
            )
    if len(result) < len(planes):
        log.warning("Left out %d copies of slices", len(planes) - len(result))
    return result


def _at_places(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Give the planes at each position along the normal, in order."""
    along = along_normal(planes, normal_of(planes[0]))
    result: list[list[Plane]] = []
    last = -np.inf
    for index in np.argsort(along, kind="stable"):
        if along[index] - last > same_place(planes[0]):
            result.append([])
            last = along[index]
        result[-1].append(planes[index])
    return result


def _stacked(places: list[list[Plane]], same: Same) -> Stack:
    if all(len(place) == 1 for place in places):
        return Stack(times=(tuple(place[0] for place in places),), slices=len(places))
    timed = _over_time(places)
    if timed is not None:
        return timed
    once = [_without_copies(place, same) for place in places]
    if all(len(place) == 1 for place in once):
        return Stack(times=(tuple(place[0] for place in once),), slices=len(once))
    timed = _over_time(once)
    if timed is not None:
        return timed
    raise _mixed(once)


def _over_time(places: list[list[Plane]]) -> Stack | None:
    """Give a series of volumes, if some field tells as many times apart at each position."""
    count = len(places[0])
    if count < 2 or any(len(place) != count for place in places):
        return None
    for name in (*NAMED, *RANKED):
        if not all(name in plane.times for place in places for plane in place):
            continue
        values = [[plane.times[name] for plane in place] for place in places]
        kinds = {type(value) for one in values for value in one}
        if len(kinds) > 1 or any(len(set(one)) < count for one in values):
            continue
        if name in NAMED and any(set(one) != set(values[0]) for one in values):
            continue
        ordered = [sorted(place, key=lambda plane: plane.times[name]) for place in places]
        log.info("%d volumes at the same positions, told apart by %s", count, name)
        times = tuple(tuple(place[time] for place in ordered) for time in range(count))
        return Stack(times=times, slices=len(places), timed_by=name)
    return None


def _without_copies(place: list[Plane], same: Same) -> list[Plane]:
    """Drop the planes at one position that hold the same pixels as an earlier one."""
    kept: list[Plane] = []
    for plane in place:
        twin = next((other for other in kept if same(other, plane)), None)
        if twin is None:
            kept.append(plane)
        else:
            log.warning("Left out %s: it holds the same slice as %s", plane.name, twin.name)
    return kept


def _mixed(places: list[list[Plane]]) -> FileProblem:
    """Say why planes that share positions are neither one volume nor a series of volumes."""
    most = max(places, key=len)
    counts = sorted({len(place) for place in places})
    if len(counts) > 1:
        return FileProblem(
            f"Two slices at one position: {most[0].name} and {most[1].name} differ.",
            hint=f"Positions hold from {counts[0]} to {counts[-1]} images. Take out what does not belong.",
        )
    return FileProblem(
        f"Mixed volumes: {counts[0]} images at each position, such as {most[0].name} and {most[1].name}, and nothing "
        "tells their times apart.",
        hint="Export each volume as a series of its own.",
    )
