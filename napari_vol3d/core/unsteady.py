"""How much a model changes its mind when a scan is changed a little: the better score, where there is time for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.plausible import Outlier
from napari_vol3d.core.suspicion import implausible

TYPICAL = 0.12  # what is missing to a Dice of 1 in a scan that is neither easy nor hard


def unsteady_score(labels: NDArray[Any], others: Sequence[NDArray[Any]], *, outliers: Sequence[Outlier] = ()) -> float:
    """Say how much a scan deserves the first look, by labels of the same scan after small changes.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, shape (Z, Y, X)
    others : sequence of ndarray, shape (Z, Y, X)
        What the same model says of the scan changed a little: blurred, at another size. At least one.
    outliers : sequence of Outlier
        What `core.plausible` found.

    Returns
    -------
    float
        0: looks sound; towards 1: deserves the first look. 1 where nothing is labelled.

    Raises
    ------
    ScanMismatch
        If the shapes differ, or there is nothing to compare with.

    Notes
    -----
    With the same labels' mean uncertainty instead (`core.suspicion.scan_score`), scans with a Dice below the median
    were told with an AUC of 0.66 on training scans of the bundled model, with this 0.75; of a network trained on half
    of them, on the other half, 0.75 and 0.81.
    """
    if not others or any(other.shape != labels.shape for other in others):
        raise ScanMismatch(
            f"Labels {labels.shape} need others of their shape; received {[other.shape for other in others]}.",
            hint="Take all from one scan.",
        )
    if not labels.any():
        return 1.0
    apart = float(np.mean([1.0 - mean_dice(labels, other) for other in others]))
    return 1.0 - math.exp(-apart / TYPICAL - implausible(outliers))


def mean_dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Give the Dice overlap of two label volumes (Z, Y, X), the mean of the classes that either has; 1 without any."""
    ids = 1 + max(int(first.max(initial=0)), int(second.max(initial=0)))
    total, common = np.zeros((2, ids), np.int64)
    for one, other in zip(first, second, strict=True):  # by planes: nothing as large as the scan is made
        total += np.bincount(one.ravel(), minlength=ids) + np.bincount(other.ravel(), minlength=ids)
        common += np.bincount(one[one == other], minlength=ids)
    there = np.flatnonzero(total[1:]) + 1
    return float((2.0 * common[there] / total[there]).mean()) if len(there) else 1.0
