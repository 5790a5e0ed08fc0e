"""No value changes on the way into a file of plain numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.plain_numbers import plain_numbers

TARGET = Path("a.nii")


@pytest.mark.parametrize("kind", ["?", "f2", "f4", ">f8", "i1", ">i2", "<i4", "u8"])
def test_values_stay(kind):
    voxels = np.arange(2).astype(kind).reshape(1, 1, 2)
    found = plain_numbers(TARGET, voxels, "NIfTI")
    assert found.dtype.isnative
    assert found.dtype.kind in "iuf"
    np.testing.assert_array_equal(found, voxels.astype(np.float64))


@pytest.mark.parametrize("kind", ["c8", "U3", "O", "M8[s]"])
def test_what_is_no_number_is_refused(kind):
    with pytest.raises(SaveProblem, match=r"a.nii was not saved: NIfTI can't hold"):
        plain_numbers(TARGET, np.zeros((1, 1, 1), kind), "NIfTI")
