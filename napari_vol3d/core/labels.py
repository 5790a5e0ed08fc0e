"""Label volumes: classes, the integer type that holds every id, and how to tell labels from intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import Vol3dError

# Okabe and Ito's palette, which colour-blind people can tell apart; without black and white, which scans use.
OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
GOLDEN_ANGLE = 0.618033988749895
IGNORE = 255  # in training patches: not annotated, or beyond the scan's faces


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """One class of a label volume: the id in the voxels, its name, its colour as "#rrggbb"."""

    id: int
    name: str
    color: str


def default_color(index: int) -> str:
    """Give a colour for the class with this id: Okabe-Ito for the first seven, then hues a golden angle apart."""
    if 1 <= index <= len(OKABE_ITO):
        return OKABE_ITO[index - 1]
    import colorsys

    hue = (index * GOLDEN_ANGLE) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 + 0.4 * (index % 2), 0.95 - 0.25 * (index % 3) / 2)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


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


def looks_like_labels(data: NDArray[Any], *, most_classes: int = 256) -> bool | None:
    """Guess whether a volume is a label map.

    Few distinct whole numbers, not negative, mostly background, and neighbours that are mostly equal (labels are
    piecewise constant, scans are not).

    Returns
    -------
    bool or None
        None where the signs disagree and a person should be asked.
    """
    if data.ndim != 3 or data.dtype.kind not in "buif" or not data.size:
        return False
    if data.dtype.kind == "b":
        return True
    sample = _thinned(data)
    if (data.dtype.kind == "f" and not _is_whole(sample)) or sample.min() < 0:
        return False
    values = np.unique(sample)
    if len(values) > most_classes or len(values) < 2:
        return False
    flat = _flatness(data)
    # Measured on the real scans and label maps of the test data: label maps 0.93 to 1.0, scans below 0.75
    # unless most of the field is empty air; two-valued masks from cameras (0 and 255) are the doubtful kind.
    if flat >= 0.9 and (values[-1] <= 1000 or len(values) <= 3):
        return True if _gapless(values) else None
    return None if flat >= 0.9 else False


def _gapless(values: NDArray[Any]) -> bool:
    """Whether ids look numbered by people (0, 1, 2 ... or sparse small ids), not like grey levels 0 and 255."""
    return not (len(values) == 2 and values[-1] > 1)


def _is_whole(data: NDArray[Any]) -> bool:
    return bool(np.isfinite(data).all()) and bool((data == np.round(data)).all())


def _thinned(data: NDArray[Any], most: int = 2_000_000) -> NDArray[Any]:
    step = max(1, round((data.size / most) ** (1 / 3)))
    return np.asarray(data[::step, ::step, ::step])


def _flatness(data: NDArray[Any]) -> float:
    """Share of neighbouring pairs with equal values among the pairs that are not both background."""
    equal = total = 0
    for axis in (1, 2):
        first = np.take(data, range(data.shape[axis] - 1), axis=axis)
        second = np.take(data, range(1, data.shape[axis]), axis=axis)
        busy = (first != 0) | (second != 0)
        equal += int(((first == second) & busy).sum())
        total += int(busy.sum())
    return equal / total if total else 1.0
