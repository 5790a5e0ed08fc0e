"""One patient space on the canvas: the first image is the reference, others are laid into its axes and its place.

An image with the reference's axes keeps its own voxels and is put at its place. One with other axes is resampled onto
the reference's grid, where it is looked at. Volumes that are no patient's are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from napari import Viewer
from napari.components import LayerList
from napari.layers import Image, Layer

from napari_vol3d.core.box import Triple
from napari_vol3d.core.onto import Onto, share_inside
from napari_vol3d.core.sliced import Moved
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import Origin, origin_of, still_placed
from napari_vol3d.gui.placing import factor_to, geometry_of, lies_at

SAME_AXES = 1 - 5e-7  # cosine of 0.06 degrees, as `Geometry.oblique` has it
ALL_INSIDE, HARDLY_INSIDE = 0.995, 0.005


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The grid that labels live on, and the space it lies in.

    Attributes
    ----------
    geometry : Geometry
    shape : tuple of int
        (Z, Y, X) voxels.
    frame : Geometry
        What the layers of the canvas are placed by: the geometry of the first reference, which may be gone.
    name : str
    """

    geometry: Geometry
    shape: Triple
    frame: Geometry
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """How a volume is shown: its voxels or those on the reference's grid, the frame they lie in, what is to be said."""

    volume: Volume
    frame: Geometry | None = None
    note: str = ""


def reference_of(viewer: Viewer | None) -> Reference | None:
    """Give the reference of a viewer: its first layer that shows a patient volume of ours where it was put."""
    layers: LayerList | tuple[()] = viewer.layers if viewer is not None else ()
    for layer in layers:
        origin = origin_of(layer)
        found = reference_from(origin, layer.name) if origin is not None and still_placed(layer) else None
        if found is not None:
            return found
    return None


def reference_from(origin: Origin, name: str) -> Reference | None:
    """Give the reference that a layer of this origin would be; None where it shows no patient."""
    if origin.shape is None or not origin.geometry.anatomical:
        return None
    frame = origin.geometry if origin.frame is None else origin.frame
    return Reference(geometry=origin.geometry, shape=origin.shape, frame=frame, name=name)


def on_its_scan(volume: Volume, layer: Layer, others: Iterable[Layer]) -> Volume:
    """Give labels their place in the patient: layers that napari makes know nothing of the scan that they lie on.

    Parameters
    ----------
    volume : Volume
        What `to_volume` made of the layer.
    others : iterable of Layer
        Those of the same canvas.

    Returns
    -------
    Volume
        On a scan of the same grid its own geometry and source; else where the layer lies beside the patient's scan.
        Unchanged where the layer is ours, or no patient is on the canvas.
    """
    if origin_of(layer) is not None or layer.ndim != 3:
        return volume
    scans = [(other, origin) for other in others if (origin := origin_of(other)) and still_placed(other)]
    for _, origin in scans:
        if origin.shape == volume.shape and lies_at(layer, origin.geometry, origin.frame):
            return replace(volume, geometry=origin.geometry, source=origin.source)
    patient = next(((other, origin) for other, origin in scans if origin.geometry.anatomical), None)
    if patient is None:
        return volume
    other, origin = patient
    shown = geometry_of(other).affine  # from a voxel to the canvas, whose axes are the patient's but for their signs
    affine = origin.geometry.affine @ np.linalg.inv(shown) @ volume.geometry.affine
    return replace(volume, geometry=Geometry(affine=affine, unit=origin.geometry.unit, anatomical=True))


def in_space(volume: Volume, reference: Reference | None, *, as_labels: bool) -> Shown:
    """Lay a volume into the reference's space; nothing is read yet."""
    if reference is None or not volume.geometry.anatomical:
        return Shown(volume=volume)
    if _same_axes(volume.geometry, reference.frame):
        return Shown(volume=volume, frame=reference.frame)
    inside = share_inside(_in_unit_of(volume, reference), reference.geometry, reference.shape)
    if inside < HARDLY_INSIDE:
        return Shown(volume=volume, note=f"{volume.name} lies elsewhere than {reference.name}: it keeps its own axes.")
    data = Onto(_in_unit_of(volume, reference), reference.geometry, reference.shape, nearest=as_labels)
    return Shown(
        volume=replace(volume, data=data, geometry=reference.geometry), frame=reference.frame,
        note=_note(volume, reference, inside, as_labels),
    )  # fmt: skip


def resampled(layer: Image) -> bool:
    """Whether a layer shows a scan on another's grid: what is computed on it is computed there."""
    data = layer.data[0] if layer.multiscale else layer.data
    return isinstance(getattr(data, "data", data) if isinstance(data, Moved) else data, Onto)


def _same_axes(one: Geometry, other: Geometry) -> bool:
    return bool((one.direction * other.direction).sum(axis=0).min() >= SAME_AXES)


def _in_unit_of(volume: Volume, reference: Reference) -> Volume:
    factor = factor_to(volume.geometry, reference.geometry)
    affine = np.diag([factor, factor, factor, 1.0]) @ volume.geometry.affine
    return replace(volume, geometry=replace(volume.geometry, affine=affine, unit=reference.geometry.unit))


def _note(volume: Volume, reference: Reference, inside: float, as_labels: bool) -> str:
    cut = "" if inside > ALL_INSIDE else f" {1 - inside:.0%} of it lies outside and is left out."
    if as_labels:
        way_on = "Open it in a window of its own to correct its own voxels."
        return f"{volume.name} was resampled to the grid of {reference.name}: their axes differ.{cut} {way_on}"
    return f"{volume.name} is shown on the grid of {reference.name}: their axes differ.{cut}"
