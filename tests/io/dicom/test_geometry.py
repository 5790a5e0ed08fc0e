"""Distances, tilt and matrix come from positions and directions alone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.geometry import (
    affine_of,
    along_normal,
    check_even,
    distinct,
    normal_of,
    positions_of,
    step_of,
    tilt,
    usual_step,
)
from napari_vol3d.io.dicom.scan import scan
from tests.io.dicom_phantom import AXIAL, ORIGIN, SPACING, series


def planes(folder, **changes):
    return sorted(scan(series(folder, **changes)).planes, key=lambda plane: plane.name)


def test_the_matrix_of_an_axial_series_by_hand(tmp_path):
    x, y, z = ORIGIN
    expected = [[-0.6, 0, 0, -x], [0, -0.8, 0, -y], [0, 0, 2.5, z], [0, 0, 0, 1]]
    np.testing.assert_allclose(affine_of(planes(tmp_path), 6, tmp_path), expected, atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 0.05, 1.0, 30.0])
def test_tilt_is_measured_and_kept_but_rounding_is_not(tmp_path, degrees):
    shear = np.array([np.tan(np.radians(degrees)), 0, 0])
    slices = planes(tmp_path, shear=shear)
    assert tilt(slices) == pytest.approx(degrees, abs=1e-3)
    kept = shear if degrees > 0.1 else 0 * shear
    np.testing.assert_allclose(step_of(slices, 6), 2.5 * (np.array([0, 0, 1]) + kept), atol=1e-5)


def test_the_usual_step_is_not_moved_by_one_gap():
    for steps in ([2.5, 5], [2.5, 2.5, 5], [5, 2.5], [2.5] * 9 + [7.5], [2.5]):
        assert usual_step(np.array(steps)) == 2.5


def test_one_percent_is_uneven_and_less_is_not(tmp_path):
    check_even(planes(tmp_path, steps=np.array([0, 2.5, 5.02, 7.5, 10, 12.5])), "key")
    with pytest.raises(FileProblem, match="Uneven slices"):
        check_even(planes(tmp_path, steps=np.array([0, 2.5, 5.03, 7.5, 10, 12.5])), "key")


def test_positions_along_the_normal(tmp_path):
    slices = planes(tmp_path)
    np.testing.assert_allclose(normal_of(slices[0]), np.cross(AXIAL[:3], AXIAL[3:]))
    np.testing.assert_allclose(along_normal(slices, normal_of(slices[0])), ORIGIN[2] + SPACING[0] * np.arange(6))
    np.testing.assert_allclose(positions_of(slices)[:, 2], ORIGIN[2] + SPACING[0] * np.arange(6))
    assert distinct(np.array([3, 1, 1 + 1e-4, 2]), slices[0]) == [1, 2, 3]
