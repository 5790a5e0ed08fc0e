"""Which part of the scan: all of it, what is in view, or a drawn box."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels, Shapes
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.checks import spacing_in

BOX_LAYER = "Vol3D box"


def region_in_view(viewer: Viewer, layer: Image, scan: Volume, card: ModelCard) -> Box:
    """Give the part of the scan that the canvas shows.

    In depth it reaches as far as the model's field of view around the current slice, where the card names one, else
    through the whole scan. In a 3D view it is the whole scan.
    """
    if viewer.dims.ndisplay == 3 or layer.ndim < 3:
        return Box.of(scan.shape)
    corners = np.asarray(layer.corner_pixels)[:, -3:]
    if layer.multiscale:  # they are those of the level that is shown
        corners = corners * np.asarray(layer.downsample_factors)[layer.data_level, -3:]
    start, stop = corners[0].astype(int), corners[1].astype(int) + 1
    held, here = sliced_axis(viewer), focus_on(viewer, layer).point
    start[held], stop[held] = 0, scan.shape[held]
    spacing = spacing_in(scan.geometry, card.input.unit)
    if card.input.field_of_view is not None and spacing is not None:
        reach = int(np.ceil(card.input.field_of_view[held] / spacing[held] / 2))
        start[held], stop[held] = round(here[held]) - reach, round(here[held]) + reach + 1
    return _box(start, stop).intersect(Box.of(scan.shape))


def start_drawing(viewer: Viewer, layer: Image) -> Shapes:
    """Make the layer in which a person draws the box, ready for a rectangle."""
    found = [shapes for shapes in viewer.layers if isinstance(shapes, Shapes) and shapes.name == BOX_LAYER]
    shapes = found[0] if found else viewer.add_shapes(
        name=BOX_LAYER, ndim=layer.ndim, scale=layer.scale, translate=layer.translate, units=layer.units,
        axis_labels=layer.axis_labels, face_color="transparent", edge_color="#f0e442", edge_width=0.5,
    )  # fmt: skip
    viewer.layers.selection.active = shapes
    shapes.mode = "add_rectangle"
    return shapes


def drawn_region(viewer: Viewer, layer: Image, scan: Volume, card: ModelCard) -> Box:
    """Give the box around all rectangles drawn in the box layer.

    Rectangles on several slices give the depth; with one slice only, the depth is the model's field of view around
    it, where the card names one, else the whole scan.

    Raises
    ------
    ScanMismatch
        If nothing is drawn.
    """
    drawn = [shapes for shapes in viewer.layers if isinstance(shapes, Shapes) and shapes.name == BOX_LAYER]
    if not drawn or not len(drawn[0].data):
        raise ScanMismatch("No box is drawn yet.", hint="Press Draw, then drag a rectangle over the organ.")
    shapes = drawn[0]
    corners = np.concatenate([np.asarray(shape) for shape in shapes.data])
    world = np.array([shapes.data_to_world(corner) for corner in corners])
    voxels = _voxels_of(layer, world)
    start, stop = np.floor(voxels.min(axis=0) + 0.5).astype(int), np.floor(voxels.max(axis=0) + 0.5).astype(int) + 1
    for axis in range(3):
        if stop[axis] - start[axis] <= 1:
            start[axis], stop[axis] = _depth(axis, int(start[axis]), scan, card)
    return _box(start, stop).intersect(Box.of(scan.shape))


def focus_on(viewer: Viewer, layer: Image) -> Focus:
    """Give the scan voxel in the middle of the canvas, and the axis that a 2D view shows a slice across."""
    centre = np.asarray(viewer.dims.point, dtype=float)
    shown = list(viewer.dims.displayed)
    centre[shown] = np.asarray(viewer.scene.camera.center)[-len(shown) :]
    z, y, x = (float(value) for value in _voxels_of(layer, centre[None])[0])
    axis = sliced_axis(viewer) if viewer.dims.ndisplay == 2 else None
    return Focus(point=(z, y, x), axis=axis if axis is None or 0 <= axis < 3 else None)


def looks_at(viewer: Viewer, layer: Image, scan: Volume) -> bool:
    """Whether the middle of the canvas, on the current slice, lies on the scan."""
    point = focus_on(viewer, layer).point
    return all(-0.5 <= p < n - 0.5 for p, n in zip(point, scan.shape, strict=True))


def go_to_largest(viewer: Viewer, layer: Labels) -> None:
    """Move the slider to the slice that holds most labels; a 3D view stays."""
    axis, held = int(viewer.dims.order[-3]), sliced_axis(viewer)
    leading = layer.ndim - 3
    moment = [int(step) for step in viewer.dims.current_step[-layer.ndim :][:leading]]  # of a series, the one shown
    counts = np.count_nonzero(layer.data[tuple(moment)], axis=tuple(a for a in range(3) if a != held))
    point = np.zeros(layer.ndim)
    point[:leading], point[leading + held] = moment, int(counts.argmax())
    viewer.dims.set_point(axis, float(layer.data_to_world(point)[leading + held]))


def sliced_axis(viewer: Viewer) -> int:
    """Give the held axis (0 z, 1 y, 2 x) that the slider moves along in a 2D view."""
    if viewer.dims.ndim < 3:
        return 0  # an image of two axes is one slice along z
    return int(viewer.dims.order[-3]) - (viewer.dims.ndim - 3)


def _voxels_of(layer: Image, world: NDArray[Any]) -> NDArray[np.float64]:
    """Give the scan voxels (z, y, x) of world points, one a row; an image of two axes is one slice."""
    voxels = np.array([layer.world_to_data(point[-layer.ndim :]) for point in world])[:, -3:]
    return np.pad(voxels, ((0, 0), (3 - voxels.shape[1], 0)))


def _depth(axis: int, at: int, scan: Volume, card: ModelCard) -> tuple[int, int]:
    spacing = spacing_in(scan.geometry, card.input.unit)
    if card.input.field_of_view is None or spacing is None:
        return 0, scan.shape[axis]
    reach = int(np.ceil(card.input.field_of_view[axis] / spacing[axis] / 2))
    return at - reach, at + reach + 1


def _box(start: Any, stop: Any) -> Box:
    return Box(start=tuple(int(v) for v in start), stop=tuple(int(v) for v in stop))  # type: ignore[arg-type]
