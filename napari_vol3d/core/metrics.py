"""Figures that experts trust: Dice, surface distances in mm, volumes in mL.

Surfaces are as MedPy and most challenges take them: the voxels of a mask with a face neighbour outside it, where
beyond the array counts as outside. HD95 is the 95th percentile, ASSD the mean, of the distances of all surface voxels
of both masks to the other's surface. A figure that has no meaning because a class is absent is None, never 0 or
infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.volume import Spacing

CUBIC_MM_PER_ML = 1000.0
UNIT_SPACING = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """How well a class was found in one scan.

    Attributes
    ----------
    id, name : int, str
        The class.
    dice : float or None
        0 to 1; 0 where only one of the two volumes has the class.
    hd95_mm, assd_mm : float or None
        Surface distances; None where either volume lacks the class.
    volume_ml, reference_ml : float or None
        Volume in the prediction and in the reference; None where the spacing has no unit of length.
    """

    id: int
    name: str
    dice: float | None
    hd95_mm: float | None
    assd_mm: float | None
    volume_ml: float | None
    reference_ml: float | None


def dice(prediction: NDArray[Any], reference: NDArray[Any]) -> float | None:
    """Give the Dice overlap of two masks; None where both are empty."""
    total = int(prediction.sum()) + int(reference.sum())
    return 2.0 * int(np.logical_and(prediction, reference).sum()) / total if total else None


def surface_distances(
    prediction: NDArray[Any], reference: NDArray[Any], spacing: Spacing = UNIT_SPACING
) -> NDArray[np.float64] | None:
    """Give the distance of every surface voxel of either mask to the surface of the other.

    Parameters
    ----------
    prediction, reference : ndarray of bool, shape (Z, Y, X)
    spacing : tuple of float
        Along (z, y, x); the distances have its unit.

    Returns
    -------
    ndarray of float64, shape (N,), or None
        The prediction's surface voxels first, then the reference's. None where a mask is empty.

    Raises
    ------
    ScanMismatch
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> one, other = np.zeros((2, 1, 1, 8), bool)
    >>> one[..., 1], other[..., 5] = True, True
    >>> surface_distances(one, other, (1.0, 1.0, 0.5)).tolist()
    [2.0, 2.0]
    """
    _check_shapes(prediction, reference)
    first, second = prediction.astype(bool, copy=False), reference.astype(bool, copy=False)
    box = _common_box(first | second)
    if box is None or not first[box].any() or not second[box].any():
        return None
    # Beyond the box both masks are background, as erosion takes the outside to be: cutting changes no surface.
    first_surface, second_surface = _surface(first[box]), _surface(second[box])
    to_second = ndimage.distance_transform_edt(~second_surface, sampling=spacing)[first_surface]
    to_first = ndimage.distance_transform_edt(~first_surface, sampling=spacing)[second_surface]
    return np.concatenate([to_second, to_first]).astype(np.float64, copy=False)


def hd95(prediction: NDArray[Any], reference: NDArray[Any], spacing: Spacing = UNIT_SPACING) -> float | None:
    """Give the 95th percentile of the surface distances, in the unit of `spacing`; None where a mask is empty."""
    distances = surface_distances(prediction, reference, spacing)
    return None if distances is None else float(np.percentile(distances, 95))


def assd(prediction: NDArray[Any], reference: NDArray[Any], spacing: Spacing = UNIT_SPACING) -> float | None:
    """Give the mean of the surface distances, in the unit of `spacing`; None where a mask is empty."""
    distances = surface_distances(prediction, reference, spacing)
    return None if distances is None else float(distances.mean())


def volume_ml(mask_count: int, spacing: Spacing) -> float:
    """Give the volume in mL of a number of voxels with `spacing` in mm."""
    return float(mask_count * np.prod(spacing) / CUBIC_MM_PER_ML)


def compare_labels(
    prediction: NDArray[Any], reference: NDArray[Any], spacing: Spacing, names: Mapping[int, str] | None = None
) -> tuple[ClassFigures, ...]:
    """Compare two label volumes class by class.

    Parameters
    ----------
    prediction, reference : ndarray of integers, shape (Z, Y, X)
        On one grid; 0 is background.
    spacing : tuple of float
        Along (z, y, x), in mm.
    names : mapping, optional
        Class names by id.

    Returns
    -------
    tuple of ClassFigures
        For every id that occurs in either volume, in order of the ids.

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    """
    _check_shapes(prediction, reference)
    known = names or {}
    ids = np.union1d(np.unique(prediction), np.unique(reference))
    ids = ids[ids != 0]
    boxes = [_boxes(labels, ids) for labels in (prediction, reference)]
    figures = []
    for class_id, first, second in zip((int(i) for i in ids), *boxes, strict=True):
        box = _joined(first, second)
        figures.append(
            _class_figures(
                class_id, known.get(class_id, f"class {class_id}"), prediction[box] == class_id,
                reference[box] == class_id, spacing,
            )
        )  # fmt: skip
    return tuple(figures)


def _class_figures(
    class_id: int, name: str, prediction: NDArray[np.bool_], reference: NDArray[np.bool_], spacing: Spacing
) -> ClassFigures:
    distances = surface_distances(prediction, reference, spacing)
    return ClassFigures(
        id=class_id, name=name, dice=dice(prediction, reference),
        hd95_mm=None if distances is None else float(np.percentile(distances, 95)),
        assd_mm=None if distances is None else float(distances.mean()),
        volume_ml=volume_ml(int(prediction.sum()), spacing), reference_ml=volume_ml(int(reference.sum()), spacing),
    )  # fmt: skip


def _check_shapes(prediction: NDArray[Any], reference: NDArray[Any]) -> None:
    if prediction.shape != reference.shape:
        raise ScanMismatch(
            f"The two volumes differ in shape: {prediction.shape} and {reference.shape}.",
            hint="Bring the labels to one grid first.",
        )


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def _common_box(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    found = ndimage.find_objects(mask.view(np.int8), max_label=1)
    return found[0] if found else None


def _boxes(labels: NDArray[Any], ids: NDArray[Any]) -> list[tuple[slice, ...] | None]:
    """Find the bounding box of each of the ids, sparse as they may be; None where an id is absent."""
    numbers = np.searchsorted(ids, labels).astype(np.int32) + 1
    numbers[labels == 0] = 0
    return list(ndimage.find_objects(numbers, max_label=len(ids)))


def _joined(first: tuple[slice, ...] | None, second: tuple[slice, ...] | None) -> tuple[slice, ...]:
    if first is None or second is None:
        return first or second or ()
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
