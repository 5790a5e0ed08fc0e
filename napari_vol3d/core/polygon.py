"""Polygons filled on a grid of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ON_EDGE = 1e-6  # pixels


def fill_polygon(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Give the pixels whose centres lie inside a closed polygon or on its edge.

    By scan lines: the time goes with the polygon's height and the pixels around it, not with corners times pixels, as
    in scikit-image, which takes a hundred times as long for contours of hundreds of corners.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        Corners in pixels, along the two axes of the grid. A polygon may cross itself: even and odd count.
    shape : tuple of int

    Returns
    -------
    ndarray of bool, of that shape

    Examples
    --------
    >>> fill_polygon(np.array([(1, 1), (1, 3), (2, 3), (2, 1)]), (4, 5)).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0]])
    """
    corners = np.asarray(points, np.float64)
    following = np.roll(corners, -1, axis=0)
    upwards = (corners[:, 1] <= following[:, 1])[:, None]
    low, high = np.where(upwards, corners, following), np.where(upwards, following, corners)
    # A crossing switches between outside and inside, for all pixels of its line from there on.
    lines, at = _crossings(low, high, np.ceil(high[:, 1]), shape[1])
    switches = np.zeros((shape[0] + 1, shape[1]), np.uint8)
    np.add.at(switches, (np.clip(np.ceil(at), 0, shape[0]).astype(np.intp), lines), 1)
    inside = (np.cumsum(switches[:-1], axis=0, dtype=np.uint8) & 1).astype(bool)
    lines, at = _crossings(low, high, np.floor(high[:, 1]) + 1, shape[1])
    nearest = np.rint(at)
    on_edge = (np.abs(at - nearest) < ON_EDGE) & (nearest >= 0) & (nearest < shape[0])
    inside[nearest[on_edge].astype(np.intp), lines[on_edge]] = True
    for first, last in zip(low[low[:, 1] == high[:, 1]], high[low[:, 1] == high[:, 1]], strict=True):
        if first[1] == np.rint(first[1]) and 0 <= first[1] < shape[1]:
            start, stop = np.clip((np.ceil(min(first[0], last[0])), np.floor(max(first[0], last[0])) + 1), 0, shape[0])
            inside[int(start) : int(stop), int(first[1])] = True
    return inside


def _crossings(
    low: NDArray[np.float64], high: NDArray[np.float64], stop: NDArray[np.float64], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Give where edges cross the lines from their lower end up to `stop`: the lines, and the place along them."""
    rise = high[:, 1] - low[:, 1]
    first = np.clip(np.ceil(low[:, 1]), 0, count).astype(np.intp)
    last = np.where(rise > 0, np.clip(stop, 0, count).astype(np.intp), first)
    each = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(low)), each)
    lines = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(each) - each, each)
    slope = (high[edge, 0] - low[edge, 0]) / rise[edge]
    return lines, low[edge, 0] + (lines - low[edge, 1]) * slope
