"""Where filling may write."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.correct.fillable import fillable
from napari_vol3d.correct.limits import FREE, Limits


@pytest.mark.parametrize(("limits", "own", "free"), [
    (FREE, (), [0]), (FREE, (2,), [0, 2]), (Limits(inside=frozenset({1})), (2,), [0, 1, 2]),
    (Limits(inside=frozenset({0, 3})), (), [0, 3]),
])  # fmt: skip
def test_other_classes_are_free_only_by_name(limits: Limits, own: tuple[int, ...], free: list[int]) -> None:
    labels = np.arange(4, dtype=np.uint16).reshape(1, 2, 2)
    assert labels[fillable(labels, limits, own=own)].tolist() == free
