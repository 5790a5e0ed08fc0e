"""Figures that experts trust: Dice, surface distances in mm, volumes in mL."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def dice(prediction: NDArray[Any], reference: NDArray[Any]) -> float | None:
    """Give the Dice overlap of two masks; None where both are empty."""
    total = int(prediction.sum()) + int(reference.sum())
    return 2.0 * int(np.logical_and(prediction, reference).sum()) / total if total else None
