"""Label volumes: classes, the integer type that holds every id, and how to tell labels from intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.palette import PALETTE, palette_color

OKABE_ITO = PALETTE[:7]
# Flatness, measured on some 60 real files: scans 0.00 to 0.23, label maps 0.68 to 0.98, marked points and thin
# structures between; scans have at least 124 distinct values, label maps of classes at most 54.
SCANS_BELOW, LABELS_FROM = 0.3, 0.6
FEW_VALUES, MOST_CLASSES = 64, 256
IGNORE = 255  # in training patches: not annotated, or beyond the scan's faces


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """One class of a label volume: the id in the voxels, its name, its colour as "#rrggbb"."""

    id: int
    name: str
    color: str


def default_color(index: int) -> str:
    """Give a colour for the class with this id: Okabe-Ito for the first seven, then others as far apart as can be."""
    return palette_color(index)


def classes_for(ids: NDArray[Any], names: Mapping[int, str] | None = None) -> tuple[LabelClass, ...]:
    """Name and colour the ids that occur, background (0) left out."""
    known = names or {}
    present = [int(value) for value in np.unique(ids) if value != 0]
    return tuple(LabelClass(id=i, name=known.get(i, f"class {i}"), color=default_color(i)) for i in present)


def label_dtype(highest: int) -> np.dtype[Any]:
    """Give the smallest unsigned type that holds ids up to `highest`."""
    for dtype in (np.uint8, np.uint16, np.uint32):
        if highest <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    raise Vol3dError(
        f"Label id {highest} is too large: ids up to 4294967295 can be kept.", hint="Renumber the labels first."
    )


def to_label_dtype(labels: NDArray[Any], dtype: np.dtype[Any] | None = None) -> NDArray[Any]:
    """Convert to an unsigned type without ever changing an id.

    Parameters
    ----------
    labels : ndarray, shape (Z, Y, X)
        Integers or whole-numbered floats, not negative.
    dtype : dtype, optional
        Wanted type; by default the smallest that holds every id.

    Raises
    ------
    Vol3dError
        If a value is negative, not whole, not finite, or does not fit into `dtype`.
    """
    if labels.dtype.kind == "b":
        labels = labels.view(np.uint8)
    if labels.dtype.kind == "f" and not _is_whole(labels):
        raise Vol3dError("The labels are not whole numbers.", hint="Open the volume as an image instead.")
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if lowest < 0:
        raise Vol3dError(f"Label ids can't be negative; found {lowest}.", hint="Open the volume as an image instead.")
    target = label_dtype(highest) if dtype is None else np.dtype(dtype)
    if highest > np.iinfo(target).max:
        raise Vol3dError(f"Label id {highest} does not fit into {target}.", hint="Choose a wider type.")
    return labels.astype(target, copy=False)


def looks_like_labels(data: NDArray[Any]) -> bool | None:
    """Guess whether a volume (Z, Y, X) is a label map.

    The signs: whole numbers, none negative, few distinct ones, and neighbours that are mostly equal, because labels
    are constant over regions and scans are not.

    Returns
    -------
    bool or None
        None where the signs disagree and a person should be asked.
    """
    if data.ndim != 3 or data.dtype.kind not in "buif" or not data.size:
        return False
    if data.dtype.kind == "b":
        return True
    if (data.dtype.kind == "f" and not all(_is_whole(plane) for plane in data)) or data.min() < 0:
        return False
    planes = _some_planes(data)
    count, highest, flat = len(np.unique(planes)), int(data.max()), _flatness(planes)
    if count < 2:  # what there is lies between the planes that were looked at
        return None if highest > int(data.min()) else False
    if flat < SCANS_BELOW:
        return False
    if flat < LABELS_FROM:
        return None if count <= FEW_VALUES else False
    # Two values, not 0 and 1, are a mask from a camera or a thresholded scan; very many ids may be instances.
    doubtful = count > MOST_CLASSES or (count == 2 and highest > 1)
    return None if doubtful else True


def _is_whole(data: NDArray[Any]) -> bool:
    return bool(np.isfinite(data).all()) and bool((data == np.round(data)).all())


def _some_planes(data: NDArray[Any], most: int = 2_000_000) -> NDArray[Any]:
    """Give whole (y, x) planes, evenly spread: neighbours stay neighbours, and large volumes take no longer."""
    step = max(1, -(-data.size // most))
    return np.asarray(data[(len(data) - 1) % step // 2 :: step])


def _flatness(planes: NDArray[Any]) -> float:
    """Share of neighbours in a plane with equal values, among the pairs that are not both background."""
    equal = busy = 0
    for first, second in ((planes[:, 1:], planes[:, :-1]), (planes[:, :, 1:], planes[:, :, :-1])):
        same = first == second
        equal += int((same & (first != 0)).sum())
        busy += int(((first != 0) | ~same).sum())
    return equal / busy if busy else 1.0
