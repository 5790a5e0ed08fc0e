"""Where a view looks at, in voxels of the labels under correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.layers import Labels, Layer

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.gui.bench.planes import Axis, Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.subject import Subject
from napari_vol3d.gui.forms.layer_choice import is_scan
from napari_vol3d.gui.layers import same_grid


def cut_axis(view: View) -> Axis:
    """Give the axis that a view cuts; of one that shows the volume, 0."""
    plane = view.plane
    return 0 if plane is Plane.VOLUME else int(plane.value)


def slice_index(view: View, subject: Subject) -> int:
    """Give the slice that a view shows, within the volume."""
    axis = cut_axis(view)
    return voxel_at(subject, view.model.dims.point)[axis]


def voxel_at(subject: Subject, point: Sequence[float]) -> Triple:
    """Give the voxel at a point of the canvas; of one outside, the nearest."""
    voxel = subject.to_voxel(point)
    z, y, x = (int(np.clip(round(v), 0, n - 1)) for v, n in zip(voxel, subject.labels.shape, strict=True))
    return (z, y, x)


def on_grid(layer: Layer, labels: Labels) -> bool:
    """Whether a layer is an image on the grid of labels, and none of a model's probabilities."""
    return is_scan(layer) and not layer.rgb and layer.ndim in (3, labels.ndim) and same_grid(layer, labels)


def box_in_view(view: View, subject: Subject) -> Box:
    """Give what a view has in its frame, through all slices; of one that shows the volume, all."""
    z, y, x = subject.labels.shape
    whole = Box.of((int(z), int(y), int(x)))
    if view.plane is Plane.VOLUME:
        return whole
    size, axis = view.native.size(), cut_axis(view)
    ends = [subject.to_voxel(view.to_world(pixel)) for pixel in ((0.0, 0.0), (size.width(), size.height()))]
    start, stop = np.floor(np.min(ends, axis=0) + 0.5), np.floor(np.max(ends, axis=0) + 0.5) + 1
    start[axis], stop[axis] = 0, whole.shape[axis]
    (z0, y0, x0), (z1, y1, x1) = start.astype(int).tolist(), stop.astype(int).tolist()
    return whole.intersect(Box(start=(z0, y0, x0), stop=(z1, y1, x1)))
