"""Move the border of a class by mm: Margin of 3D Slicer's Segment Editor.

Distances go from centre to centre of voxels, so growing is the dilation and shrinking the erosion by a ball of that
radius; less than a voxel moves nothing. What lies beyond the faces of the volume is not known, so a class that the
scan cuts off is not worn away there.
"""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.extent import clipped, extent
from napari_vol3d.correct.limits import Held, propose, with_class

ROUNDING = 1e-6  # relative, of squared distances in float32


def grow(
    labels: Any,
    class_id: int,
    *,
    by: float,
    spacing: Spacing,
    axis: int | None = None,
    box: Box | None = None,
    name: str = "Grow",
    **held: Unpack[Held],
) -> Edit | None:
    """Give to a class what lies within a distance of it.

    Other classes are overwritten too, unless the limits say otherwise: `Limits(inside=frozenset({0}))` grows into the
    background only.

    Parameters
    ----------
    labels : array of an unsigned integer type, shape (Z, Y, X)
        The whole volume, in memory or lazy; only the surroundings of the class are read whole.
    by : float
        In the unit of the spacing.
    spacing : tuple of float
        Voxel edges (z, y, x).
    axis : int, optional
        Only within the slices across this axis; by default in 3D.
    box : Box, optional
        Where voxels may change, by default everywhere; may reach past the volume.
    name : str
        For the list of edits.
    **held
        What stays, see `Held`.

    Returns
    -------
    Edit or None
        None where nothing would change, as for less than a voxel.

    Raises
    ------
    Vol3dError
        If the distance is not a positive number.
    """
    reach = _reach(by, spacing, axis)
    near = extent(labels, [class_id], box=clipped(box, labels).grown(reach))
    if near is None:
        return None
    read = clipped(near.grown(reach), labels)
    reached = within(np.asarray(labels[read.slices]) == class_id, by, spacing=spacing, axis=axis)
    return _write(labels, reached, read, clipped(box, labels), class_id, name, held)


def shrink(
    labels: Any,
    class_id: int,
    *,
    by: float,
    spacing: Spacing,
    axis: int | None = None,
    box: Box | None = None,
    name: str = "Shrink",
    **held: Unpack[Held],
) -> Edit | None:
    """Give to the background what of a class lies within a distance of anything else; see `grow`."""
    reach = _reach(by, spacing, axis)
    near = extent(labels, [class_id], box=clipped(box, labels).grown(reach))
    if near is None:
        return None
    # On the way from a voxel to the nearest one that is not of the class, one beside the class is met no later.
    read = clipped(near.grown((1, 1, 1)), labels)
    own = np.asarray(labels[read.slices]) == class_id
    return _write(labels, own & within(~own, by, spacing=spacing, axis=axis), read, clipped(box, labels), 0, name, held)


def within(mask: NDArray[np.bool_], radius: float, *, spacing: Spacing, axis: int | None = None) -> NDArray[np.bool_]:
    """Tell which voxels have one of a mask (z, y, x) within a distance, in 3D or in the slices across an axis.

    The squared distance is a sum over axes, so its minimum is taken one axis after the other (Felzenszwalb and
    Huttenlocher 2012); as no more than the radius is asked for, plain shifted minima do, several times as fast as a
    whole distance transform at the few voxels that borders are moved by.

    Parameters
    ----------
    radius : float
        In the unit of the spacing; a distance equal to it counts.

    Returns
    -------
    ndarray of bool, shape (z, y, x)
    """
    distance2 = np.where(mask, np.float32(0), np.float32(np.inf))
    for along, steps in enumerate(_reach(radius, spacing, axis)):
        distance2 = _nearest_along(distance2, along, steps, spacing[along])
    return np.asarray(distance2 <= radius * radius * (1 + ROUNDING))


def _nearest_along(distance2: NDArray[np.float32], axis: int, steps: int, edge: float) -> NDArray[np.float32]:
    """Give at each voxel the least, over its neighbours along an axis, of their value and the squared way to them."""
    best = distance2.copy()
    source, target = np.moveaxis(distance2, axis, 0), np.moveaxis(best, axis, 0)
    for step in range(1, min(steps, len(source) - 1) + 1):
        further = source + np.float32((step * edge) ** 2)
        np.minimum(target[step:], further[:-step], out=target[step:])
        np.minimum(target[:-step], further[step:], out=target[:-step])
    return best


def _reach(by: float, spacing: Spacing, axis: int | None) -> Triple:
    """Give how many voxels a distance spans along each axis; none across the slices."""
    if not (math.isfinite(by) and by > 0):
        raise Vol3dError(f"A border moves by more than 0 mm; {by:g} were asked for.", hint="Choose a distance.")
    z, y, x = (0 if k == axis else math.floor(by / edge * (1 + ROUNDING)) for k, edge in enumerate(spacing))
    return (z, y, x)


def _write(
    labels: Any, mask: NDArray[np.bool_], read: Box, box: Box, class_id: int, name: str, held: Held
) -> Edit | None:
    """Propose a class for the voxels of a mask that lie in the box."""
    part = clipped(read.intersect(box), labels)
    here = tuple(slice(a - o, b - o) for a, b, o in zip(part.start, part.stop, read.start, strict=True))
    before = np.asarray(labels[part.slices])
    return propose(name, before, with_class(before, mask[here], class_id), box=part, **held)
