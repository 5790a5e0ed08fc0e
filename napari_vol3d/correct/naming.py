"""What a change is called in the list of edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit

LETTERS = "zyx"
SEVERAL = "several classes"


def name_class(class_id: int, names: Mapping[int, str]) -> str:
    """Say which class: by its name, else by its number."""
    return "background" if class_id == 0 else names.get(class_id, f"class {class_id}")


def name_slices(box: Box) -> str:
    """Say which slices a change lies in, counted along its thinnest axis: "z 40-44", "y 12"."""
    axis = int(np.argmin(box.shape))
    first, last = box.start[axis], box.stop[axis] - 1
    return f"{LETTERS[axis]} {first}" if first == last else f"{LETTERS[axis]} {first}-{last}"


def name_change(verb: str, edit: Edit, names: Mapping[int, str]) -> str:
    """Say what was done to which class where: "Paint anterior, z 40-44".

    It is named by the class that gains voxels. What was only taken away is called "Erase", and named by what it was.
    """
    changed = edit.changed
    given = _classes(edit.after[changed])
    deed, whose = (verb, given) if given else ("Erase", _classes(edit.before[changed]))
    return f"{deed} {name_class(whose[0], names) if len(whose) == 1 else SEVERAL}, {name_slices(edit.box)}"


def _classes(ids: NDArray[Any]) -> list[int]:
    return [int(i) for i in np.unique(ids) if i]
