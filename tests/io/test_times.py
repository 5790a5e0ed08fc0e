"""Time steps in all their spellings."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.volume import Geometry, StoredGrid, Volume
from napari_vol3d.io.times import seconds, time_step, with_time_step


@pytest.mark.parametrize(
    ("value", "unit", "found"),
    [
        (2.5, "s", 2.5), ("500", "millisecond", 0.5), (2, " Minute ", 120), (1, "h", 3600), (3, "µs", 3e-6),
        (3, "μs", 3e-6), (0, "s", None), (-1, "s", None), ("x", "s", None), (float("nan"), "s", None), (1, "", None),
        (None, "s", None), (1, "fortnight", None),
    ],
)  # fmt: skip
def test_seconds(value, unit, found):
    assert seconds(value, unit) == (None if found is None else pytest.approx(found))


def test_the_step_lies_beside_the_geometry_and_changes_nothing_else():
    geometry = Geometry(affine=np.eye(4), stored=StoredGrid(axes=(2, 1, 0), header={"format": "x"}))
    kept = with_time_step(geometry, 1.5)
    assert kept.stored.header == {"format": "x", "time_step": 1.5}
    assert kept.stored.axes == (2, 1, 0)
    assert geometry.stored.header == {"format": "x"}
    assert with_time_step(geometry, None) is geometry
    volume = Volume(data=np.zeros((1, 1, 1, 2)), geometry=kept, timed=True)
    assert time_step(volume) == 1.5
    assert time_step(volume.frame(0)) is None
