"""Drawing a box of changed voxels, where napari's `refresh` would slice, colour and upload the whole plane.

These are the steps of napari's own brush (`Labels._paint_region_with_mask`) after it has written the voxels; nothing
public does them for somebody else's box.
"""

from __future__ import annotations

import numpy as np
from napari.layers import Labels

from napari_vol3d.core.box import Box


def redraw_box(layer: Labels, box: Box, frame: int = 0) -> None:
    """Show what changed in a box of the array, on the slice that the layer shows now.

    Parameters
    ----------
    layer : Labels
        (Z, Y, X) or (T, Z, Y, X); the voxels are in its array already.
    box : Box
        In space.
    frame : int
        The time point, where there is time.
    """
    raw = layer._slice.image.raw
    if layer.contour or not layer._slicing_state.loaded or not np.may_share_memory(layer.data, raw):
        layer.refresh(extent=False, thumbnail=False, highlight=False)  # outlines reach past the box
        return
    time = () if layer.ndim == 3 else (slice(frame, frame + 1),)
    key = (*time, *box.slices)
    found = layer._get_update_slices(key)
    if found is None:
        return  # on another slice
    seen, view = tuple(found[1]), layer._slice.image.view
    if not np.may_share_memory(layer.data, view):
        view[seen] = layer.colormap._data_to_texture(raw[seen])
    layer._accumulate_updated_slice(key)
    layer._partial_labels_refresh()
