"""What a tool that fills may write over: background, and other classes only where they are named."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.correct.limits import Limits, one_of


def fillable(labels: NDArray[Any], limits: Limits, *, own: Collection[int] = ()) -> NDArray[np.bool_]:
    """Tell where filling may write: nobody asked a tool that closes gaps to take voxels from another class.

    Parameters
    ----------
    labels : ndarray of an unsigned integer type, any shape
    limits : Limits
        The classes of `inside` may be written over; without `inside` only background may.
    own : collection of int
        Classes that the tool may redraw in any case.

    Returns
    -------
    ndarray of bool, of the shape of `labels`
    """
    return one_of(labels, {0, *own, *(limits.inside or ())})
