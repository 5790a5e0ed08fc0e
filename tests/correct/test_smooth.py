"""Smoothing, with SciPy and SimpleITK as judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.smooth import gaussian, median

SPACING = (2.0, 0.9, 1.0)
UNIT = (1.0, 1.0, 1.0)
Tool = Callable[..., Edit | None]
BOTH: list[tuple[Tool, dict[str, Any]]] = [
    (median, {"radius": 2.1, "spacing": SPACING}), (gaussian, {"sigma": 1.2, "spacing": SPACING}),
]  # fmt: skip


def after(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    changed = labels.copy()
    if edit is not None:
        edit.apply(changed)
    return changed


def ball(radius: float, spacing: tuple[float, float, float]) -> np.ndarray:
    room = [int(radius / edge + 1e-6) for edge in spacing]
    grid = np.meshgrid(*(np.arange(-n, n + 1) * e for n, e in zip(room, spacing, strict=True)), indexing="ij")
    return np.asarray(sum(g**2 for g in grid) <= radius**2 * (1 + 1e-6))


def blobs(seed: int = 0, shape: tuple[int, int, int] = (16, 28, 26)) -> np.ndarray:
    """Three classes that touch, with ragged borders, and background around them."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    inside = sum(((g - n / 2) / (n / 2.6)) ** 2 for g, n in zip((z, y, x), shape, strict=True)) < 1
    classes = np.where(x + 2 * ndimage.gaussian_filter(rng.normal(size=shape), 1) * 4 < shape[2] / 2, 1, 2)
    classes[(y > shape[1] * 0.6) & (x > shape[2] * 0.4)] = 5
    return np.where(inside, classes, 0).astype(np.uint16)


def noisy(seed: int = 0, share: float = 0.08) -> np.ndarray:
    labels, rng = blobs(seed), np.random.default_rng(seed + 1)
    return np.where(rng.random(labels.shape) < share, rng.choice([0, 1, 2, 5], labels.shape), labels).astype(np.uint16)


def borders(labels: np.ndarray) -> int:
    return sum(int((np.diff(labels.astype(int), axis=axis) != 0).sum()) for axis in range(3))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.1, 0.9), radius=st.sampled_from([1.0, 1.9, 2.7, 4.0]))
def test_the_median_of_one_class_is_that_of_scipy(seed: int, share: float, radius: float) -> None:
    labels = (np.random.default_rng(seed).random((7, 9, 8)) < share).astype(np.uint8) * 4
    found = after(labels, median(labels, classes=[4], radius=radius, spacing=SPACING))
    expected = ndimage.median_filter(labels, footprint=ball(radius, SPACING), mode="nearest")
    np.testing.assert_array_equal(found, expected)


def test_the_median_of_one_class_is_that_of_simpleitk() -> None:
    """Whose neighbourhood is a block: the same as a ball that reaches one voxel along one axis only."""
    labels = (blobs() == 1).astype(np.uint8)
    expected = sitk.GetArrayFromImage(sitk.BinaryMedian(sitk.GetImageFromArray(labels), [1, 0, 0], 1, 0))
    found = after(labels, median(labels, classes=[1], radius=1.0, spacing=(9.0, 9.0, 1.0)))
    np.testing.assert_array_equal(found, expected)
    assert (found != labels).any()


def test_the_gaussian_of_one_class_is_a_blurred_mask_cut_where_the_volume_is_kept() -> None:
    labels = (blobs() == 1).astype(np.uint8)
    found = after(labels, gaussian(labels, classes=[1], sigma=1.2, spacing=SPACING))
    blurred = ndimage.gaussian_filter(labels.astype(float), np.array(1.2) / SPACING, mode="nearest")
    assert abs(int(found.sum()) - int(labels.sum())) <= 1
    assert blurred[found == 1].min() > blurred[found == 0].max() - 0.01  # 3 sigma there, 4 here


@pytest.mark.parametrize("seed", range(3))
def test_the_gaussian_keeps_volumes(seed: int) -> None:
    labels = noisy(seed, 0.03)
    found = after(labels, gaussian(labels, classes=[1, 2, 5], sigma=1.5, spacing=SPACING))
    for class_id in (1, 2, 5):
        was = int((labels == class_id).sum())
        assert abs(int((found == class_id).sum()) - was) <= 0.01 * was
    assert (found != labels).sum() > 200


def test_the_gaussian_keeps_volumes_with_what_the_limits_leave() -> None:
    """Nothing may grow into the background, so nothing may shrink from it, or the volumes would get smaller."""
    labels = noisy(4, 0.03)
    limits, guarded = Limits(inside=frozenset({1, 5})), np.random.default_rng(0).random(labels.shape) < 0.1
    edit = gaussian(labels, classes=[1, 5], sigma=1.5, spacing=SPACING, limits=limits, guarded=guarded)
    found = after(labels, edit)
    for class_id in (1, 5):
        was = int((labels == class_id).sum())
        assert abs(int((found == class_id).sum()) - was) <= 0.01 * was
    assert (found != labels).sum() > 20


@pytest.mark.parametrize(("own", "other"), [(1, 2), (2, 1)])
def test_of_two_classes_with_equal_shares_the_one_that_is_there_stays(own: int, other: int) -> None:
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = labels[0, 1, 1] = labels[1, 0, 1] = own
    labels[2, 1, 1] = labels[1, 2, 1] = labels[1, 1, 0] = other
    box = Box(start=(1, 1, 1), stop=(2, 2, 2))
    assert median(labels, classes=[1, 2], radius=1.0, spacing=UNIT, box=box) is None
    labels[1, 1, 2] = other
    edit = median(labels, classes=[1, 2], radius=1.0, spacing=UNIT, box=box)
    assert edit is not None
    assert edit.after.tolist() == [[[other]]]


@pytest.mark.parametrize(("tool", "options"), BOTH)
def test_noise_goes_and_no_class_comes(tool: Tool, options: dict[str, Any]) -> None:
    labels, clean = noisy(), blobs()
    found = after(labels, tool(labels, classes=[1, 2, 5], **options))
    assert borders(found) - borders(clean) < 0.2 * (borders(labels) - borders(clean))
    if tool is median:  # the other keeps the volume of the noise, and has to put it somewhere
        assert (found != clean).mean() < 0.5 * (labels != clean).mean()
    assert set(np.unique(found)) <= set(np.unique(labels))
    np.testing.assert_array_equal(labels, noisy())


@pytest.mark.parametrize(("tool", "options"), BOTH)
def test_no_gap_opens_between_classes(tool: Tool, options: dict[str, Any]) -> None:
    """Which voxels are background depends on all classes together: drawn as one class they end at the same place."""
    labels = blobs()
    found = after(labels, tool(labels, classes=[1, 2, 5], **options))
    whole = (labels > 0).astype(np.uint8)
    if tool is median:
        np.testing.assert_array_equal(found > 0, after(whole, tool(whole, classes=[1], **options)) > 0)
    filled = ndimage.binary_fill_holes(found > 0) | ndimage.binary_closing(found > 0)
    assert np.count_nonzero(filled & (found == 0)) <= np.count_nonzero(
        ndimage.binary_closing(whole) & (whole == 0)
    ), "a notch or a hole"


@pytest.mark.parametrize(("tool", "options"), BOTH)
def test_what_is_not_chosen_locked_or_guarded_stays(tool: Tool, options: dict[str, Any]) -> None:
    labels = noisy()
    found = after(labels, tool(labels, classes=[1], **options))
    for class_id in (2, 5):
        np.testing.assert_array_equal(found == class_id, labels == class_id)
    assert (found != labels).any()
    found = after(labels, tool(labels, classes=[1, 2, 5], limits=Limits(locked=frozenset({2})), **options))
    np.testing.assert_array_equal(found == 2, labels == 2)
    assert (found != labels).any()
    guarded = np.zeros(labels.shape, bool)
    guarded[:, :15] = True
    image = np.arange(labels.size).reshape(labels.shape) % 7
    edit = tool(labels, classes=[1, 2, 5], guarded=guarded, image=image, limits=Limits(intensity=(2, 4)), **options)
    changed = after(labels, edit) != labels
    assert changed.any()
    assert not changed[guarded | (image < 2) | (image > 4)].any()


@pytest.mark.parametrize(("tool", "options"), BOTH)
def test_a_box_is_smoothed_as_the_whole_would_be(tool: Tool, options: dict[str, Any]) -> None:
    """The surroundings are looked at, and stay. The Gaussian keeps volumes in the box, so its border may differ."""
    labels = noisy()
    box = Box(start=(4, 6, -3), stop=(11, 20, 15))
    within = np.zeros(labels.shape, bool)
    within[4:11, 6:20, :15] = True
    part = after(labels, tool(labels, classes=[1, 2, 5], box=box, **options))
    np.testing.assert_array_equal(part[~within], labels[~within])
    assert (part != labels).any()
    if tool is median:
        whole = after(labels, tool(labels, classes=[1, 2, 5], **options))
        np.testing.assert_array_equal(part[within], whole[within])


@pytest.mark.parametrize(("tool", "options"), BOTH)
def test_nothing_to_smooth_and_what_cannot_be_asked_for(tool: Tool, options: dict[str, Any]) -> None:
    labels = blobs()
    assert tool(labels, classes=[300], **options) is None
    assert tool(np.ones((4, 5, 6), np.uint8), classes=[1], **options) is None
    for classes in ([], [0, 1]):
        with pytest.raises(Vol3dError, match="needs classes"):
            tool(labels, classes=classes, **options)
    key = "radius" if tool is median else "sigma"
    for length in (0.1, float("nan"), -1.0):
        with pytest.raises(Vol3dError, match="too small"):
            tool(labels, classes=[1], **{**options, key: length})


def test_real_labels_keep_their_volumes_and_lose_their_steps(shared_data: Path) -> None:
    path = sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[0]
    labels = np.asarray(nib.load(path).dataobj).astype(np.uint8).T
    found = after(labels, gaussian(labels, classes=[1, 2], sigma=1.0, spacing=UNIT))
    for class_id in (1, 2):
        was = int((labels == class_id).sum())
        assert abs(int((found == class_id).sum()) - was) <= 0.01 * was
    assert borders(found) < borders(labels)
