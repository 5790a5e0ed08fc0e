"""Where layers lie: from a volume's geometry to what napari needs, and back from a layer's whole transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

from napari_vol3d.core.volume import Geometry

MM = {"mm": 1.0, "um": 1e-3}  # a unit in mm


def placement(geometry: Geometry, frame: Geometry | None = None, *, leading: Sequence[str] = ()) -> dict[str, Any]:
    """Give scale, translate, units and axis labels of a layer.

    Patient volumes are shown in (S, P, L) millimetres, so that axial slices are nose up; obliqueness is left out,
    because napari slices oblique layers poorly. The geometry in the layer's metadata stays the truth.

    Parameters
    ----------
    frame : Geometry, optional
        The reference of the canvas, whose axes the volume shares: distances from it are measured along these axes,
        oblique as they may be. None: the volume is the reference.
    leading : sequence of str
        Names of axes before z, such as time and channel.
    """
    x, y, z = geometry.origin if frame is None else _origin_in(frame, geometry)
    return {
        "scale": (*(1.0 for _ in leading), *map(_plain, geometry.spacing)),
        "translate": (*(0.0 for _ in leading), *map(_plain, (z, -y, -x) if geometry.anatomical else (z, y, x))),
        "units": (*("pixel" for _ in leading), *(geometry.unit,) * 3),
        "axis_labels": (*leading, "z", "y", "x"),
    }


def factor_to(geometry: Geometry, frame: Geometry) -> float:
    """Give what a length in a geometry's unit is in the frame's; 1 where either is not known."""
    return MM[geometry.unit] / MM[frame.unit] if {geometry.unit, frame.unit} <= set(MM) else 1.0


def placed_like(layer: Layer, *, leading: Sequence[str] = ()) -> dict[str, Any]:
    """Copy the last three axes of a layer's placement: the world must agree, or units are dropped from the view.

    Parameters
    ----------
    leading : sequence of str
        Names of the axes before z that the new layer has too.
    """
    if layer.ndim == 2:
        return {
            "scale": (1.0, *layer.scale), "translate": (0.0, *layer.translate), "units": (layer.units[0], *layer.units),
            "axis_labels": ("z", *layer.axis_labels),
        }  # fmt: skip
    affine, extra = np.asarray(layer.affine.affine_matrix), len(leading)
    keep = [*range(layer.ndim - 3, layer.ndim)]
    inner, rotate, shear = np.eye(extra + 4), np.eye(extra + 3), np.eye(extra + 3)
    inner[extra:-1, extra:-1] = affine[np.ix_(keep, keep)]
    inner[extra:-1, -1] = affine[keep, -1]
    rotate[extra:, extra:] = np.asarray(layer.rotate)[-3:, -3:]
    shear[extra:, extra:] = _inner_shear(layer)
    return {
        "scale": (*(1.0,) * extra, *layer.scale[-3:]),
        "translate": (*(0.0,) * extra, *layer.translate[-3:]),
        "rotate": rotate,
        "shear": shear,
        "units": (*("pixel",) * extra, *layer.units[-3:]),
        "axis_labels": (*leading, *layer.axis_labels[-3:]),
        "affine": inner,
    }


def lies_at(layer: Layer, geometry: Geometry, frame: Geometry | None) -> bool:
    """Whether a layer of three axes or more lies where `placement` has put it."""
    wanted = placement(geometry, frame)
    same = all(np.allclose(getattr(layer, key)[-3:], wanted[key], atol=1e-9) for key in ("scale", "translate"))
    straight = (
        np.allclose(layer.affine.affine_matrix, np.eye(layer.ndim + 1))
        and np.allclose(layer.rotate, np.eye(layer.ndim))
        and np.allclose(_inner_shear(layer), np.eye(3))
    )
    # napari's Split Stack keeps scale, translate and metadata, and forgets the units: "pixel" is what nobody has set.
    return same and straight and _unit_of(layer) in (geometry.unit, "pixel")


def geometry_of(layer: Layer) -> Geometry:
    """Read the geometry off a layer's whole transform; world axes (z, y, x) become (x, y, z)."""
    ndim = layer.ndim
    unit, factors = _house_unit(layer)
    corner = np.asarray(layer.data_to_world(np.zeros(ndim)))
    steps = np.stack([np.asarray(layer.data_to_world(row)) - corner for row in np.eye(ndim)], axis=1)
    corner, steps = corner * factors, steps * factors[:, None]
    affine = np.eye(4)
    if ndim == 2:
        affine[:2, 1:3], affine[:2, 3], affine[2, :3] = steps[::-1, :], corner[::-1], (1, 0, 0)
        affine[:2, 0] = 0
    else:
        affine[:3, :3], affine[:3, 3] = steps[-3:, -3:][::-1, :], corner[-3:][::-1]
    return Geometry(affine=affine, unit=unit)


def _origin_in(frame: Geometry, geometry: Geometry) -> NDArray[np.float64]:
    """Give where a volume's first voxel would lie, in its own unit, were the frame's axes the patient's."""
    factor = factor_to(geometry, frame)
    along = np.linalg.solve(frame.direction, np.asarray(geometry.origin) * factor - frame.origin)  # z, y, x
    return np.asarray(frame.origin + along[::-1] * (-1, -1, 1)) / factor


def _house_unit(layer: Layer) -> tuple[str, NDArray[np.float64]]:
    """Give "um" for layers in um or less, "mm" for other lengths, else "pixel"; and the factor of each world axis."""
    factors = np.ones(layer.ndim)
    if any(not unit.is_compatible_with("mm") for unit in layer.units[-3:]):
        return "pixel", factors
    wanted = "um" if (1 * layer.units[-1]).m_as("um") <= 1 else "mm"
    factors[-3:] = [(1 * unit).m_as(wanted) for unit in layer.units[-3:]]
    return wanted, factors


def _unit_of(layer: Layer) -> str:
    return {"millimeter": "mm", "micrometer": "um"}.get(str(layer.units[-1]), "pixel")


def _inner_shear(layer: Layer) -> NDArray[np.float64]:
    """Give the shear of the last three axes, which napari keeps as the values above the diagonal, or as a matrix."""
    shear = np.asarray(layer.shear, dtype=np.float64)
    if shear.ndim == 2:
        return shear[-3:, -3:]
    matrix = np.eye(3)
    matrix[np.triu_indices(3, 1)] = shear[-3:]
    return matrix


def _plain(length: float) -> float:
    """Drop what rounding has left: of 25 slices 6.499999999999998 mm apart napari's slider reaches 24."""
    return float(f"{length:.12g}")
