"""Brush and eraser: balls and discs in mm on voxels of any shape, swept along the mouse's way without gaps.

A stroke is the union of the balls along its way, that is of capsules: a voxel belongs to it when its centre lies within
the radius of the nearest point of a segment, as Slicer's sphere brush has it. So a fast mouse leaves no gaps, and how
often the mouse reports makes no difference.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import NOTHING
from napari_vol3d.correct.limits import Held, check_range, in_range, propose, with_class

Point = tuple[float, float, float]
ROUNDING = 1e-9  # relative: a voxel exactly on the surface belongs to the ball, whatever the last bit says


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dab:
    """The voxels that a brush covers.

    Attributes
    ----------
    box : Box
        Inside the volume; without voxels where the brush misses the volume.
    mask : ndarray of bool, shape `box.shape`
        The voxels.
    line : ndarray of bool, shape `box.shape`
        Of these, the ones that the middle of the brush went through; in a stroke they touch each other.
    """

    box: Box
    mask: NDArray[np.bool_]
    line: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.mask))


def stroke(points: Sequence[Point], radius: float, *, spacing: Spacing, shape: Triple) -> Dab:
    """Sweep a ball along a line.

    Parameters
    ----------
    points : sequence of (z, y, x)
        Where the brush was, in voxels: whole numbers are centres of voxels. One point gives a single ball. They may lie
        outside the volume. Painting in a slice, put them on it first (`on_slice`), or thick slices are missed.
    radius : float
        In the unit of the spacing. The voxels under the middle belong to the stroke even where it is too small to reach
        their centres, so one below half a voxel paints a line one voxel wide.
    spacing : tuple of float
        Voxel edges (z, y, x).
    shape : tuple of int
        The volume, (Z, Y, X) voxels.

    Raises
    ------
    Vol3dError
        If the radius is not a positive number, or there is no point.

    Examples
    --------
    >>> stroke([(4, 4, 4)], 1.0, spacing=(3.0, 1.0, 1.0), shape=(9, 9, 9)).count
    5
    """
    return _sweep(points, (radius, radius, radius), spacing, shape)


def stroke_in_slice(points: Sequence[Point], radius: float, *, spacing: Spacing, shape: Triple, axis: int) -> Dab:
    """Sweep a disc along a line in one slice: that which the first point lies in; see `stroke`.

    Parameters
    ----------
    axis : int
        The axis across the slice: 0 for a slice (y, x), 1 for (z, x), 2 for (z, y).
    """
    reach = [radius, radius, radius]
    reach[axis] = 0.0
    flat = on_slice(points, axis=axis, index=_nearest(points[0][axis])) if points else points
    return _sweep(flat, (reach[0], reach[1], reach[2]), spacing, shape)


def on_slice(points: Sequence[Point], *, axis: int, index: int) -> list[Point]:
    """Move points (z, y, x) onto the middle of a slice across an axis."""
    moved = [[*point] for point in points]
    for point in moved:
        point[axis] = float(index)
    return [(z, y, x) for z, y, x in moved]


def within_range(dab: Dab, image: Any, *, intensity: tuple[float, float]) -> Dab:
    """Keep what a brush covers where the image lies in a range: the threshold brush.

    Parameters
    ----------
    image : array, shape (Z, Y, X)
        The whole scan, in memory or lazy; only the box is read.
    intensity : tuple of float
        Lowest and highest value, both included.

    Raises
    ------
    Vol3dError
        If the range holds no value, or the image lies on another grid.
    """
    check_range(intensity)
    values = np.asarray(image[dab.box.slices])
    if values.shape != dab.mask.shape:
        raise Vol3dError(
            f"The image and the labels differ in their grid: {values.shape} voxels, {dab.mask.shape} were expected.",
            hint="Choose an image of the same scan.",
        )
    inside = in_range(values, intensity)
    return replace(dab, mask=dab.mask & inside, line=dab.line & inside)


def connected_in_range(dab: Dab, image: Any, *, intensity: tuple[float, float]) -> Dab:
    """Keep of `within_range` what is connected, inside the stroke, to the middle line of the brush.

    Voxels are connected by their faces, as ITK's ConnectedThreshold has it by default: a structure beyond a thin wall
    stays out. Where the middle line itself never meets the range, nothing is left.
    """
    kept = within_range(dab, image, intensity=intensity)
    parts, count = ndimage.label(kept.mask, output=np.int32)
    met = np.zeros(count + 1, bool)
    met[parts[kept.line]] = True  # never 0: the line that was kept lies in the range
    return replace(kept, mask=met[parts])


def paint(labels: Any, dab: Dab, *, class_id: int, name: str = "Paint", **held: Unpack[Held]) -> Edit | None:
    """Give what a brush covers to a class.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the box is read.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where nothing would change.

    Raises
    ------
    Vol3dError
        If the id does not fit into the type of the labels.
    """
    before = np.asarray(labels[dab.box.slices])
    return propose(name, before, with_class(before, dab.mask, class_id), box=dab.box, **held)


def erase(labels: Any, dab: Dab, *, name: str = "Erase", **held: Unpack[Held]) -> Edit | None:
    """Give what a brush covers to the background; with `Limits(inside=...)` only of some classes. See `paint`."""
    return paint(labels, dab, class_id=0, name=name, **held)


def _sweep(points: Sequence[Point], reach: Spacing, spacing: Spacing, shape: Triple) -> Dab:
    """Sweep a ball, or where the reach along an axis is 0 a disc across it."""
    radius = max(reach)
    if not (math.isfinite(radius) and radius > 0):
        raise Vol3dError(f"A brush needs a radius above 0 mm; it is {radius:g}.", hint="Choose a larger brush.")
    if not points:
        raise Vol3dError("A stroke needs at least one point.", hint="Press the mouse inside the image.")
    way = np.asarray(points, float)
    box = _around(way, reach, spacing, shape)
    mask, line = np.zeros(box.shape, bool), np.zeros(box.shape, bool)
    for first, last in _pieces(way, radius, spacing):
        part = box.intersect(_around(np.stack([first, last]), reach, spacing, shape))
        if part.size:
            here = tuple(slice(a - o, b - o) for a, b, o in zip(part.start, part.stop, box.start, strict=True))
            mask[here] |= _capsule(first, last, part, radius, spacing)
    _draw(line, _middle(way) - np.array(box.start))
    return Dab(box=box, mask=mask | line, line=line)


def _around(way: NDArray[np.float64], reach: Spacing, spacing: Spacing, shape: Triple) -> Box:
    """Give the box of all voxels within reach of some points, and of those under them."""
    low, high, far = way.min(axis=0), way.max(axis=0), np.array(reach) / np.array(spacing) * (1 + ROUNDING)
    first = np.minimum(np.ceil(low - far), np.floor(low + 0.5)).clip(0)
    stop = np.minimum(np.maximum(np.floor(high + far), np.floor(high + 0.5)) + 1, shape)
    (z0, y0, x0), (z1, y1, x1) = first.astype(int).tolist(), stop.astype(int).tolist()
    box = Box(start=(z0, y0, x0), stop=(z1, y1, x1))
    return box if box.size else NOTHING


def _pieces(
    way: NDArray[np.float64], radius: float, spacing: Spacing
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Cut the segments of a line into short ones: the box around a long slanted one is nearly empty."""
    if len(way) == 1:
        yield way[0], way[0]
    longest = max(2 * radius, 8 * min(spacing))
    for first, last in itertools.pairwise(way):
        length = float(np.linalg.norm((last - first) * spacing))
        ends = np.linspace(first, last, max(1, math.ceil(length / longest)) + 1)
        yield from itertools.pairwise(ends)


def _capsule(
    first: NDArray[np.float64], last: NDArray[np.float64], box: Box, radius: float, spacing: Spacing
) -> NDArray[np.bool_]:
    """Tell which voxels of a box lie within the radius of a segment."""
    away = [
        ((np.arange(a, b) - origin) * edge).reshape([-1 if k == axis else 1 for k in range(3)])
        for axis, (a, b, origin, edge) in enumerate(zip(box.start, box.stop, first, spacing, strict=True))
    ]
    along = (last - first) * np.array(spacing)
    length2 = float(along @ along)
    if length2 > 0:
        share = sum(a * (d / length2) for a, d in zip(away, along, strict=True))
        share = np.clip(share, 0.0, 1.0)
        away = [a - share * d if d else a for a, d in zip(away, along, strict=True)]
    distance2 = away[0] * away[0] + away[1] * away[1] + away[2] * away[2]
    return np.asarray(distance2 <= (radius * (1 + ROUNDING)) ** 2)


def _middle(way: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the voxels (n, 3) along a line: one at each step of the longest axis, so that each touches the next."""
    lines = [way[:1]]
    for first, last in itertools.pairwise(way):
        lines.append(np.linspace(first, last, math.ceil(np.abs(last - first).max()) + 1))
    return np.floor(np.concatenate(lines) + 0.5).astype(np.int64)


def _draw(mask: NDArray[np.bool_], voxels: NDArray[np.int64]) -> None:
    inside = ((voxels >= 0) & (voxels < mask.shape)).all(axis=1)
    mask[tuple(voxels[inside].T)] = True


def _nearest(position: float) -> int:
    return math.floor(position + 0.5)
