"""Layers and registration: the volume behind a layer, and the layer that shows it where it was moved to."""

from __future__ import annotations

from dataclasses import replace

from napari import Viewer
from napari.layers import Image

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.sliced import taken
from napari_vol3d.core.volume import Affine, Geometry, Volume
from napari_vol3d.gui.layers import to_layer, to_volume
from napari_vol3d.gui.placing import factor_to, placed_like
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.pipeline.register import Registration, moved_by

LOOKS = ("colormap", "contrast_limits", "gamma", "opacity", "blending", "interpolation2d", "rendering")
SUFFIX = " (registered)"


def own_volume(layer: Image) -> Volume:
    """Give the scan that a layer shows, in its own voxels where these are shown on another scan's grid.

    Raises
    ------
    ScanMismatch
        If the layer is no volume.
    """
    volume = to_volume(layer)
    return replace(volume.data.volume, name=layer.name) if isinstance(volume.data, Onto) else volume


def shown_moment(viewer: Viewer, layer: Image) -> Volume:
    """Give the time point and the channel of a scan that the sliders show: three axes."""
    volume = own_volume(layer)
    lead = {name: viewer.dims.current_step[viewer.dims.ndim - layer.ndim + axis]
            for axis, name in enumerate(layer.axis_labels[: layer.ndim - 3])}  # fmt: skip
    if volume.timed:
        volume = volume.frame(min(int(lead.get("time", 0)), volume.frames - 1))
    if len(volume.data.shape) == 4:
        channel = min(int(lead.get("channel", 0)), volume.data.shape[3] - 1)
        volume = replace(volume, data=taken(volume.data, 3, channel), channels=())
    return volume


def registered_layer(viewer: Viewer, layer: Image, matrix: Affine, onto: Image) -> tuple[Image, str]:
    """Make the layer that shows a scan after a motion, and say what is to be said of it.

    Its voxels stay where they are: what is moved is where they lie, and what is shown is computed as it is looked at.

    Parameters
    ----------
    matrix : ndarray of float64, shape (4, 4)
        The motion, RAS, in mm.
    onto : Image
        The layer whose grid is taken where the canvas has no patient's space.
    """
    volume = own_volume(layer)
    volume = replace(volume, geometry=moved_by(matrix, volume.geometry), name=layer.name.removesuffix(SUFFIX) + SUFFIX)
    note = ""
    if volume.geometry.anatomical:
        shown = in_space(volume, reference_of(viewer), as_labels=False)
        note = shown.note
        data, keywords, _ = to_layer(shown.volume, as_labels=False, frame=shown.frame)
    else:
        data, keywords, _ = to_layer(_on_grid_of(volume, own_volume(onto)), as_labels=False)
        keywords |= placed_like(onto, leading=keywords["axis_labels"][:-3])
    looks = {name: getattr(layer, name) for name in LOOKS}
    return Image(data, **(keywords | looks)), note


def words_of(found: Registration, name: str, other: str) -> str:
    """Say what was found."""
    if found.after <= found.before:
        return f"{name} lies on {other} as well as it can: it was not moved."
    return (
        f"{name} was moved by {found.shift:.1f} mm and turned by {found.degrees:.1f}° "
        f"(mutual information {found.before:.2f}, now {found.after:.2f}; {found.seconds:.1f} s)."
    )


def _on_grid_of(volume: Volume, other: Volume) -> Volume:
    factor = factor_to(volume.geometry, other.geometry)
    affine = volume.geometry.affine.copy()
    affine[:3] *= factor
    here = replace(volume, geometry=Geometry(affine=affine, unit=other.geometry.unit))
    return replace(volume, data=Onto(here, other.geometry, other.shape), geometry=other.geometry)
