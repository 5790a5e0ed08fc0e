"""Strokes made with the real brush, eraser and scissors, and how far the mouse goes for them."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
from annotator_field import Field
from annotator_strokes import Cell, Stroke
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import find_contours

from napari_vol3d.core.edits import Edit
from napari_vol3d.correct import brush, lasso
from napari_vol3d.correct.limits import Limits

UNIT = (1.0, 1.0, 1.0)  # mm: all scans have such voxels
Point = tuple[float, float, float]


def made(labels: NDArray[Any], field: Field, stroke: Stroke) -> Edit | None:
    """Make a stroke with the real tools; give the change of the labels (Z, Y, X)."""
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    limits, tip = Limits(inside=stroke.act.inside, intensity=stroke.act.intensity), stroke.tip
    if tip.kind == "lasso":
        first = stroke.plane + field.start[tip.axis] - tip.depth
        return lasso.give_inside(
            labels, outline(field, stroke), class_id=0, axis=tip.axis, slices=(first, first + int(tip.size)),
            limits=limits,
        )  # fmt: skip
    points = in_volume(field, stroke, walk(stroke.cells))
    if tip.kind == "disc":
        dab = brush.stroke_in_slice(points, tip.size, spacing=UNIT, shape=shape, axis=tip.axis)
    else:
        dab = brush.stroke(points, tip.size, spacing=UNIT, shape=shape)
    return brush.paint(labels, dab, class_id=stroke.act.class_id, limits=limits, image=field.image)


def length(stroke: Stroke) -> float:
    """Give how far the mouse is dragged, in mm."""
    line = walk(stroke.cells) if stroke.tip.kind != "lasso" else _contour(stroke.cells)
    return sum(math.dist(a, b) for a, b in pairwise(line))


def walk(cells: tuple[Cell, ...]) -> list[Cell]:
    """Give a way through cells in their order that goes back over those where it was; each step is to a neighbour."""
    way, seen = [cells[0]], {cells[0]}
    for cell in cells[1:]:
        way += _over(way[-1], cell, seen)
        seen.add(cell)
    return way


def _over(start: Cell, end: Cell, seen: set[Cell]) -> list[Cell]:
    """Give the shortest way over cells that were seen, from one of them to a neighbour of some, without the first."""
    before: dict[Cell, Cell | None] = {start: None}
    waiting = deque([start])
    while waiting:
        u, v = here = waiting.popleft()
        if here == end:
            way: list[Cell] = []
            at: Cell | None = here
            while at is not None:
                way.append(at)
                at = before[at]
            return way[-2::-1]
        for cell in ((i, j) for i in (u, u - 1, u + 1) for j in (v, v - 1, v + 1)):
            if cell not in before and (cell in seen or cell == end):
                before[cell] = here
                waiting.append(cell)
    raise ValueError(f"no way from {start} to {end}")


def outline(field: Field, stroke: Stroke) -> list[Point]:
    """Give the closed line around the cells of a lasso."""
    return in_volume(field, stroke, _contour(stroke.cells))


def _contour(cells: tuple[Cell, ...]) -> list[tuple[float, float]]:
    places = np.array(cells)
    first = places.min(axis=0) - 1
    mask = np.zeros(tuple(places.max(axis=0) - first + 2), bool)
    mask[tuple((places - first).T)] = True
    filled = ndimage.binary_fill_holes(mask, ndimage.generate_binary_structure(2, 1))
    line = max(find_contours(filled.astype(float), 0.5, fully_connected="high"), key=len)
    return [(float(u), float(v)) for u, v in line + first]


def in_volume(field: Field, stroke: Stroke, line: list[Any]) -> list[Point]:
    """Give points of a stroke's plane in voxels of the volume."""
    points = []
    for u, v in line:
        place = [float(u), float(v)]
        place.insert(stroke.tip.axis, float(stroke.plane))
        z, y, x = (a + b for a, b in zip(place, field.start, strict=True))
        points.append((z, y, x))
    return points
