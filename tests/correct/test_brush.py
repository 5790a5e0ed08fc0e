"""Brush and eraser: every voxel by its distance in mm, no gaps, nothing outside."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.draw import line_nd

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.brush import (
    Dab,
    connected_in_range,
    erase,
    on_slice,
    paint,
    stroke,
    stroke_in_slice,
    within_range,
)
from napari_vol3d.correct.limits import Limits

SHAPE = (9, 16, 20)
COORDINATE = st.floats(-4, 24, allow_nan=False)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), min_size=1, max_size=4)
SPACING = st.tuples(*[st.floats(0.3, 6)] * 3)
TOUCHING = np.ones((3, 3, 3), bool)


def filled(dab: Dab, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    volume = np.zeros(shape, bool)
    assert dab.box.shape == dab.mask.shape == dab.line.shape
    assert not (dab.line & ~dab.mask).any()
    volume[dab.box.slices] = dab.mask
    return volume


def distance(points: list[tuple[float, float, float]], spacing: tuple[float, float, float]) -> np.ndarray:
    """Of each voxel to the line, by the angle at either end: another formula than the brush's."""
    places = np.moveaxis(np.indices(SHAPE), 0, -1) * np.array(spacing)
    ends = np.array(points) * spacing
    best = np.linalg.norm(places - ends[0], axis=-1)
    for a, b in itertools.pairwise(ends):
        to_a, to_b, length = np.linalg.norm(places - a, axis=-1), np.linalg.norm(places - b, axis=-1), math.dist(a, b)
        if length > 1e-9:
            height = np.linalg.norm(np.cross(places - a, places - b), axis=-1) / length
            beside = np.maximum(to_a, to_b) ** 2 > np.minimum(to_a, to_b) ** 2 + length**2
            best = np.minimum(best, np.where(beside, np.minimum(to_a, to_b), height))
        best = np.minimum(best, np.minimum(to_a, to_b))
    return best


@settings(max_examples=150, deadline=None)
@given(points=POINTS, spacing=SPACING, radius=st.floats(0.05, 12))
def test_a_stroke_is_all_within_the_radius_of_its_line(
    points: list[tuple[float, float, float]], spacing: tuple[float, float, float], radius: float
) -> None:
    mask = filled(dab := stroke(points, radius, spacing=spacing, shape=SHAPE))
    away = distance(points, spacing)
    clear = np.abs(away - radius) > 1e-5 * radius  # both formulas round
    line = np.zeros(SHAPE, bool)
    line[dab.box.slices] = dab.line
    np.testing.assert_array_equal((mask & ~line)[clear], (away <= radius)[clear] & ~line[clear])


@settings(max_examples=100, deadline=None)
@given(points=POINTS, spacing=SPACING, radius=st.floats(0.05, 6))
def test_a_stroke_has_no_gaps(
    points: list[tuple[float, float, float]], spacing: tuple[float, float, float], radius: float
) -> None:
    inside = [tuple(np.clip(point, 0, np.array(SHAPE) - 1).tolist()) for point in points]
    dab = stroke(inside, radius, spacing=spacing, shape=SHAPE)
    assert ndimage.label(dab.mask, TOUCHING)[1] == 1
    assert ndimage.label(dab.line, TOUCHING)[1] == 1
    for point in inside:
        assert filled(dab)[tuple(math.floor(p + 0.5) for p in point)]


@settings(max_examples=60, deadline=None)
@given(point=st.tuples(*[st.floats(0, 8)] * 3), spacing=SPACING, share=st.floats(0.01, 0.49))
def test_a_radius_below_half_a_voxel_paints_the_one_under_it(
    point: tuple[float, float, float], spacing: tuple[float, float, float], share: float
) -> None:
    mask = filled(stroke([point], share * min(spacing), spacing=spacing, shape=SHAPE))
    assert np.argwhere(mask).tolist() == [[math.floor(p + 0.5) for p in point]]


@given(ends=st.tuples(*[st.integers(0, 8)] * 6))
def test_the_thinnest_stroke_is_the_line_of_scikit_image(ends: tuple[int, ...]) -> None:
    first, last = ends[:3], ends[3:]
    expected = np.zeros(SHAPE, bool)
    expected[line_nd(first, last, endpoint=True)] = True
    mask = filled(stroke([first, last], 0.1, spacing=(1, 1, 1), shape=SHAPE))
    # Where the line passes exactly between two voxels the two choose differently.
    assert mask.sum() == expected.sum()
    assert not (mask & ~ndimage.binary_dilation(expected, TOUCHING)).any()


@settings(max_examples=60, deadline=None)
@given(points=POINTS, spacing=SPACING, radius=st.floats(0.1, 9), axis=st.integers(0, 2))
def test_a_disc_is_the_slice_of_the_ball(
    points: list[tuple[float, float, float]], spacing: tuple[float, float, float], radius: float, axis: int
) -> None:
    """Of a ball whose middle lies on that slice; and it stays there, wherever the mouse wanders across it."""
    index = math.floor(points[0][axis] + 0.5)
    flat = filled(stroke_in_slice(points, radius, spacing=spacing, shape=SHAPE, axis=axis))
    ball = filled(stroke(on_slice(points, axis=axis, index=index), radius, spacing=spacing, shape=SHAPE))
    chosen = np.zeros(SHAPE, bool)
    if 0 <= index < SHAPE[axis]:
        chosen[tuple(index if k == axis else slice(None) for k in range(3))] = True
    np.testing.assert_array_equal(flat, ball & chosen)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 0.7), (0.1, 0.1, 0.1)])
def test_a_voxel_exactly_on_the_surface_belongs_to_the_ball(spacing: tuple[float, float, float]) -> None:
    dab = stroke([(10, 10, 10)], 3 * spacing[0], spacing=spacing, shape=(21, 21, 21))
    assert dab.box == Box(start=(7, 7, 7), stop=(14, 14, 14))
    assert dab.count == 123  # whole-numbered points with z2 + y2 + x2 <= 9


def test_a_ball_on_thick_slices_is_round_in_mm() -> None:
    """SimpleITK's drawn sphere, on its own grid of the same spacing, is the judge."""
    spacing, shape, radius = (2.5, 0.8, 1.1), (17, 41, 31), 11.3
    source = SimpleITK.GaussianSource(
        size=shape[::-1], mean=[x * s for x, s in zip((15, 20, 8), spacing[::-1], strict=True)], sigma=[radius] * 3,
        scale=1.0, spacing=spacing[::-1], outputPixelType=SimpleITK.sitkFloat64,
    )  # fmt: skip
    inside = SimpleITK.GetArrayFromImage(source) >= math.exp(-0.5)
    np.testing.assert_array_equal(filled(stroke([(8, 20, 15)], radius, spacing=spacing, shape=shape), shape), inside)
    volume = inside.sum() * math.prod(spacing)
    assert volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(points=POINTS, spacing=SPACING, radius=st.floats(0.1, 9))
def test_how_often_the_mouse_reports_makes_no_difference(
    points: list[tuple[float, float, float]], spacing: tuple[float, float, float], radius: float
) -> None:
    """Segments painted one by one, as the mouse moves, are the whole stroke."""
    assume(len(points) > 1)
    whole = filled(stroke(points, radius, spacing=spacing, shape=SHAPE))
    parts = [stroke(points[k : k + 2], radius, spacing=spacing, shape=SHAPE) for k in range(len(points) - 1)]
    np.testing.assert_array_equal(np.logical_or.reduce([filled(part) for part in parts]), whole)


def test_a_brush_beside_the_volume_covers_nothing() -> None:
    for point in [(-30, 5, 5), (4, 5, 400)]:
        dab = stroke([point], 3, spacing=(1, 1, 1), shape=SHAPE)
        assert dab.box.size == dab.count == 0
        assert paint(np.zeros(SHAPE, np.uint8), dab, class_id=1) is None
        assert connected_in_range(dab, np.zeros(SHAPE), intensity=(0, 1)).count == 0


def test_what_is_no_brush_is_refused() -> None:
    for radius in (0, -1, math.nan, math.inf):
        with pytest.raises(Vol3dError, match="radius above 0"):
            stroke([(1, 1, 1)], radius, spacing=(1, 1, 1), shape=SHAPE)
    for axis in range(3):
        with pytest.raises(Vol3dError, match="at least one point"):
            stroke_in_slice([], 1, spacing=(1, 1, 1), shape=SHAPE, axis=axis)


def test_painting_and_erasing_change_what_the_brush_covers() -> None:
    labels = np.full(SHAPE, 2, np.uint8)
    labels[:, :8] = 0
    before = labels.copy()
    dab = stroke([(4, 4, 4), (4, 12, 15)], 3, spacing=(2, 1, 1), shape=SHAPE)
    edit = paint(labels, dab, class_id=5)
    assert edit is not None
    np.testing.assert_array_equal(labels, before)
    edit.apply(labels)
    np.testing.assert_array_equal(labels, np.where(filled(dab), 5, before))
    assert paint(labels, dab, class_id=5) is None
    wiped = erase(labels, dab)
    assert wiped is not None
    wiped.apply(labels)
    np.testing.assert_array_equal(labels, np.where(filled(dab), 0, before))


def test_the_eraser_keeps_locked_classes_and_takes_only_the_chosen() -> None:
    labels = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint16)
    dab = stroke([(4, 8, 8)], 5, spacing=(1, 1, 1), shape=SHAPE)
    edit = erase(labels, dab, limits=Limits(inside=frozenset({1, 2}), locked=frozenset({2})))
    assert edit is not None
    after = labels.copy()
    edit.apply(after)
    np.testing.assert_array_equal(after, np.where(filled(dab) & (labels == 1), 0, labels))


def test_a_class_that_the_labels_cannot_hold_is_refused() -> None:
    dab = stroke([(4, 8, 8)], 2, spacing=(1, 1, 1), shape=SHAPE)
    with pytest.raises(Vol3dError, match="does not fit"):
        paint(np.zeros(SHAPE, np.uint8), dab, class_id=256)


def test_the_threshold_brush_on_a_real_scan(shared_data: Path) -> None:
    """In a range, and connected to the middle line: what ITK grows from that line inside the brush."""
    folder = shared_data / "hippocampus"
    name = sorted((folder / "images").glob("*.nii.gz"))[0]
    image = np.asarray(nibabel.load(name).dataobj)
    middle = tuple(n // 2 for n in image.shape)
    dab = stroke([middle, tuple(m + 5 for m in middle)], 6, spacing=(1, 1, 1), shape=image.shape)
    low, high = np.percentile(image[dab.box.slices][dab.mask], [40, 90]).tolist()
    ranged = within_range(dab, image, intensity=(low, high))
    covered = filled(dab, image.shape)
    np.testing.assert_array_equal(filled(ranged, image.shape), covered & (image >= low) & (image <= high))

    joined = connected_in_range(dab, image, intensity=(low, high))
    seeds = np.argwhere(ranged.line) + ranged.box.start
    grown = SimpleITK.ConnectedThreshold(
        SimpleITK.GetImageFromArray(filled(ranged, image.shape).astype(np.uint8)),
        seedList=[tuple(int(v) for v in seed[::-1]) for seed in seeds], lower=1, upper=1,
    )  # fmt: skip
    np.testing.assert_array_equal(filled(joined, image.shape), SimpleITK.GetArrayFromImage(grown) > 0)
    assert 0 < joined.count < ranged.count < dab.count


def test_a_wall_stops_the_connected_threshold_brush() -> None:
    image = np.ones(SHAPE)
    image[:, 8] = 0
    dab = stroke([(4, 5, 8)], 6, spacing=(1, 1, 1), shape=SHAPE)
    assert filled(within_range(dab, image, intensity=(1, 1)))[:, 9:].any()
    joined = filled(connected_in_range(dab, image, intensity=(1, 1)))
    np.testing.assert_array_equal(joined, filled(dab) & (np.arange(16) < 8)[:, None])
    off = connected_in_range(stroke([(4, 8, 8)], 3, spacing=(1, 1, 1), shape=SHAPE), image, intensity=(1, 1))
    assert off.count == 0


def test_images_and_ranges_that_do_not_fit_are_refused() -> None:
    dab = stroke([(4, 5, 15)], 6, spacing=(1, 1, 1), shape=SHAPE)
    with pytest.raises(Vol3dError, match="differ in their grid"):
        within_range(dab, np.zeros((9, 16, 18)), intensity=(0, 1))
    with pytest.raises(Vol3dError, match="No intensity"):
        connected_in_range(dab, np.zeros(SHAPE), intensity=(1, 0))
