"""Measuring with the mouse: distance, angle, and grey levels within an ellipse on a slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pair = tuple[float, float]
ON_THE_LINE = 1e-9  # of a squared radius: whether a voxel on an ellipse's line counts is not left to rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Grey levels of some voxels.

    Attributes
    ----------
    n : int
        Voxels that were counted; those without a finite value are not.
    mean, sd, minimum, maximum : float
        NaN where there is no voxel; the standard deviation (of a sample, n - 1) is NaN for a single one too.
    area : float
        Of the counted voxels, in the square of the spacing's unit.
    """

    n: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    area: float


def distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Give the distance of two points, in their unit."""
    return float(np.linalg.norm(np.subtract(second, first)))


def angle(first: Sequence[float], corner: Sequence[float], last: Sequence[float]) -> float:
    """Give the angle at `corner`, in degrees from 0 to 180; NaN where a leg has no length.

    Examples
    --------
    >>> angle((1, 0), (0, 0), (0, 2))
    90.0
    """
    one, other = (np.subtract(end, corner).astype(np.float64) for end in (first, last))
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if not all(lengths):
        return float("nan")
    one, other = one / lengths[0], other / lengths[1]
    # Unlike the arc cosine, this is exact for legs that lie nearly on one line.
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(one - other), np.linalg.norm(one + other))))


def in_ellipse(down: ArrayLike, across: ArrayLike, centre: Pair, radii: Pair) -> NDArray[np.bool_]:
    """Whether places lie in an ellipse along the axes, its line included.

    Parameters
    ----------
    down, across : array_like
        Of the places; shapes that broadcast.
    centre, radii : tuple of float
        (down, across), in the same unit. An ellipse without a breadth holds nothing.
    """
    along, beside = np.asarray(down, np.float64) - centre[0], np.asarray(across, np.float64) - centre[1]
    if not all(radius > 0 for radius in radii):
        return np.zeros(np.broadcast_shapes(along.shape, beside.shape), bool)
    return np.asarray((along / radii[0]) ** 2 + (beside / radii[1]) ** 2 <= 1 + ON_THE_LINE)


def ellipse_statistics(values: NDArray[Any], spacing: Pair, centre: Pair, radii: Pair) -> Statistics:
    """Give the grey levels within an ellipse along the axes of a slice.

    A voxel counts wholly where its centre lies within the ellipse or on its line, else not at all. So the area is
    that of the voxels; the ellipse's own differs from it by about the part that voxels at its edge stick out.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        A slice, or the part of one that holds the ellipse.
    spacing : tuple of float
        Distance of voxel centres (down, across).
    centre, radii : tuple of float
        (down, across), in the spacing's unit; the centre is measured from that of the first voxel.
    """
    down, across = np.ogrid[: values.shape[0], : values.shape[1]]
    inside = in_ellipse(down * spacing[0], across * spacing[1], centre, radii)
    return statistics(values, inside, voxel_area=spacing[0] * spacing[1])


def statistics(values: NDArray[Any], inside: NDArray[np.bool_], *, voxel_area: float) -> Statistics:
    """Give the grey levels of the voxels that are `inside`, a mask of the same shape."""
    found = np.asarray(values[inside], np.float64)
    found = found[np.isfinite(found)]
    n = int(found.size)
    low, high = (float(found.min()), float(found.max())) if n else (float("nan"),) * 2
    return Statistics(
        n=n, mean=float(found.mean()) if n else float("nan"), sd=float(found.std(ddof=1)) if n > 1 else float("nan"),
        minimum=low, maximum=high, area=n * voxel_area,
    )  # fmt: skip
