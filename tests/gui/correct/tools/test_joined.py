"""Several changes become one that does the same."""

from __future__ import annotations

import numpy as np

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.tools.joined import joined
from tests.gui.correct.tools.told import applied


def test_one_edit_does_what_all_did() -> None:
    labels = np.random.default_rng(3).integers(0, 4, (8, 9, 10)).astype(np.uint8)
    half = labels.copy()
    half[1:3, 2:5, 0:4][labels[1:3, 2:5, 0:4] == 1] = 3
    whole = half.copy()
    whole[5:8, 0:3, 6:10][labels[5:8, 0:3, 6:10] != 2] = 0
    edits = [Edit.between("a", labels, half), None, Edit.between("b", half, whole)]
    one = joined("all", labels, edits)
    assert one is not None
    assert one.name == "all"
    assert np.array_equal(applied(labels, one), whole)
    assert joined("none", labels, [None, None]) is None
