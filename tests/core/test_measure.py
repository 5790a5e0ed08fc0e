"""Distances, angles and grey levels in an ellipse are those of analytic shapes and of other programs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from skimage.draw import ellipse as drawn_ellipse

from napari_vol3d.core.measure import angle, distance, ellipse_statistics, in_ellipse, statistics


def test_distance_is_pythagoras_in_any_number_of_axes() -> None:
    assert distance((0, 0, 0), (2, 3, 6)) == 7
    assert distance((1.5, -2), (4.5, 2)) == 5
    assert distance((1, 2, 3), (1, 2, 3)) == 0


@pytest.mark.parametrize("wanted", [0, 1e-6, 30, 45, 90, 135, 179.9999, 180])
def test_angle_is_exact_to_both_ends(wanted: float) -> None:
    turn = math.radians(wanted)
    end = 5 * math.cos(turn), 5 * math.sin(turn)
    assert angle((3, 0), (0, 0), end) == pytest.approx(wanted, abs=1e-9)
    assert angle(end, (0, 0), (3, 0)) == pytest.approx(wanted, abs=1e-9)


def test_angle_does_not_change_when_all_is_moved_and_turned() -> None:
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    points = rng.normal(size=(3, 3))
    moved = points @ turn.T * 3.7 + (10, -20, 30)
    assert angle(*moved) == pytest.approx(angle(*points), abs=1e-9)


def test_angle_of_a_leg_without_length_is_no_number() -> None:
    assert math.isnan(angle((1, 1), (1, 1), (2, 3)))
    assert math.isnan(angle((2, 3), (1, 1), (1, 1)))


@pytest.mark.parametrize("centre", [(20, 30), (19.5, 30.25)])
@pytest.mark.parametrize("radii", [(9.2, 14.7), (1.1, 25.3), (0.6, 0.6)])
def test_the_mask_is_that_of_scikit_image(centre: tuple[float, float], radii: tuple[float, float]) -> None:
    down, across = np.ogrid[:50, :60]
    wanted = np.zeros((50, 60), bool)
    wanted[drawn_ellipse(*centre, *radii, shape=wanted.shape)] = True
    np.testing.assert_array_equal(in_ellipse(down, across, centre, radii), wanted)


def test_what_lies_on_the_line_is_inside_and_no_breadth_holds_nothing() -> None:
    assert in_ellipse([3, 3], [4, 7], (3, 4), (1, 3)).tolist() == [True, True]
    assert in_ellipse(9.0, 16.0, (1e-13, 1e-13), (15 - 1e-13, 20 - 1e-13))  # a place of the world is rounded
    assert not in_ellipse(9.0001, 16.0, (0, 0), (15, 20))
    assert not in_ellipse(3, 4, (3, 4), (0, 2)).any()
    assert not in_ellipse([3, 3], [4, 4], (3, 4), (2, 0)).any()


def test_area_of_a_fine_grid_is_that_of_the_ellipse() -> None:
    found = ellipse_statistics(np.ones((900, 700)), (0.05, 0.1), (22, 35), (15, 30))
    assert found.area == pytest.approx(math.pi * 15 * 30, rel=2e-3)
    assert (found.mean, found.sd) == (1, 0)


def test_mean_of_a_ramp_is_its_value_at_the_centre() -> None:
    down, across = np.mgrid[:80, :60] * np.array([0.8, 1.7]).reshape(2, 1, 1)
    found = ellipse_statistics(3 * down - 2 * across, (0.8, 1.7), (32, 51), (20, 24))
    assert found.mean == pytest.approx(3 * 32 - 2 * 51, abs=1e-9)
    # Of a disc with radius r the coordinate has the variance r^2 / 4.
    assert found.sd == pytest.approx(math.sqrt(9 * 400 / 4 + 4 * 576 / 4), rel=0.01)


def test_statistics_are_those_of_simpleitk() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(40, 5, (64, 48)).astype(np.float32)
    spacing, centre, radii = (0.7, 1.3), (21.3, 30.1), (9.9, 17.2)
    found = ellipse_statistics(values, spacing, centre, radii)
    down, across = np.ogrid[:64, :48]
    mask = in_ellipse(down * spacing[0], across * spacing[1], centre, radii)
    image, labels = sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask.astype(np.uint8))
    for one in (image, labels):
        one.SetSpacing(spacing[::-1])
    judge, shape = sitk.LabelStatisticsImageFilter(), sitk.LabelShapeStatisticsImageFilter()
    judge.Execute(image, labels)
    shape.Execute(labels)
    assert found.n == judge.GetCount(1)
    assert found.mean == pytest.approx(judge.GetMean(1), rel=1e-6)
    assert found.sd == pytest.approx(judge.GetSigma(1), rel=1e-6)
    assert (found.minimum, found.maximum) == pytest.approx((judge.GetMinimum(1), judge.GetMaximum(1)))
    assert found.area == pytest.approx(shape.GetPhysicalSize(1))


def test_what_has_no_value_is_not_counted() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.inf]])
    found = statistics(values, np.ones((2, 2), bool), voxel_area=0.5)
    assert (found.n, found.mean, found.minimum, found.maximum, found.area) == (2, 2, 1, 3, 1)
    assert found.sd == pytest.approx(math.sqrt(2))


def test_integers_do_not_overflow() -> None:
    found = statistics(np.full((40, 40), 255, np.uint8), np.ones((40, 40), bool), voxel_area=1)
    assert (found.mean, found.sd, found.n) == (255, 0, 1600)


def test_of_one_voxel_or_none_what_cannot_be_said_is_no_number() -> None:
    one = ellipse_statistics(np.full((9, 9), 7), (1, 1), (4, 4), (0.5, 0.5))
    assert (one.n, one.mean, one.minimum, one.maximum) == (1, 7, 7, 7)
    assert math.isnan(one.sd)
    none = ellipse_statistics(np.full((9, 9), 7), (1, 1), (4.5, 4.5), (0.4, 0.4))
    assert (none.n, none.area) == (0, 0)
    assert math.isnan(none.mean)
    assert math.isnan(none.minimum)
