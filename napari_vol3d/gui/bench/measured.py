"""One measurement: where it was made, what it gives, and how people read it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray

from napari_vol3d.core.measure import Statistics, angle, distance, in_ellipse, statistics
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.bench.readout import IsCT, never
from napari_vol3d.gui.bench.under import length_unit, read_box, top_image, true_place
from napari_vol3d.gui.bench.view import World
from napari_vol3d.gui.layers import finest

Tool: TypeAlias = Literal["ruler", "angle", "ellipse"]
POINTS: dict[Tool, int] = {"ruler": 2, "angle": 3, "ellipse": 2}  # of an ellipse opposite corners of the box around it
PER_CM2 = 100.0  # mm2
HEADS = (
    "kind", "view", "value", "unit", "image", "n", "mean", "sd", "min", "max", "area", "area_unit", "space",
    *(f"{axis}{point}" for point in (1, 2, 3) for axis in "xyz"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """What was measured on one slice.

    Attributes
    ----------
    points : tuple of World
        Two ends; three points with the corner in the middle; or two corners of the box around an ellipse.
    axis : int
        Of the last three of the world, the one across the slice: 0 is z, 1 is y, 2 is x.
    view : str
        Name of the plane.
    value : float
        The length in `unit`, the angle in degrees, or the mean.
    image : str
        Name of the layer whose grey levels lie in the ellipse.
    places : tuple of tuple of float
        The points in the patient, RAS+, or as (x, y, z); `space` says which.
    """

    kind: Tool
    points: tuple[World, ...]
    axis: Axis
    view: str
    value: float
    unit: str
    text: str
    image: str = ""
    statistics: Statistics | None = None
    area_unit: str = ""
    places: tuple[World, ...] = ()
    space: str = ""


def measured(
    viewer: ViewerModel, kind: Tool, points: tuple[World, ...], *, axis: Axis, view: str = "", is_ct: IsCT = never
) -> Measurement:
    """Measure between points of the canvas, whose axes are at right angles and true to length."""
    unit, factor = length_unit(viewer)
    found = [true_place(viewer, top_image(viewer), point) for point in points]
    known: dict[str, Any] = {"kind": kind, "points": points, "axis": axis, "view": view}
    if all(found):
        known["places"] = tuple(one[0] for one in found if one is not None)
        known["space"] = "RAS" if found[0] is not None and found[0][1].anatomical else "xyz"
    space = [point[-3:] for point in points]
    if kind == "ruler":
        length = distance(*space) * factor
        return Measurement(**known, value=length, unit=unit, text=f"{_short(length)} {unit}")
    if kind == "angle":
        degrees = angle(*space)
        return Measurement(**known, value=degrees, unit="deg", text=f"{degrees:.1f}°")
    return _of_ellipse(viewer, known, unit, factor, is_ct)


def as_csv(measurements: Iterable[Measurement]) -> str:
    """Give a table, a row for each; places are in the patient (RAS) where `space` says so."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADS)
    table.writerows(_row(one) for one in measurements)
    return text.getvalue()


def as_text(measurements: Iterable[Measurement]) -> str:
    """Give a line for each, as for a report."""
    named = ((one, f" ({one.image})" if one.image else "") for one in measurements)
    return "\n".join(f"{one.kind.capitalize()}, {one.view}: {one.text}{image}" for one, image in named)


def _of_ellipse(viewer: ViewerModel, known: dict[str, Any], unit: str, factor: float, is_ct: IsCT) -> Measurement:
    image = top_image(viewer, grey=True)
    levels = "" if image is None or not is_ct(image) else "HU"
    area_unit = "voxels" if unit == "voxels" else f"{unit}²"
    first, last = known["points"]
    found = None if image is None else ellipse_in(image, first, last, known["axis"], factor)
    if image is None or found is None:
        text = "no grey levels here"
        return Measurement(**known, value=math.nan, unit=levels, text=text, area_unit=area_unit)
    text = f"mean {_short(found.mean)} sd {_short(found.sd)} {levels}".rstrip() if found.n > 1 else f"{found.n} voxels"
    text += f", {_area(found.area, area_unit)}" if found.n > 1 else ""
    return Measurement(
        **known, value=found.mean, unit=levels, text=text, image=image.name, statistics=found, area_unit=area_unit
    )


def ellipse_in(image: Image, first: World, last: World, axis: Axis, factor: float = 1.0) -> Statistics | None:
    """Give the grey levels of an image in an ellipse on a slice; the box around it is all that is read.

    Parameters
    ----------
    first, last : World
        Opposite corners of the box.
    axis : int
        The one across the slice, of the last three.
    factor : float
        What a length on the canvas is in the unit of the area.

    Returns
    -------
    Statistics or None
        None where the slice does not lie in the image.
    """
    if image.ndim < 3:
        return None
    shown = [image.ndim - 3 + one for one in range(3) if one != axis]
    box = _box(image, np.array([first[-image.ndim :], last[-image.ndim :]], dtype=np.float64), shown)
    if box is None:
        return None
    start, stop = box
    values = read_box(image, start, stop).reshape([stop[one] - start[one] for one in shown])
    corner, down, across = _frame(image, start, shown)
    rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
    at_rows, at_columns = (corner[k] + down[k] * rows + across[k] * columns for k in (0, 1))
    ends = np.array([first, last], dtype=np.float64)[:, [one - image.ndim for one in shown]]
    centre, radii = ends.mean(axis=0), np.abs(ends[1] - ends[0]) / 2
    inside = in_ellipse(at_rows, at_columns, (centre[0], centre[1]), (radii[0], radii[1]))
    area = abs(float(down[0] * across[1] - down[1] * across[0])) * factor**2
    return statistics(values, inside, voxel_area=area)


def _box(image: Image, ends: NDArray[np.float64], shown: list[int]) -> tuple[list[int], list[int]] | None:
    """Give the voxels of one slice that hold a box of the canvas; None where the slice is beside the image."""
    corners = [ends[0], ends[1], ends[0].copy(), ends[1].copy()]
    for one, other in ((2, 1), (3, 0)):
        corners[one][shown[0]] = ends[other][shown[0]]
    held = np.array([image.world_to_data(corner) for corner in corners])
    shape = np.array(finest(image).shape[: image.ndim])
    at = np.round(held.mean(axis=0)).astype(int)
    start, stop = at.copy(), at + 1
    if any(not 0 <= at[k] < shape[k] for k in range(image.ndim) if k not in shown):
        return None
    start[shown] = np.floor(held[:, shown].min(axis=0)).astype(int)
    stop[shown] = np.ceil(held[:, shown].max(axis=0)).astype(int) + 1
    start, stop = start.clip(0, shape), stop.clip(0, shape)
    return start.tolist(), np.maximum(start, stop).tolist()


def _frame(image: Image, start: list[int], shown: list[int]) -> tuple[NDArray[np.float64], ...]:
    """Give where a voxel is on the slice, and what a step along each of its axes is there."""
    steps = [np.array(start, np.float64) for _ in range(3)]
    steps[1][shown[0]] += 1
    steps[2][shown[1]] += 1
    corner, down, across = (np.asarray(image.data_to_world(step))[shown] for step in steps)
    return corner, down - corner, across - corner


def _row(one: Measurement) -> list[Any]:
    found = one.statistics
    levels = [found.mean, found.sd, found.minimum, found.maximum, found.area] if found else []
    places = [f"{value:.6f}" for place in one.places for value in place]
    image = "".join(c for c in one.image if c.isprintable())
    return [
        one.kind, one.view, f"{one.value:.10g}", one.unit, image, found.n if found else "",
        *([f"{level:.10g}" for level in levels] or [""] * 5), one.area_unit if found else "",
        one.space, *places, *[""] * (9 - len(places)),
    ]  # fmt: skip


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"


def _area(area: float, unit: str) -> str:
    if unit == "mm²" and area >= PER_CM2:
        return f"{area / PER_CM2:.1f} cm²"
    return f"{area:.0f} {unit}" if area >= PER_CM2 else f"{area:.3g} {unit}"
