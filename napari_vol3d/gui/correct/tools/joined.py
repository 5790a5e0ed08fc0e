"""One edit of several that belong together: a person undoes them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit


def joined(name: str, labels: NDArray[Any], edits: Sequence[Edit | None]) -> Edit | None:
    """Make one edit of several that change different voxels of the same labels."""
    parts = [edit for edit in edits if edit is not None]
    if not parts:
        return None
    box = parts[0].box
    for part in parts[1:]:
        box = box.joined(part.box)
    before = np.asarray(labels[box.slices])
    after = before.copy()
    for part in parts:
        z, y, x = (-v for v in box.start)
        after[part.box.shifted((z, y, x)).slices][part.changed] = part.after[part.changed]
    return Edit.between(name, before, after, start=box.start)
