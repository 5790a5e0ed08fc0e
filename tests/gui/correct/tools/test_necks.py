"""As many parts as were asked for, or the sentence that says which numbers there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.split import split_object
from napari_vol3d.gui.correct.tools.necks import neck_for
from tests.gui.correct.tools.told import applied, balls

SPACING = (2.0, 1.0, 1.0)
# Of four in a row the neck in the middle is the deepest.
ROW = balls((20, 30, 70), SPACING, *[((10, 15, x), 8.0, 3) for x in (10, 23, 38, 51)])


@pytest.mark.parametrize("count", [2, 4])
def test_the_neck_gives_as_many_parts(count: int) -> None:
    neck = neck_for(ROW, (10, 15, 10), count, spacing=SPACING)
    after = applied(ROW, split_object(ROW, (10, 15, 10), ids=itertools.count(4), spacing=SPACING, neck=neck))
    assert len(np.unique(after)) == count + 1
    assert (after[..., :30] == after[10, 15, 10])[ROW[..., :30] > 0].all() == (count == 2)


def test_what_there_is_is_told() -> None:
    ball = balls((20, 30, 30), SPACING, ((10, 15, 15), 8.0, 3))
    with pytest.raises(Vol3dError, match=r"falls into 1.* parts, not 40"):
        neck_for(ball, (10, 15, 15), 40, spacing=SPACING)
