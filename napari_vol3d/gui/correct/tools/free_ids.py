"""Ids that no class has yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def free_ids(labels: NDArray[Any], known: Iterable[int]) -> Iterator[int]:
    """Give ids that the type of the labels (Z, Y, X) holds: above the highest that is used, then those between.

    Parameters
    ----------
    known : iterable of int
        Classes that may have no voxel, and keep their ids all the same.
    """
    highest, names = int(np.iinfo(labels.dtype).max), set(known)
    top = max(int(labels.max(initial=0)), *names, 0)
    yield from range(top + 1, highest + 1)
    used = {int(i) for plane in labels for i in np.unique(plane)} | names  # only now: this reads all voxels in order
    yield from (i for i in range(1, min(top, highest) + 1) if i not in used)
