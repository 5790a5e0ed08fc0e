"""What the axes of an NRRD file are, where its voxels lie, and how that is said again when it is saved.

The file's own words (space, directions, origin, units) are kept in `Geometry.stored`, so that saving gives them back
letter for letter.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Affine, Geometry, StoredGrid, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.data_files import AGAIN
from napari_vol3d.io.held import XYZ, held_from_stored, hold, stored_shape
from napari_vol3d.io.lengths import convert, length_unit, positive
from napari_vol3d.io.nrrd_header import Header
from napari_vol3d.io.times import seconds

# Signs that turn the file's world into RAS+.
PATIENTS = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1), "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
OTHERS = ("scanner-xyz", "3d-right-handed", "3d-left-handed")
SHORT_WITH_TIME = {"rast": "ras", "last": "las", "lpst": "lps"}
SPATIAL_KINDS = ("domain", "space", "???", "none")
COLOR_KINDS = ("rgb-color", "rgba-color", "hsv-color", "xyz-color", "3-color", "4-color")
KEPT = ("space", "space dimension", "space units", "space origin")
# Formats whose own axis order is (x, y, z) or a turn of it: labels are saved in it, so that they match their scan.
FASTEST_FIRST = ("nrrd", "metaimage", "nifti1", "nifti2")
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
QUOTED = '"{}"'
LPS = np.diag((-1.0, -1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Which of a file's axes are which: two or three in space, channels and time where there are any."""

    space: tuple[int, ...]
    channel: int | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The axis order to save a volume in, the header lines of its geometry, and whether they are its file's own."""

    grid: StoredGrid
    lines: tuple[str, ...]
    own: bool = False


def read_axes(header: Header, path: Path) -> Axes:
    """Tell the axes apart by their directions, else by their kinds; of four in space, the slowest is time.

    Raises
    ------
    FileProblem
        If they are colours or complex numbers, or more than one volume with channels and time can hold.
    """
    kinds = _kinds(header, path)
    if any(kind in COLOR_KINDS for kind in kinds):
        raise FileProblem(
            f"Colours, not intensities: {path.name} holds a colour a voxel.",
            hint="Convert it to one grey value or label a voxel.",
        )
    if "complex" in kinds:
        raise FileProblem(f"Not plain numbers: {path.name} holds complex numbers.", hint="Save its magnitude instead.")
    directions = _directions(header.fields, len(kinds), path)
    sizes = header.sizes
    space, channels, times = [], [], []
    for axis, kind in enumerate(kinds):
        if kind == "time":
            times.append(axis)
        elif directions[axis] is not None if "space directions" in header.fields else kind in SPATIAL_KINDS:
            space.append(axis)
        elif _is_frames(header, axis):
            times.append(axis)
        elif sizes[axis] > 1:  # one channel needs no axis
            channels.append(axis)
    if len(space) == 4 and not times:
        times.append(space.pop())
    if len(space) not in (2, 3) or len(channels) > 1 or len(times) > 1:
        raise FileProblem(
            f"Axes that are not clear: {path.name} has {' '.join(kinds)} of sizes {header.fields['sizes']}.",
            hint="Save one volume, or one with one axis of channels and one of time.",
        )
    return Axes(
        space=tuple(space), channel=channels[0] if channels else None,
        time=times[0] if times and sizes[times[0]] > 1 else None,
    )  # fmt: skip


def arrange(voxels: NDArray[Any], axes: Axes) -> NDArray[Any]:
    """View stored voxels as (x, y, z), with channels and time behind; a slice gets an axis of one."""
    behind = [axis for axis in (axes.channel, axes.time) if axis is not None]
    dropped = [axis for axis in range(voxels.ndim) if axis not in (*axes.space, *behind)]
    ordered = voxels.transpose([*axes.space, *behind, *dropped])
    for _ in dropped:
        ordered = ordered[..., 0]
    return ordered if len(axes.space) == 3 else ordered[:, :, None]


def read_geometry(header: Header, axes: Axes, shape: Triple, path: Path) -> Geometry:
    """Give the geometry of voxels of this shape, as `arrange` views them.

    Raises
    ------
    FileProblem
        If the numbers are none, or different voxels would lie at one place.
    """
    count = len(header.sizes)
    fields: dict[str, Any] = {name: header.fields[name] for name in KEPT if name in header.fields}
    directions = _directions(header.fields, count, path)
    if "space directions" in header.fields:
        fields["directions"] = tuple(directions[axis] for axis in axes.space)
    for name in ("spacings", "axis mins", "centerings", "units"):
        words = re.findall(r'"[^"]*"|\S+', header.fields.get(name, ""))
        if len(words) == count:
            fields[name] = tuple(words[axis] for axis in axes.space)
    affine, anatomical, unit = _world(fields, path)
    gate.check_affine(path, affine)
    return hold(affine, shape, anatomical=anatomical, unit=unit, header={"format": "nrrd", **fields})


def read_time_step(header: Header, axes: Axes) -> float | None:
    """Give the seconds between time points, or None where the file does not say."""
    words = [re.findall(r'"[^"]*"|\S+', header.fields.get(name, "")) for name in ("spacings", "units")]
    if axes.time is None or any(len(each) != len(header.sizes) for each in words):
        return None
    return seconds(words[0][axes.time], words[1][axes.time].strip('"'))


def place_for(volume: Volume) -> Place:
    """Say where to save a volume: with its file's own words if they still hold."""
    geometry, fields = volume.geometry, volume.geometry.stored.header
    more = ["none"] * (volume.data.ndim - 3)
    # A space with an axis of time, and a single slice, are said anew.
    if fields.get("format") == "nrrd" and [len(vector) for vector in fields.get("directions", ())] == [3, 3, 3]:
        affine, anatomical, unit = _world(fields, Path(volume.name))
        shape = stored_shape(geometry.stored, volume.shape)
        own = hold(affine, shape, anatomical=anatomical, unit=unit, header=fields)
        same_axes = (own.stored.axes, own.stored.flips) == (geometry.stored.axes, geometry.stored.flips)
        # Not so after cropping or resampling; then the header's words would put the voxels elsewhere.
        if same_axes and np.array_equal(own.affine, geometry.affine):
            vectors = [f"({','.join(vector)})" for vector in fields["directions"]]
            lines = [f"{name}: {fields[name]}" for name in KEPT if name in fields]
            lines.append(f"space directions: {' '.join([*vectors, *more])}")
            return Place(grid=geometry.stored, lines=tuple(lines), own=True)
    grid = geometry.stored if fields.get("format") in FASTEST_FIRST else XYZ
    affine = geometry.affine @ held_from_stored(grid, volume.shape)
    if geometry.anatomical:
        affine = LPS @ affine
    vectors = [_vector(affine[:3, axis]) for axis in range(3)]
    lines = [
        f"space: {'left-posterior-superior' if geometry.anatomical else '3D-right-handed'}",
        f"space units: {' '.join([QUOTED.format(geometry.unit)] * 3)}",
        f"space origin: {_vector(affine[:3, 3])}",
        f"space directions: {' '.join([*vectors, *more])}",
    ]
    return Place(grid=grid, lines=tuple(lines))


def _world(fields: dict[str, Any], path: Path) -> tuple[Affine, bool, str]:
    """Give the matrix from the file's own index to the world, whether that is a patient's, and the unit."""
    affine = np.eye(4)
    if "directions" not in fields:
        unit = _place_by_spacings(affine, fields)
        return affine, False, unit
    space = fields.get("space", "").lower().removesuffix("-time")
    space = SHORT_WITH_TIME.get(space, space)
    signs = PATIENTS.get(space)
    if signs is None and space and space not in OTHERS:
        raise FileProblem(f"Unknown space: {path.name} lies in {space[:40]!r}.", hint=AGAIN)
    columns = [np.array([float(word) for word in vector]) for vector in fields["directions"]]
    origin = np.array([float(word) for word in _words(fields.get("space origin", ""), path)] or [0.0] * len(columns[0]))
    if {len(vector) for vector in (*columns, origin)} not in ({2}, {3}, {4}):
        raise FileProblem(f"Damaged geometry: the vectors of {path.name} have different lengths.", hint=AGAIN)
    if len(origin) == 4 and any(vector[3] for vector in columns):
        raise FileProblem(f"Damaged geometry: {path.name} moves through time along its space axes.", hint=AGAIN)
    length = min(len(origin), 3)
    for axis, vector in enumerate(columns):
        affine[:length, axis] = vector[:length]
    affine[:length, 3] = origin[:length]
    if len(columns) == 2 and length == 3:
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        affine[:3, 2] = normal / (np.linalg.norm(normal) or 1.0)
    factors, unit = _units(re.findall(r'"([^"]*)"', fields.get("space units", "")), anatomical=signs is not None)
    with np.errstate(over="ignore", invalid="ignore"):  # the gate judges what comes out
        turned = np.diag([*(signs or (1.0, 1.0, 1.0)), 1.0]) @ affine
        return np.diag([*factors, 1.0]) @ turned, signs is not None, unit


def _place_by_spacings(affine: Affine, fields: dict[str, Any]) -> str:
    """Lay the axes along the world's, as far as spacings and minima are known; gives the unit."""
    spacings = [positive(word) for word in fields.get("spacings", ())]
    factors, unit = _units([word.strip('"') for word in fields.get("units", ())], anatomical=False)
    known = any(spacing is not None for spacing in spacings)
    if not known:
        return "pixel"
    for axis, spacing in enumerate(spacings):
        affine[axis, axis] = (spacing or 1.0) * factors[axis]
    centred = [word.lower() == "node" for word in fields.get("centerings", ())] or [False] * 3
    for axis, word in enumerate(fields.get("axis mins", ())):
        least = float(word)
        if np.isfinite(least):  # the edge of the first voxel, or its centre
            affine[axis, 3] = least * factors[axis] + (0.0 if centred[axis] else affine[axis, axis] / 2)
    return unit


def _units(names: list[str], *, anatomical: bool) -> tuple[tuple[float, float, float], str]:
    """Give factors along three axes and the unit they lead to; where the file says nothing, it is mm."""
    known = [length_unit(name) for name in names[:3] if name.strip()]
    if not known or (anatomical and any(unit == "pixel" for unit, _ in known)):
        return (1.0, 1.0, 1.0), "mm"
    unit = known[0][0]
    factors = [factor * convert(1.0, own, unit) for own, factor in known]
    factors += [factors[-1]] * (3 - len(factors))
    return (factors[0], factors[1], factors[2]), unit


def _kinds(header: Header, path: Path) -> list[str]:
    count = len(header.sizes)
    words = header.fields["kinds"].lower().split() if "kinds" in header.fields else ["???"] * count
    if len(words) != count:
        raise FileProblem(f"Damaged header: {path.name} gives {len(words)} kinds for {count} axes.", hint=AGAIN)
    return words


def _directions(fields: dict[str, str], count: int, path: Path) -> list[tuple[str, ...] | None]:
    """Give the vector of each axis, as text, or None where it has none."""
    text = fields.get("space directions")
    if text is None:
        return [None] * count
    if re.fullmatch(r"(?:\s*(?:none|\([^()]*\)))+\s*", text) is None:
        raise FileProblem(f"Damaged geometry: {path.name} has the directions {text[:60]!r}.", hint=AGAIN)
    found = [None if one == "none" else _words(one, path) for one in re.findall(r"none|\([^()]*\)", text)]
    if len(found) != count:
        raise FileProblem(f"Damaged geometry: {path.name} has {len(found)} directions for {count} axes.", hint=AGAIN)
    return found


def _words(vector: str, path: Path) -> tuple[str, ...]:
    words = tuple(word.strip() for word in vector.strip().strip("()").split(",")) if vector.strip() else ()
    if any(re.fullmatch(NUMBER, word) is None or not math.isfinite(float(word)) for word in words):
        raise FileProblem(f"Damaged geometry: {path.name} has the vector {vector[:60]!r}.", hint=AGAIN)
    return words


def _is_frames(header: Header, axis: int) -> bool:
    """Whether an axis without a place in space is one of time: as 3D Slicer says of its sequences."""
    labels = re.findall(r'"([^"]*)"', header.fields.get("labels", ""))
    named = len(labels) == len(header.sizes) and labels[axis].lower() in ("frame", "time", "t")
    return named or any(key.startswith(("MultiVolume.", f"axis {axis} index")) for key in header.keys)


def _vector(numbers: NDArray[np.float64]) -> str:
    return f"({','.join(repr(float(number) + 0.0) for number in numbers)})"
