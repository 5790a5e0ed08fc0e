"""What lies under a point of the world: which layer, which voxel of it, where in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.bench.view import World
from napari_vol3d.gui.layers import finest, origin_of, still_placed
from napari_vol3d.gui.placing import geometry_of

Index: TypeAlias = tuple[int, ...]  # of a voxel, along all axes of its layer
Kind = TypeVar("Kind", Image, Labels)


def top_image(viewer: ViewerModel, *, grey: bool = False) -> Image | None:
    """Give the topmost image that is visible; `grey`: colours are passed over."""
    shown = (layer for layer in _shown(viewer, Image) if not (grey and layer.rgb))
    return next(shown, None)


def top_labels(viewer: ViewerModel) -> Labels | None:
    """Give the topmost labels that are visible."""
    return next(iter(_shown(viewer, Labels)), None)



def index_at(layer: Image | Labels, point: World) -> Index | None:
    """Give the voxel at a point, None beside the layer; between two voxels it is the one that napari shows."""
    if len(point) < layer.ndim:
        return None
    index = tuple(round(value) for value in layer.world_to_data(point).tolist())  # both round half to even
    inside = all(0 <= at < length for at, length in zip(index, finest(layer).shape, strict=False))
    return index if inside else None


def read_voxel(layer: Image | Labels, index: Index) -> Any:
    """Read one voxel: a number of NumPy's, or of a layer of colours an array of them."""
    return np.asarray(finest(layer)[index])[()]


def read_box(layer: Image | Labels, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
    """Read the voxels of a box, along all axes of the layer."""
    return np.asarray(finest(layer)[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))])


def true_place(viewer: ViewerModel, layer: Layer | None, point: World) -> tuple[World, Geometry] | None:
    """Give where a point of the canvas really is, (x, y, z), and the geometry that says so.

    The canvas leaves obliqueness out; the file's own geometry has it. Of a patient it is RAS+. A layer that remembers
    no patient lies in the space of one that does, if there is one.
    """
    asked = [*([layer] if layer is not None else []), *viewer.layers]
    found = next((one for one in asked if _is_patient(one)), layer)
    if found is None or found.ndim < 3:
        return None
    geometry = geometry_under(found)
    held = found.world_to_data(point)[-3:]
    return tuple((geometry.affine[:3, :3] @ held + geometry.affine[:3, 3]).tolist()), geometry


def geometry_under(layer: Layer) -> Geometry:
    """Give the geometry of a layer's volume: its file's where it still lies there, else that of its transform."""
    origin = origin_of(layer)
    return origin.geometry if origin is not None and still_placed(layer) else geometry_of(layer)


def length_unit(viewer: ViewerModel) -> tuple[str, float]:
    """Give the unit in which lengths on the canvas are told, and how many of it the canvas's own is."""
    units = viewer.layers.extent.units
    unit = None if units is None else units[-1]
    if unit is None or not unit.is_compatible_with("mm"):
        return "voxels", 1.0
    small = (1 * unit).m_as("um") <= 1
    return ("µm", float((1 * unit).m_as("um"))) if small else ("mm", float((1 * unit).m_as("mm")))


def _shown(viewer: ViewerModel, kind: type[Kind]) -> list[Kind]:
    """Give the layers of a kind that are visible, the topmost first."""
    return [layer for layer in reversed(viewer.layers) if isinstance(layer, kind) and layer.visible]


def _is_patient(layer: Layer) -> bool:
    origin = origin_of(layer)
    return origin is not None and origin.geometry.anatomical and still_placed(layer)
