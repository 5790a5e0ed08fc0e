"""Frames of a DICOM segmentation: where each lies in the patient, and on which plane of a grid.

A frame keeps the place of its own plane. Frames are never resampled: either all of them lie on the voxels of a grid,
to a tenth of a voxel at every corner, or they do not lie on that grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Geometry
from napari_vol3d.io import gate
from napari_vol3d.io.held import hold

OFF = 0.1  # voxels
UNEVEN = 0.02  # of the distance between planes
SAME = 1e-3  # mm; planes that are closer are one
TO_RAS = np.diag([-1.0, -1.0, 1.0])
WAY_ON = "Put it into the folder of the scan that it was drawn on, and open it there."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """Frames of one size and orientation.

    Attributes
    ----------
    shape : tuple of int
        Columns and rows of a frame.
    columns, rows : ndarray of float64, shape (3,)
        Steps to the next column and the next row, RAS+ mm.
    corners : ndarray of float64, shape (N, 3)
        Centre of the first pixel of each frame, RAS+ mm.
    step, thickness : float or None
        Distance between planes and thickness that the file states, mm.
    """

    shape: tuple[int, int]
    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    corners: NDArray[np.float64]
    step: float | None
    thickness: float | None

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector out of the planes."""
        across = np.cross(self.columns, self.rows)
        return np.asarray(across / np.linalg.norm(across))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where frames lie on a held grid.

    Attributes
    ----------
    axes : tuple of int
        Held axes along which the columns and the rows of a frame run, and the one across.
    signs : tuple of int
        1 where columns and rows run with the held axis, -1 where against.
    starts : ndarray of int64, shape (N, 3)
        Held index of the first pixel of each frame.
    """

    axes: Triple
    signs: tuple[int, int]
    starts: NDArray[np.int64]

    def view(self, held: NDArray[Any], frame: int, shape: tuple[int, int]) -> NDArray[Any]:
        """View the voxels of a held array (Z, Y, X) on which a frame lies, as (rows, columns)."""
        start = self.starts[frame]
        index: list[Any] = [0, 0, 0]
        index[self.axes[2]] = int(start[self.axes[2]])
        for axis, sign, length in zip(self.axes, self.signs, shape, strict=False):
            first = int(start[axis])
            last = first + sign * (length - 1)
            index[axis] = slice(first, last + 1) if sign > 0 else slice(first, last - 1 if last else None, -1)
        plane: NDArray[Any] = held[tuple(index)]
        return plane if self.axes[1] < self.axes[0] else plane.T


def read_frames(dataset: Any) -> Frames:
    """Give the planes of a multi-frame object, by its functional groups.

    Raises
    ------
    ValueError, AttributeError
        If the frames have no place in the patient, or differ in orientation or pixel spacing.
    """
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    frames = dataset.PerFrameFunctionalGroupsSequence
    turns = {_numbers(_group(f, shared, "PlaneOrientationSequence").ImageOrientationPatient, 6) for f in frames}
    groups = [_group(f, shared, "PixelMeasuresSequence") for f in frames]
    if len(turns) != 1 or len({_measures(group) for group in groups}) != 1:
        raise ValueError("its frames differ in orientation or pixel spacing")
    corners = [_group(f, shared, "PlanePositionSequence").ImagePositionPatient for f in frames]
    return frames_of(dataset, corners, turns.pop(), groups[0])


def frames_of(size: Any, positions: Sequence[Any], turned: Sequence[Any], measures: Any) -> Frames:
    """Give frames by their numbers in DICOM's terms.

    Parameters
    ----------
    size : pydicom.Dataset
        What has Rows and Columns.
    positions, turned : sequence
        ImagePositionPatient of each frame, and ImageOrientationPatient.
    measures : pydicom.Dataset
        What has PixelSpacing and the like.

    Raises
    ------
    ValueError
        If they are not finite, or the planes not right-angled.
    """
    cosines = np.array(_numbers(turned, 6))
    down, across, step, thickness = _measures(measures)
    corners = [_numbers(position, 3) for position in positions]
    lengths = np.linalg.norm(cosines.reshape(2, 3), axis=1)
    flat = np.abs(lengths - 1).max() > 1e-2 or abs(float(cosines[:3] @ cosines[3:])) > 1e-2
    if flat or not min(down, across) > 0 or not np.isfinite([*cosines, down, across, *np.ravel(corners)]).all():
        raise ValueError("its planes have no finite, right-angled place")
    return Frames(
        shape=(int(size.Columns), int(size.Rows)), columns=TO_RAS @ cosines[:3] * across,
        rows=TO_RAS @ cosines[3:] * down, corners=np.array(corners) @ TO_RAS, step=step, thickness=thickness,
    )  # fmt: skip


def own_grid(path: Path, frames: Frames, header: dict[str, Any]) -> tuple[Geometry, Triple]:
    """Give the regular grid that the frames span, planes that are left out included, and its held shape.

    Raises
    ------
    FileProblem
        If there is none: the distance of the planes is not known or not regular, or they are shifted sideways.
    """
    along = frames.corners @ frames.normal
    gaps = np.diff(np.sort(along))
    gaps = gaps[gaps > SAME]
    step = _step(along, gaps, frames)
    if step is None:
        said = f"{gaps.min():g} to {gaps.max():g} mm apart" if gaps.size else "at no known distance"
        raise FileProblem(f"Irregular planes: those of {path.name} are {said}.", hint=WAY_ON)
    first = frames.corners[int(along.argmin())]
    aside = frames.corners - first - np.outer(along - along.min(), frames.normal)
    if np.abs(aside).max() > OFF * min(np.linalg.norm(frames.columns), np.linalg.norm(frames.rows)):
        raise FileProblem(f"Tilted planes: those of {path.name} are shifted sideways.", hint=WAY_ON)
    affine = np.eye(4)
    affine[:3] = np.column_stack([frames.columns, frames.rows, frames.normal * step, first])
    gate.check_affine(path, affine)
    stored = (*frames.shape, round(float(along.max() - along.min()) / step) + 1)
    geometry = hold(affine, stored, anatomical=True, unit="mm", header=header)
    z, y, x = (stored[axis] for axis in geometry.stored.axes)
    return geometry, (z, y, x)


def places_on(frames: Frames, geometry: Geometry, shape: Triple) -> Places | None:
    """Give the places of the frames on a held grid, or None if one of them does not lie on its voxels."""
    inverse = np.linalg.inv(geometry.affine)
    turn = inverse[:3, :3] @ np.column_stack([frames.columns, frames.rows])
    along, down = (int(axis) for axis in np.abs(turn).argmax(axis=0))
    if along == down:
        return None
    whole = np.zeros((3, 2))
    whole[along, 0], whole[down, 1] = np.sign(turn[along, 0]), np.sign(turn[down, 1])
    starts = frames.corners @ inverse[:3, :3].T + inverse[:3, 3]
    nearest = np.rint(starts)
    for corner in product(*((0, length - 1) for length in frames.shape)):
        meant = nearest + whole @ corner
        if np.abs(starts + turn @ corner - meant).max() > OFF or meant.min() < 0 or (meant >= shape).any():
            return None
    signs = (int(whole[along, 0]), int(whole[down, 1]))
    return Places(axes=(along, down, 3 - along - down), signs=signs, starts=nearest.astype(np.int64))


def _group(frame: Any, shared: Any, name: str) -> Any:
    found = frame.get(name) or shared.get(name)
    if not found:
        raise ValueError(f"without a {name} its frames have no place in the patient")
    return found[0]


def _measures(group: Any) -> tuple[float, float, float | None, float | None]:
    down, across = _numbers(group.PixelSpacing, 2)
    step, thickness = (group.get(name) for name in ("SpacingBetweenSlices", "SliceThickness"))
    return down, across, abs(float(step)) if step else None, abs(float(thickness)) if thickness else None


def _numbers(values: Sequence[Any], count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count:
        raise ValueError(f"{count} numbers were expected; received {len(numbers)}")
    return numbers


def _step(along: NDArray[np.float64], gaps: NDArray[np.float64], frames: Frames) -> float | None:
    """Give the distance of neighbouring planes: the stated one if all planes fit it, else the smallest if they do."""
    if not gaps.size:
        return frames.step or frames.thickness  # of a single plane
    for guess in (frames.step, float(gaps.min())):
        counts = np.rint(gaps / guess) if guess else np.zeros(1)
        if not np.isfinite(counts).all() or counts.min() < 1:
            continue
        step = float(gaps.sum() / counts.sum())  # so that rounding in the file does not add up
        at = (along - along.min()) / step
        if np.abs(at - np.rint(at)).max() <= UNEVEN:
            return step
    return None
