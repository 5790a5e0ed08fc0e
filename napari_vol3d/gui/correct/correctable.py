"""Which labels can be put under correction, and why others can't."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels, Layer

from napari_vol3d.gui.layers import is_preview

EDITABLE = (3, 4)  # axes
ONLY_LOOKED_AT = "napari-vol3d only looked at"  # why, in the metadata of a layer


def can_correct(layer: Layer) -> bool:
    """Whether a layer can be put under correction: labels whose voxels lie in memory."""
    return isinstance(layer, Labels) and not is_preview(layer) and not why_not(layer)


def why_not(layer: Labels) -> str:
    """Say why labels can't be corrected, in a sentence with a way on; "" where they can."""
    data, name = layer.data, layer.name
    if layer.metadata.get(ONLY_LOOKED_AT):
        return str(layer.metadata[ONLY_LOOKED_AT])
    if layer.ndim not in EDITABLE:
        return f"{name} can't be corrected here: it has {layer.ndim} axes, not 3 or 4. napari's own brush can."
    if not isinstance(data, np.ndarray):
        return f"{name} can't be corrected here: its voxels lie on a disk. Load them into memory first."
    if not data.flags.writeable:
        return f"{name} can't be corrected: its voxels are read-only. Duplicate the layer, and correct that."
    return ""


def made_unsigned(layer: Labels) -> bool:
    """See the voxels of a layer as an unsigned type, in the same memory: int32 is what many programs give.

    Returns
    -------
    bool
        False where an id is negative; then nothing has happened.
    """
    data = layer.data
    if data.dtype.kind == "u":
        return True
    if data.min(initial=0) < 0:
        return False
    layer.data = data.view(data.dtype.str.replace("i", "u"))
    return True
