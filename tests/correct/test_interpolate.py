"""Slices taken out of known shapes and of real labels come back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.interpolate import Interpolated, interpolate
from napari_vol3d.correct.limits import Limits

UNIT: Spacing = (1.0, 1.0, 1.0)


def after(labels: np.ndarray, filled: Interpolated) -> np.ndarray:
    changed = labels.copy()
    if filled.edit is not None:
        filled.edit.apply(changed)
    return changed


def only(labels: np.ndarray, axis: int, drawn: list[int]) -> np.ndarray:
    """Labels with all slices but those drawn emptied."""
    left = np.zeros_like(labels)
    np.moveaxis(left, axis, 0)[drawn] = np.moveaxis(labels, axis, 0)[drawn]
    return left


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)))


def sphere(spacing: Spacing, radius: float = 20.0) -> np.ndarray:
    shape = [int(2.4 * radius / edge) for edge in spacing]
    grid = [(g - (n - 1) / 2) * e for g, n, e in zip(np.indices(shape), shape, spacing, strict=True)]
    return np.where(sum(g**2 for g in grid) <= radius**2, 3, 0).astype(np.uint16)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("spacing", [UNIT, (2.0, 0.8, 0.8), (0.9, 1.0, 1.6)])
def test_a_sphere_drawn_each_5_mm_comes_back(axis: int, spacing: Spacing) -> None:
    ball = sphere(spacing)
    others = tuple(k for k in range(3) if k != axis)
    own = np.flatnonzero((ball > 0).any(axis=others))
    step = int(5 / spacing[axis])
    drawn = sorted({*range(int(own[0]), int(own[-1]), step), int(own[-1])})
    start = only(ball, axis, drawn)
    filled = interpolate(start, axis=axis, classes=[3], spacing=spacing)
    assert dice(after(start, filled) == 3, ball == 3) > 0.97
    assert filled.slices == tuple(i for i in range(own[0], own[-1] + 1) if i not in drawn)
    np.testing.assert_array_equal(start, only(ball, axis, drawn))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize(("gap", "slope"), [(6, 0.5), (8, 1.5), (12, 3.0)])
def test_a_tilted_cylinder_stays_a_cylinder(axis: int, gap: int, slope: float) -> None:
    """Also where the discs drawn do not overlap: 12 slices at a slope of 3 are 36 voxels, the radius is 8."""
    n, u, v = np.indices((2 * gap + 1, 30, 100))
    tube = ((u - 15 - 0.1 * n) ** 2 + (v - 12 - slope * n) ** 2 <= 64).astype(np.uint8)
    tube = np.ascontiguousarray(np.moveaxis(tube, 0, axis))
    start = only(tube, axis, [0, gap, 2 * gap])
    found = after(start, interpolate(start, axis=axis, classes=[1], spacing=UNIT))
    assert dice(found > 0, tube > 0) > 0.96
    sizes = np.moveaxis(found, axis, 0).reshape(2 * gap + 1, -1).sum(axis=1)
    assert sizes.min() > 0.9 * sizes.max()


def plain(start: np.ndarray, axis: int, drawn: list[int], class_id: int) -> np.ndarray:
    """The usual way: signed distances of whole slices, blended linearly."""
    stack = np.moveaxis(start == class_id, axis, 0)
    found = stack.copy()
    for first, second in pairwise(drawn):
        if not stack[first].any() or not stack[second].any():
            continue
        ends = [ndimage.distance_transform_edt(m) - ndimage.distance_transform_edt(~m) for m in stack[[first, second]]]
        for k in range(first + 1, second):
            share = (k - first) / (second - first)
            found[k] = (1 - share) * ends[0] + share * ends[1] >= 0
    return np.moveaxis(found, 0, axis)


@pytest.mark.parametrize("axis", range(3))
def test_real_labels_with_three_of_four_slices_removed_come_back(shared_data: Path, axis: int) -> None:
    """And better than by the plain blend, along each axis."""
    ours, theirs = [], []
    for path in sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[:36:3]:
        labels = np.asarray(nib.load(path).dataobj).astype(np.uint8).T
        own = np.flatnonzero((labels > 0).any(axis=tuple(k for k in range(3) if k != axis)))
        drawn = list(range(own[0], own[-1] + 1, 4))
        start = only(labels, axis, drawn)
        truth = np.zeros_like(labels)
        inside = (*(slice(None),) * axis, slice(drawn[0], drawn[-1] + 1))
        truth[inside] = labels[inside]
        found = after(start, interpolate(start, axis=axis, classes=[1, 2], spacing=UNIT))
        ours += [dice(found == c, truth == c) for c in (1, 2)]
        theirs += [dice(plain(start, axis, drawn, c), truth == c) for c in (1, 2)]
    assert np.mean(ours) > 0.9
    assert np.mean(ours) > np.mean(theirs) + 0.005


def stripes(border: list[int]) -> np.ndarray:
    """Slices (n, 20, 30) of two classes side by side, whose border lies at the columns given."""
    labels = np.zeros((len(border), 20, 30), np.uint8)
    for plane, column in zip(labels, border, strict=True):
        plane[5:15, 4:column] = 1
        plane[5:15, column:26] = 2
    return labels


def test_no_gap_opens_between_classes_that_move_together() -> None:
    whole = stripes([10, 12, 14, 16, 18, 20])
    start = only(whole, 0, [0, 5])
    filled = after(start, interpolate(start, axis=0, classes=[1, 2], spacing=UNIT))
    np.testing.assert_array_equal(filled > 0, whole > 0)
    assert (filled != whole).mean() < 0.02


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), axis=st.integers(0, 2), named=st.booleans())
def test_what_was_drawn_and_what_is_not_asked_for_stays(seed: int, axis: int, named: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (14, 15, 16)
    noise = [ndimage.gaussian_filter(rng.normal(size=shape), 2) for _ in range(4)]
    labels = np.where(np.max(noise, axis=0) > 0.05, np.argmax(noise, axis=0), 0).astype(np.uint16)
    drawn = sorted(rng.choice(shape[axis], 4, replace=False).tolist())
    stack = np.moveaxis(labels, axis, 0)
    if not named:
        between = np.isin(np.arange(len(stack)), drawn, invert=True)
        stack[between] = np.where(stack[between] == 3, 3, 0)
    before = labels.copy()
    filled = interpolate(labels, axis=axis, classes=[1, 2], spacing=(2.0, 1.0, 0.7), slices=drawn if named else None)
    found = np.moveaxis(after(labels, filled), axis, 0)
    np.testing.assert_array_equal(found == 3, stack == 3)
    if named:
        np.testing.assert_array_equal(found[drawn], stack[drawn])
        assert not set(filled.slices) & set(drawn)
    else:  # a class may be filled in a slice that was drawn for the other
        np.testing.assert_array_equal(found[stack != 0], stack[stack != 0])
    np.testing.assert_array_equal(found[: drawn[0]], stack[: drawn[0]])
    changed = np.flatnonzero((found != stack).any(axis=(1, 2)))
    assert tuple(changed) == filled.slices
    assert set(np.unique(found)) <= set(np.unique(before))
    np.testing.assert_array_equal(labels, before)


def test_between_slices_that_are_named_the_class_is_drawn_anew() -> None:
    """As when each fifth slice of a prediction was corrected; by default only voxels are added."""
    ball = sphere(UNIT, 16.0)
    ball[10, 10:20, 30:34] = 3
    ball[12, 18:20] = 0
    drawn = [8, 13]
    again = after(ball, interpolate(ball, axis=0, classes=[3], spacing=UNIT, slices=drawn))
    assert dice(again[9:13] == 3, sphere(UNIT, 16.0)[9:13] == 3) > 0.97
    assert (again[10] == 0)[ball[10] == 3].any()
    np.testing.assert_array_equal(np.delete(again, range(9, 13), 0), np.delete(ball, range(9, 13), 0))
    assert interpolate(ball, axis=0, classes=[3], spacing=UNIT).edit is None


def test_a_class_ends_on_the_way_to_a_slice_without_it() -> None:
    labels = np.zeros((11, 12, 12), np.uint8)
    labels[0, 3:9, 3:9] = 1
    found = after(labels, interpolate(labels, axis=0, classes=[1], spacing=UNIT, slices=[0, 10]))
    sizes = (found == 1).sum(axis=(1, 2))
    assert list(sizes) == sorted(sizes, reverse=True)
    assert sizes[3] > 0
    assert sizes[6] == 0
    assert interpolate(labels, axis=0, classes=[1], spacing=UNIT).edit is None


def test_a_class_that_ends_does_not_lean_towards_another_one() -> None:
    labels = np.zeros((11, 12, 30), np.uint8)
    labels[0, 3:9, 3:9] = 1
    labels[10, 3:9, 20:26] = 2
    found = after(labels, interpolate(labels, axis=0, classes=[1, 2], spacing=UNIT, slices=[0, 10]))
    np.testing.assert_array_equal((found == 1).any(axis=0), labels[0] == 1)
    np.testing.assert_array_equal((found == 2).any(axis=0), labels[10] == 2)


def test_classes_drawn_in_different_slices_do_not_disturb_each_other() -> None:
    whole = np.zeros((21, 20, 30), np.uint8)
    whole[:16, 4:10, 5:25] = 1
    whole[5:, 10:16, 5:25] = 2
    start = np.zeros_like(whole)
    for plane in (0, 10, 15):
        start[plane][whole[plane] == 1] = 1
    for plane in (5, 12, 20):
        start[plane][whole[plane] == 2] = 2
    found = after(start, interpolate(start, axis=0, classes=[1, 2], spacing=UNIT))
    for class_id, extent in ((1, slice(0, 16)), (2, slice(5, 21))):
        np.testing.assert_array_equal((found == class_id)[extent], (whole == class_id)[extent])


def test_limits_decide_what_is_written_over() -> None:
    start = stripes([26, 26, 26, 26])
    start[1:3] = 0
    start[1:3, 8:10] = 9
    start[1:3, 12:13] = 8
    both = interpolate(start, axis=0, classes=[1], spacing=UNIT)
    assert (after(start, both) == 9).sum() == (start == 9).sum()
    over = interpolate(start, axis=0, classes=[1], spacing=UNIT, limits=Limits(inside=frozenset({0, 9})))
    found = after(start, over)
    assert not (found[:, :, 4:26] == 9).any()
    assert (found == 8).sum() == (start == 8).sum()
    assert interpolate(start, axis=0, classes=[1], spacing=UNIT, limits=Limits(locked=frozenset({1}))).edit is None
    guarded = np.zeros(start.shape, bool)
    guarded[1] = True
    kept = interpolate(start, axis=0, classes=[1], spacing=UNIT, guarded=guarded)
    assert kept.slices == (2,)


@pytest.mark.parametrize(("options", "match"), [
    ({"axis": 3}, "axis 0, 1 or 2"), ({"classes": []}, "needs classes"), ({"classes": [0, 1]}, "needs classes"),
    ({"slices": [2]}, "two slices"), ({"slices": [3, 3]}, "two slices"), ({"slices": [-1, 3]}, "Slices 0 to 3"),
    ({"slices": [0, 4]}, "Slices 0 to 3"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(options: dict[str, object], match: str) -> None:
    arguments = {"axis": 0, "classes": [1], "spacing": UNIT, **options}
    with pytest.raises(Vol3dError, match=match):
        interpolate(stripes([10] * 4), **arguments)  # type: ignore[arg-type]


def test_nothing_to_fill() -> None:
    whole = stripes([10] * 4)
    for slices in (None, [0, 3], [0, 1]):
        filled = interpolate(whole, axis=0, classes=[1, 7], spacing=UNIT, slices=slices)
        assert filled.edit is None
        assert filled.slices == ()
    assert interpolate(whole, axis=0, classes=[7], spacing=UNIT, slices=[0, 3]).edit is None
