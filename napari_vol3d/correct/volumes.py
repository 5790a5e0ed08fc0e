"""Scores shifted so that each class keeps its number of voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SWEEPS = 30  # over all classes; two or three do unless several small classes crowd each other
NEAR_ENOUGH = 0.002  # relative


def keeping_volumes(scores: NDArray[np.float32], now: NDArray[np.intp]) -> NDArray[np.float32]:
    """Find what to add to the score of each class so that as many voxels choose it as belong to it now.

    With the others held fast, the voxels that choose a class are those where it is behind by less than what is added:
    so the sorted deficits say at once what a bisection would find. The classes take turns until all fit.

    Parameters
    ----------
    scores : ndarray of float32, shape (classes, n)
        Of the first, background, nothing is asked. Minus infinity where a voxel may not choose a class.
    now : ndarray of intp, shape (n,)
        The row of the class that each voxel belongs to; it may choose that one.

    Returns
    -------
    ndarray of float32, shape (classes,)
        0 for the background.
    """
    wanted = np.bincount(now, minlength=len(scores))
    added = np.zeros(len(scores), np.float32)
    for _ in range(SWEEPS):
        for row in range(1, len(scores)):
            added[row] = _addition(scores, added, row, int(wanted[row]))
        got = np.bincount((scores + added[:, None]).argmax(axis=0), minlength=len(scores))
        if np.all(np.abs(got - wanted)[1:] <= np.maximum(1, NEAR_ENOUGH * wanted[1:])):
            break
    return added


def _addition(scores: NDArray[np.float32], added: NDArray[np.float32], row: int, wanted: int) -> np.float32:
    """Give what makes the class of a row win as nearly as many voxels as wanted as equal scores let it."""
    rivals = np.delete(scores, row, axis=0) + np.delete(added, row)[:, None]
    behind = np.sort(np.clip(rivals.max(axis=0) - scores[row], -2, 2))  # scores lie between -1 and 1
    if not 0 < wanted < len(behind):
        return np.float32(-2 if wanted == 0 else 2)
    low, high = np.searchsorted(behind, behind[wanted - 1]), np.searchsorted(behind, behind[wanted - 1], side="right")
    count = low if wanted - low < high - wanted and low > 0 else high
    return np.float32((behind[count - 1] + behind[min(count, len(behind) - 1)]) / 2)
