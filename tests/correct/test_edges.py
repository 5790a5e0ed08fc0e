"""Borders moved by mm: SciPy's distance transform and ITK's dilation are the judges, and a box is the whole."""

from __future__ import annotations

import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.edges import grow, shrink, within
from napari_vol3d.correct.limits import Limits

SHAPE = (7, 9, 11)
SPACING = st.tuples(*[st.floats(0.4, 4)] * 3)
AXIS = st.sampled_from([None, 0, 1, 2])
SEED = st.integers(0, 2**31)


def scattered(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(SHAPE) < rng.choice([0.01, 0.1, 0.9]), rng.integers(1, 4, SHAPE), 0).astype(np.uint8)


def distance(mask: np.ndarray, spacing: tuple[float, float, float], axis: int | None) -> np.ndarray:
    """Of each voxel to the mask, by SciPy; slice by slice where an axis is given."""
    if axis is not None:
        flat = tuple(s for k, s in enumerate(spacing) if k != axis)
        slices = [_distance(part, flat) for part in np.moveaxis(mask, axis, 0)]
        return np.moveaxis(np.stack(slices), 0, axis)
    return _distance(mask, spacing)


def _distance(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return ndimage.distance_transform_edt(~mask, sampling=spacing) if mask.any() else np.full(mask.shape, np.inf)


def done(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        edit.apply(after)
    return after


@settings(max_examples=120, deadline=None)
@given(seed=SEED, spacing=SPACING, by=st.floats(0.1, 9), axis=AXIS)
def test_growing_and_shrinking_go_by_distance(
    seed: int, spacing: tuple[float, float, float], by: float, axis: int | None
) -> None:
    labels = scattered(seed)
    kept = labels.copy()
    to, away = distance(labels == 1, spacing, axis), distance(labels != 1, spacing, axis)
    for edit, expected, far in (
        (grow(labels, 1, by=by, spacing=spacing, axis=axis), np.where(to <= by, 1, labels), to),
        (shrink(labels, 1, by=by, spacing=spacing, axis=axis), np.where((labels == 1) & (away <= by), 0, labels), away),
    ):
        clear = np.abs(far - by) > 1e-5 * by
        np.testing.assert_array_equal(done(labels, edit)[clear], expected[clear])
    np.testing.assert_array_equal(labels, kept)


@settings(max_examples=80, deadline=None)
@given(
    seed=SEED, spacing=SPACING, by=st.floats(0.1, 6), axis=AXIS,
    start=st.tuples(*[st.integers(-3, 9)] * 3), size=st.tuples(*[st.integers(0, 9)] * 3),
)  # fmt: skip
def test_a_box_changes_as_the_whole_does_there(
    seed: int, spacing: tuple[float, float, float], by: float, axis: int | None,
    start: tuple[int, int, int], size: tuple[int, int, int],
) -> None:  # fmt: skip
    labels = scattered(seed)
    box = Box(start=start, stop=tuple(a + n for a, n in zip(start, size, strict=True)))
    inside = np.zeros(SHAPE, bool)
    inside[tuple(slice(max(0, a), max(0, b)) for a, b in zip(box.start, box.stop, strict=True))] = True
    for tool in (grow, shrink):
        whole = done(labels, tool(labels, 1, by=by, spacing=spacing, axis=axis))
        part = done(labels, tool(labels, 1, by=by, spacing=spacing, axis=axis, box=box))
        np.testing.assert_array_equal(part, np.where(inside, whole, labels))


@settings(max_examples=60, deadline=None)
@given(seed=SEED, by=st.floats(0.5, 6), locked=st.sets(st.integers(0, 3)))
def test_locked_classes_keep_their_voxels(seed: int, by: float, locked: set[int]) -> None:
    labels, limits = scattered(seed), Limits(locked=frozenset(locked))
    for tool in (grow, shrink):
        after = done(labels, tool(labels, 1, by=by, spacing=(2, 1, 1), limits=limits))
        for class_id in locked:
            np.testing.assert_array_equal(after == class_id, labels == class_id)


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_on_cubes_it_is_the_dilation_by_a_ball(radius: int) -> None:
    """Whose kernel ITK draws half a voxel wider, so that the ball is drawn here and SciPy dilates by it."""
    mask = np.random.default_rng(radius).random((12, 13, 14)) < 0.004
    ball = np.linalg.norm(np.indices([2 * radius + 1] * 3) - radius, axis=0) <= radius
    expected = ndimage.binary_dilation(mask, ball)
    np.testing.assert_array_equal(within(mask, radius, spacing=(1, 1, 1)), expected)
    np.testing.assert_array_equal(within(mask, 0.7 * radius, spacing=(0.7, 0.7, 0.7)), expected)


def test_real_labels_on_thick_slices_against_the_distance_map_of_itk(shared_data: Path) -> None:
    folder = shared_data / "hippocampus" / "labels"
    labels = np.asarray(nibabel.load(sorted(folder.glob("*.nii.gz"))[0]).dataobj).astype(np.uint8)
    spacing, by = (2.4, 0.9, 1.3), 3.05
    picture = SimpleITK.GetImageFromArray((labels == 1).astype(np.uint8))
    picture.SetSpacing(spacing[::-1])
    away = SimpleITK.GetArrayFromImage(
        SimpleITK.SignedMaurerDistanceMap(picture, squaredDistance=False, useImageSpacing=True)
    )
    grown = done(labels, grow(labels, 1, by=by, spacing=spacing, limits=Limits(inside=frozenset({0}))))
    expected = np.where((away <= by) & (labels == 0), 1, labels)
    np.testing.assert_array_equal(grown, expected)
    assert (grown == 1).sum() > 1.5 * (labels == 1).sum()
    np.testing.assert_array_equal(grown == 2, labels == 2)


def test_less_than_a_voxel_moves_nothing_and_thick_slices_are_left_out() -> None:
    labels = np.zeros((5, 9, 9), np.uint8)
    labels[2, 4, 4] = 1
    assert grow(labels, 1, by=0.9, spacing=(5, 1, 1)) is None
    edit = grow(labels, 1, by=4.9, spacing=(5, 1, 1))
    assert edit is not None
    assert edit.box.shape[0] == 1
    assert grow(labels, 7, by=3, spacing=(1, 1, 1)) is None
    assert grow(labels, 300, by=3, spacing=(1, 1, 1)) is None


def test_a_class_cut_off_by_the_scan_is_not_worn_away_there() -> None:
    labels = np.ones((6, 6, 6), np.uint8)
    assert shrink(labels, 1, by=2, spacing=(1, 1, 1)) is None
    labels[5] = 0
    after = done(labels, shrink(labels, 1, by=2, spacing=(1, 1, 1)))
    np.testing.assert_array_equal(after, (np.arange(6) < 3).astype(np.uint8)[:, None, None] * np.ones_like(labels))


@pytest.mark.parametrize("by", [0, -2, math.nan, math.inf])
def test_what_is_no_distance_is_refused(by: float) -> None:
    for tool in (grow, shrink):
        with pytest.raises(Vol3dError, match="more than 0 mm"):
            tool(np.ones(SHAPE, np.uint8), 1, by=by, spacing=(1, 1, 1))
