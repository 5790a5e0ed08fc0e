"""Agreement equals what SciPy's trees, scikit-image's components and MedPy say of the same labels."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from medpy.metric import binary
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import label

from napari_vol3d.core.agreement import ClassAgreement, agreement, match_objects
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.metrics import compare_labels
from napari_vol3d.core.sliced import Moved

spacings = st.tuples(*[st.floats(0.2, 6.0)] * 3)
SHAPE = (14, 18, 16)


def reading(seed: int, reader: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """What a reader says of a scan: two classes and background; readers of one scan differ a little."""
    truth, own = (np.random.default_rng(key).normal(size=shape) for key in (seed, [seed, reader]))
    smooth = ndimage.gaussian_filter(truth + 0.4 * own, 1.5)
    return np.digitize(smooth, np.quantile(smooth, [0.7, 0.88])).astype(np.uint8)


def surface_points(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Places of the voxels that erosion with a cross takes, in mm."""
    inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1), border_value=0)
    return np.argwhere(mask ^ inner) * np.asarray(spacing)


def by_hand(first: np.ndarray, second: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, float]:
    """Dice by sets of indices, HD95 by searching trees of surface points."""
    sets = [set(np.flatnonzero(mask).tolist()) for mask in (first, second)]
    points = [surface_points(mask, spacing) for mask in (first, second)]
    there, back = cKDTree(points[1]).query(points[0])[0], cKDTree(points[0]).query(points[1])[0]
    overlap = 2 * len(sets[0] & sets[1]) / (len(sets[0]) + len(sets[1]))
    return overlap, float(np.percentile(np.hstack([there, back]), 95))


def brute_force(first: np.ndarray, second: np.ndarray) -> tuple[int, int, int]:
    """Objects in each, and pairs of IoU over a half, found by comparing each with each."""
    ones, others = (label(mask, connectivity=3) for mask in (first, second))
    pairs = 0
    for i in range(1, ones.max() + 1):
        for j in range(1, others.max() + 1):
            inside, union = ((ones == i) & (others == j)).sum(), ((ones == i) | (others == j)).sum()
            pairs += int(inside / union > 0.5)
    return int(ones.max()), int(others.max()), pairs


@given(seed=st.integers(0, 10_000), spacing=spacings)
@settings(deadline=None, max_examples=40)
def test_figures_are_those_of_scipy_and_medpy(seed: int, spacing: tuple[float, float, float]) -> None:
    first, second = reading(seed, 1), reading(seed, 2)
    found = agreement(first, second, spacing)
    assert [item.id for item in found] == [1, 2]
    for item in found:
        one, other = first == item.id, second == item.id
        overlap, distance = by_hand(one, other, spacing)
        volumes = [mask.sum() * np.prod(spacing) / 1000 for mask in (one, other)]
        assert item.dice == pytest.approx(overlap, abs=1e-6)
        assert item.hd95_mm == pytest.approx(distance, abs=1e-6)
        assert item.hd95_mm == pytest.approx(binary.hd95(one, other, spacing), abs=1e-6)
        assert (item.first_ml, item.second_ml) == pytest.approx(volumes, abs=1e-6)
        assert item.difference_ml == pytest.approx(volumes[0] - volumes[1], abs=1e-6)
        assert item.difference_percent == pytest.approx(100 * (volumes[0] - volumes[1]) / np.mean(volumes), abs=1e-6)


@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.3))
@settings(deadline=None, max_examples=30)
def test_objects_are_matched_as_by_comparing_each_with_each(seed: int, share: float) -> None:
    one = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(12, 20, 22)), 0.9)
    other = one + 0.05 * np.random.default_rng(seed + 1).normal(size=one.shape)
    first, second = one > np.quantile(one, 1 - share), other > np.quantile(other, 1 - share)
    found, wanted = match_objects(first, second), brute_force(first, second)
    assert (found.first, found.second, found.matched) == wanted
    n, m, pairs = wanted
    assert found.precision == pytest.approx(pairs / n)
    assert found.recall == pytest.approx(pairs / m)
    assert found.f1 == pytest.approx(pairs / (pairs + (n - pairs + m - pairs) / 2))  # as Caicedo et al. write it


def test_exactly_half_is_no_match_and_a_voxel_more_is_one() -> None:
    """An object of four voxels, and two halves of it: both would be its partner."""
    first, halves = np.zeros((2, 1, 1, 6), bool)
    first[0, 0, :4] = True
    halves[0, 0, :2] = True
    assert match_objects(first, halves).matched == 0
    halves[0, 0, 2] = True
    found = match_objects(first, halves)
    assert (found.matched, found.f1) == (1, 1.0)


def test_objects_touch_by_a_corner_and_classes_do_not_mix() -> None:
    first, second = np.zeros((2, 6, 6, 6), np.uint16)
    first[1, 1, 1] = first[2, 2, 2] = 530  # one object
    second[1, 1, 1] = 530
    second[2, 2, 2] = 4
    four, other = agreement(first, second, (1.0, 1.0, 1.0), names={530: "nuclei"})
    assert (other.name, other.objects_first, other.objects_second, other.objects_matched) == ("nuclei", 1, 1, 0)
    assert (four.name, four.objects_first, four.objects_second) == ("class 4", 0, 1)


def test_a_class_that_only_one_reader_has() -> None:
    first, second = reading(3, 1), reading(3, 2)
    second[second == 2] = 0
    one, lonely = agreement(first, second, (2.0, 1.0, 0.5))
    assert one.dice is not None
    assert one.hd95_mm is not None
    assert (lonely.dice, lonely.hd95_mm, lonely.second_ml, lonely.difference_percent) == (0.0, None, 0.0, 200.0)
    assert (lonely.object_precision, lonely.object_recall, lonely.object_f1) == (0.0, None, 0.0)
    assert lonely.objects_second == 0 < lonely.objects_first
    turned = agreement(second, first, (2.0, 1.0, 0.5))[1]
    assert (turned.difference_percent, turned.object_precision, turned.object_recall) == (-200.0, None, 0.0)


def test_where_neither_has_anything_there_is_nothing() -> None:
    empty = np.zeros(SHAPE, np.uint8)
    assert agreement(empty, empty, (1.0, 1.0, 1.0)) == ()
    none = match_objects(empty > 0, empty > 0)
    assert (none.first, none.second, none.precision, none.recall, none.f1) == (0, 0, None, None, None)


@given(seed=st.integers(0, 10_000), spacing=spacings)
@settings(deadline=None, max_examples=15)
def test_the_order_of_readers_only_turns_signs(seed: int, spacing: tuple[float, float, float]) -> None:
    first, second = reading(seed, 1), reading(seed, 2)
    for item, turned in zip(agreement(first, second, spacing), agreement(second, first, spacing), strict=True):
        assert (item.dice, item.object_f1) == (turned.dice, turned.object_f1)
        assert item.hd95_mm == pytest.approx(turned.hd95_mm)
        assert item.difference_ml == -turned.difference_ml
        assert item.difference_percent == -turned.difference_percent
        assert item.object_precision == turned.object_recall
    for item in agreement(first, first, spacing):
        assert (item.dice, item.hd95_mm, item.difference_ml, item.object_f1) == (1.0, 0.0, 0.0, 1.0)


def test_without_a_unit_of_length_there_are_no_millimetres() -> None:
    first, second = reading(5, 1), reading(5, 2)
    known, unknown = agreement(first, second, (1.0, 1.0, 1.0)), agreement(first, second, None)
    for with_unit, without in zip(known, unknown, strict=True):
        in_mm = (without.hd95_mm, without.first_ml, without.second_ml, without.difference_ml)
        assert in_mm == (None, None, None, None)
        assert without.dice == with_unit.dice
        assert without.difference_percent == with_unit.difference_percent
        assert without.object_f1 == with_unit.object_f1


def test_lazy_labels_and_other_types_give_the_same() -> None:
    first, second = reading(7, 1), reading(7, 2)
    lazy = Moved(np.ascontiguousarray(first.transpose(2, 0, 1)), (1, 2, 0))
    assert agreement(lazy, second.astype(np.int32), (1.0, 2.0, 3.0)) == agreement(first, second, (1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        (np.zeros((14, 18, 15), np.uint8), ScanMismatch, r"\(14, 18, 16\) and \(14, 18, 15\)"),
        (np.zeros(SHAPE, np.float32), Vol3dError, "float32"),
    ],
)
def test_other_grids_and_images_are_refused(other: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        agreement(np.zeros(SHAPE, np.uint8), other, (1.0, 1.0, 1.0))


def all_equal(found: tuple[ClassAgreement, ...], first: np.ndarray, second: np.ndarray, spacing: tuple) -> None:
    for item, figures in zip(found, compare_labels(first, second, spacing), strict=True):
        assert (item.id, item.dice, item.hd95_mm) == (figures.id, figures.dice, figures.hd95_mm)
        assert (item.first_ml, item.second_ml) == (figures.volume_ml, figures.reference_ml)
        masks = first == item.id, second == item.id
        assert (item.objects_first, item.objects_second, item.objects_matched) == brute_force(*masks)
        if item.hd95_mm is not None:
            assert (item.dice, item.hd95_mm) == pytest.approx(by_hand(*masks, spacing), abs=1e-6)


def test_real_scans_and_a_second_reading_of_them(shared_data: Path) -> None:
    for path in sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[:4]:
        first = np.asarray(nibabel.load(path).dataobj).astype(np.uint8)
        second = np.roll(ndimage.median_filter(first, size=3), 1, axis=2)
        found = agreement(first, second, (1.0, 1.2, 0.9))
        assert len(found) == 2
        all_equal(found, first, second, (1.0, 1.2, 0.9))


def test_real_labels_with_many_and_sparse_ids(shared_data: Path) -> None:
    path = shared_data / "scans" / "example_seg.nii.gz"
    first = np.asarray(nibabel.load(path).dataobj).astype(np.uint16)
    first = first[:, ::2, ::2]  # quick enough to compare each object with each
    second = np.roll(first, 1, axis=1)
    found = agreement(first, second, (1.5, 3.0, 3.0))
    assert len(found) > 20
    all_equal(found, first, second, (1.5, 3.0, 3.0))
