"""Whether labels are as large and as shaped as those that were accepted before.

Figures of each class, and those that are far from the same figure of accepted scans: in robust standard deviations,
from the median and the median absolute deviation (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers). A few
accepted scans say little about how much scans vary, so with few of them the deviation is taken wider.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.metrics import volume_ml
from napari_vol3d.core.objects import TOUCHING
from napari_vol3d.core.volume import Spacing

FEWEST = 5  # accepted scans
FAR = 2.5  # standard deviations
PER_MAD = 1.4826  # standard deviations in a median absolute deviation of normal values
WIDER = 4.0  # with n accepted scans a deviation is 1 + 4 / n times as wide
ROUND_FACES = 1.5  # area of the voxel faces of a large ball, over the ball's own
# Least standard deviation: a share of the median, or where that may be 0, a number.
LEAST_SHARE, LEAST = 0.03, {"components": 0.5, "offset": 1.0}
WORDS = {
    "volume_ml": "volume", "sphericity": "roundness", "components": "number of parts",
    **{f"extent_{axis}": f"extent along {axis}" for axis in "zyx"},
    **{f"offset_{axis}": f"place along {axis}" for axis in "zyx"},
}  # fmt: skip
Features = Mapping[str, Mapping[str, float]]
"""Figures by name, by class id as text: what JSON gives back as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """A figure that is far from those of accepted scans.

    Attributes
    ----------
    words : str
        "anterior volume 2.9 sd above accepted".
    class_id : int
    sigma : float
        Robust standard deviations, below 0 where the figure is too small.
    """

    words: str
    class_id: int
    sigma: float


def features(labels: NDArray[Any], spacing: Spacing) -> dict[str, dict[str, float]]:
    """Measure the size, shape and place of each class.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X)
    spacing : tuple of float
        Voxel edges (z, y, x), in mm.

    Returns
    -------
    dict
        By class id, as text: `volume_ml`; `sphericity`, 1 for a ball, less for anything else; `extent_z` and so on, of
        the box around it, in mm; `offset_z` and so on, from the middle of the scan to the centroid, in mm;
        `components`. Only of classes that occur. In another unit than mm, mL are thousands of cubic units.
    """
    found: dict[str, dict[str, float]] = {}
    middle = (np.array(labels.shape) - 1) / 2
    for class_id, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            mask = labels[box] == class_id
            start = np.array([part.start for part in box]) - middle
            found[str(class_id)] = _figures(mask, start, spacing)
    return found


def outliers(
    measured: Features, accepted: Sequence[Features], *, names: Mapping[int, str] | None = None
) -> tuple[Outlier, ...]:
    """Find the figures that are far from those of accepted scans, the farthest first.

    Parameters
    ----------
    measured : mapping
        What `features` gives of a scan.
    accepted : sequence of mapping
        The same of accepted scans; nothing is said with fewer than five that have a class.
    names : mapping of int to str, optional
        Of the classes, by id.
    """
    known = names or {}
    found: list[Outlier] = []
    for key in sorted({*measured, *(key for each in accepted for key in each)}, key=int):
        others = [each[key] for each in accepted if key in each]
        if len(others) >= FEWEST:
            name = known.get(int(key), f"class {key}")
            missing = key not in measured and 2 * len(others) > len(accepted)
            found += [_missing(name, int(key), others)] if missing else []
            found += _far(name, int(key), measured.get(key, {}), others)
    return tuple(sorted(found, key=lambda one: -abs(one.sigma)))


def _figures(mask: NDArray[np.bool_], start: NDArray[np.float64], spacing: Spacing) -> dict[str, float]:
    voxels = int(np.count_nonzero(mask))
    volume, area = voxels * math.prod(spacing), _faces(mask, spacing) / ROUND_FACES
    figures = {
        "volume_ml": volume_ml(voxels, spacing),
        "sphericity": math.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / area,
        "components": float(ndimage.label(mask, TOUCHING)[1]),
    }
    centre = (np.array(ndimage.center_of_mass(mask)) + start) * spacing
    for axis, length, edge, offset in zip("zyx", mask.shape, spacing, centre, strict=True):
        figures |= {f"extent_{axis}": length * edge, f"offset_{axis}": float(offset)}
    return figures


def _faces(mask: NDArray[np.bool_], spacing: Spacing) -> float:
    """Give the area of the voxel faces between a mask and what is not in it, in the square of the spacing's unit."""
    area = 0.0
    for axis, edge in enumerate(spacing):
        ends = np.count_nonzero(np.take(mask, 0, axis)) + np.count_nonzero(np.take(mask, -1, axis))
        first, second = (np.moveaxis(mask, axis, 0)[part] for part in (slice(1, None), slice(None, -1)))
        area += (ends + np.count_nonzero(first != second)) * math.prod(spacing) / edge
    return area


def _far(
    name: str, class_id: int, figures: Mapping[str, float], others: Sequence[Mapping[str, float]]
) -> Iterator[Outlier]:
    for figure in (figure for figure in WORDS if figure in figures):
        values = [each[figure] for each in others if figure in each]
        sigma = _sigma(figure, figures[figure], values) if len(values) >= FEWEST else 0.0
        if abs(sigma) >= FAR:
            side = "above" if sigma > 0 else "below"
            words = f"{name} {WORDS[figure]} {abs(sigma):.1f} sd {side} accepted"
            yield Outlier(words=words, class_id=class_id, sigma=sigma)


def _missing(name: str, class_id: int, others: Sequence[Mapping[str, float]]) -> Outlier:
    sigma = _sigma("volume_ml", 0.0, [each["volume_ml"] for each in others])
    return Outlier(words=f"{name} is missing, accepted scans have it", class_id=class_id, sigma=min(sigma, -FAR))


def _sigma(figure: str, value: float, values: Sequence[float]) -> float:
    median = float(np.median(values))
    least = LEAST.get(figure.partition("_")[0], LEAST_SHARE * abs(median)) or LEAST_SHARE
    spread = max(PER_MAD * float(np.median(np.abs(np.array(values) - median))), least)
    return (value - median) / (spread * (1 + WIDER / len(values)))
