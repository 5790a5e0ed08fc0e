"""Where the planes of a DICOM volume lie: order, distances, tilt, and the matrix to the world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Affine
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.planes import Plane
from napari_vol3d.io.parts import Irregular, Part

# Of the distance between pixels: planes closer than this lie at one position.
SAME_POSITION = 0.01
# Of the distance between pixels: how far from their line planes may lie.
SHIFTED = 0.05
UNEVEN = 0.01  # of the distance between slices
TILTED = 0.1  # degrees
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
Vectors = NDArray[np.float64]


def check_placed(planes: Sequence[Plane]) -> None:
    """Refuse planes of which it is not known where they lie, or in directions that are none."""
    for plane in planes:
        known = {
            "position": plane.position, "orientation": plane.orientation, "pixel spacing": plane.spacing
        }  # fmt: skip
        missing = [word for word, value in known.items() if value is None]
        if missing:
            frames = plane.stored.frames
            whose = f" for its {frames} frames" if frames > 1 else ""
            raise FileProblem(
                f"Not a volume: {plane.stored.path.name} has no {' and no '.join(missing)}{whose}.",
                hint="Such pictures say nothing of where their slices lie. Convert them, with the spacing, to NIfTI.",
            )
        row, column = _directions(plane)
        lengths = np.linalg.norm((row, column), axis=1)
        if np.abs(lengths - 1).max() > 1e-2 or abs(float(row @ column)) > 1e-2:
            raise FileProblem(
                f"Damaged geometry: the directions of {plane.name} are not at right angles.",
                hint="Export the series again.",
            )
        if min(plane.spacing or (0.0,)) <= 0:
            raise FileProblem(
                f"Damaged geometry: {plane.name} has a pixel spacing of {plane.spacing}.",
                hint="Export the series again.",
            )


def normal_of(plane: Plane) -> Vectors:
    """Give the direction in which slices are ordered: across columns and rows, LPS, of length 1."""
    row, column = _directions(plane)
    normal = np.cross(row, column)
    return normal / max(float(np.linalg.norm(normal)), 1e-9)


def positions_of(planes: Sequence[Plane]) -> Vectors:
    """Give the positions of placed planes, shape (n, 3), LPS mm."""
    return np.array([plane.position for plane in planes], np.float64).reshape(-1, 3)


def along_normal(planes: Sequence[Plane], normal: Vectors) -> Vectors:
    """Give how far along the normal each plane lies, mm."""
    return np.asarray(positions_of(planes) @ normal)


def same_place(plane: Plane) -> float:
    """Give the distance (mm) below which two planes lie at one position."""
    return SAME_POSITION * min(plane.spacing or (1.0,))


def distinct(along: Vectors, plane: Plane) -> list[float]:
    """Give the different ones among positions along the normal, sorted."""
    result: list[float] = []
    for place in np.sort(along):
        if not result or place - result[-1] > same_place(plane):
            result.append(float(place))
    return result


def usual_step(steps: Vectors) -> float:
    """Give the distance between slices that most of them keep: the lower median, that one gap can't move."""
    return float(np.sort(steps)[(len(steps) - 1) // 2])


def check_line(planes: Sequence[Plane]) -> None:
    """Refuse ordered planes whose corners do not lie on one line: no grid of voxels holds them."""
    if len(planes) < 3:
        return
    positions, along = positions_of(planes), along_normal(planes, normal_of(planes[0]))
    share = (along - along[0]) / (along[-1] - along[0])
    off = positions - positions[0] - share[:, None] * (positions[-1] - positions[0])
    worst = int(np.argmax(np.linalg.norm(off, axis=1)))
    distance = float(np.linalg.norm(off[worst]))
    if distance > SHIFTED * min(planes[0].spacing or (1.0,)):
        raise FileProblem(
            f"Shifted slices: {planes[worst].name} lies {distance:.3g} mm beside the line of the others.",
            hint="Open a series whose slices lie in one line, or export it again.",
        )


def check_even(planes: Sequence[Plane], part: str) -> None:
    """Refuse ordered planes whose distances differ by more than one percent."""
    steps = np.diff(along_normal(planes, normal_of(planes[0])))
    usual = usual_step(steps)
    worst = int(np.argmax(np.abs(steps - usual)))
    if abs(steps[worst] - usual) <= UNEVEN * usual:
        return
    word = "Missing slice" if steps[worst] > 1.5 * usual else "Uneven slices"
    raise Irregular(
        planes[0].stored.path.parent,
        f"{word}: gap of {steps[worst]:.4g} mm instead of {usual:.4g} mm between {planes[worst].name} and "
        f"{planes[worst + 1].name}.",
        hint="Add what is missing, or open it with the gaps filled in between their neighbours",
        part=Part(key=part, title="gaps filled in"),
    )


def check_tilt(planes: Sequence[Plane], part: str) -> None:
    """Refuse ordered planes that are not stacked at right angles."""
    angle = tilt(planes)
    if angle > TILTED:
        raise Irregular(
            planes[0].stored.path.parent,
            f"Tilted gantry: {angle:.1f} degrees between the slices' line and their normal, from {planes[0].name} to "
            f"{planes[-1].name}.",
            hint="Open it as it is, with sheared voxels that lie where they were taken",
            part=Part(key=part, title="sheared as it was taken"),
        )


def tilt(planes: Sequence[Plane]) -> float:
    """Give the angle between the line of ordered planes and their normal, degrees."""
    line = positions_of(planes)[-1] - positions_of(planes)[0]
    across = float(np.linalg.norm(np.cross(line, normal_of(planes[0]))))
    return float(np.degrees(np.arctan2(across, float(line @ normal_of(planes[0])))))


def step_of(planes: Sequence[Plane], count: int) -> Vectors:
    """Give the vector from slice to slice, LPS mm, for `count` slices from the first of the planes to the last."""
    first = planes[0]
    if len(planes) == 1:
        if not first.thickness or first.thickness <= 0:
            raise FileProblem(
                f"No slice thickness: {first.name} is a single slice.", hint="Open the whole series it belongs to."
            )
        return normal_of(first) * first.thickness
    line = positions_of(planes)[-1] - positions_of(planes)[0]
    straight = normal_of(first) * float(line @ normal_of(first))
    # Less than a twentieth of a pixel from first slice to last is rounding; voxels stay at right angles then.
    rounding = float(np.linalg.norm(line - straight)) < SHIFTED * min(first.spacing or (1.0,))
    return np.asarray((straight if rounding else line) / (count - 1))


def affine_of(planes: Sequence[Plane], count: int, path: Path) -> Affine:
    """Give the matrix from the stored index (column, row, slice) to RAS mm, for `count` slices."""
    first = planes[0]
    row, column = _directions(first)
    between_rows, between_columns = first.spacing or (1.0, 1.0)
    affine = np.eye(4)
    affine[:3, 0] = row / np.linalg.norm(row) * between_columns
    affine[:3, 1] = column / np.linalg.norm(column) * between_rows
    affine[:3, 2] = step_of(planes, count)
    affine[:3, 3] = positions_of(planes)[0]
    affine = LPS_TO_RAS @ affine
    gate.check_affine(path, affine)
    return affine


def _directions(plane: Plane) -> tuple[Any, Any]:
    turned = np.array(plane.orientation, np.float64)
    return turned[:3], turned[3:]
