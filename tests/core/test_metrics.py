from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from medpy.metric import binary
from scipy import ndimage

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.metrics import assd, compare_labels, dice, hd95, surface_distances, volume_ml

spacings = st.tuples(*[st.floats(0.2, 6.0)] * 3)


def blob(seed: int, shape: tuple[int, int, int] = (14, 18, 16)) -> np.ndarray:
    """A random smooth region; about a third of the field, often several pieces, often cut by the faces."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return smooth > np.quantile(smooth, 0.5 + 0.49 * (seed % 7) / 7)


@given(first=st.integers(0, 10_000), second=st.integers(0, 10_000), spacing=spacings)
@settings(deadline=None, max_examples=60)
def test_figures_are_those_of_medpy(first: int, second: int, spacing: tuple[float, float, float]) -> None:
    one, other = blob(first), blob(second)
    assume(one.any() and other.any())
    assert dice(one, other) == pytest.approx(binary.dc(one, other), abs=1e-6)
    assert hd95(one, other, spacing) == pytest.approx(binary.hd95(one, other, spacing), abs=1e-6)
    assert assd(one, other, spacing) == pytest.approx(binary.assd(one, other, spacing), abs=1e-6)


@given(seed=st.integers(0, 10_000), axis=st.integers(0, 2), spacing=spacings)
@settings(deadline=None, max_examples=20)
def test_thin_and_far_apart_masks_are_those_of_medpy(seed: int, axis: int, spacing: tuple) -> None:
    """One plane thick, in opposite corners of a large field: where cutting to the masks could go wrong."""
    one, other = np.zeros((2, 24, 26, 28), bool)
    one[:6, :7, :8] = blob(seed, (6, 7, 8))
    other.swapaxes(0, axis)[-1, -9:, -9:] = True
    assume(one.any())
    assert hd95(one, other, spacing) == pytest.approx(binary.hd95(one, other, spacing), abs=1e-6)
    assert assd(one, other, spacing) == pytest.approx(binary.assd(one, other, spacing), abs=1e-6)


@given(seed=st.integers(0, 10_000), spacing=spacings)
@settings(deadline=None, max_examples=20)
def test_a_mask_is_at_no_distance_from_itself_and_order_does_not_matter(seed: int, spacing: tuple) -> None:
    one, other = blob(seed), blob(seed + 1)
    assume(one.any() and other.any())
    assert (dice(one, one), hd95(one, one, spacing), assd(one, one, spacing)) == (1.0, 0.0, 0.0)
    assert hd95(one, other, spacing) == pytest.approx(hd95(other, one, spacing))
    assert assd(one, other, spacing) == pytest.approx(assd(other, one, spacing))


def test_an_absent_class_gives_none() -> None:
    one, empty = blob(1), np.zeros((14, 18, 16), bool)
    assert dice(empty, empty) is None
    assert dice(one, empty) == 0.0
    for first, second in ((one, empty), (empty, one), (empty, empty)):
        assert surface_distances(first, second) is None
        assert hd95(first, second) is None
        assert assd(first, second) is None


def test_integers_count_as_masks_and_shapes_must_agree() -> None:
    one, other = blob(1).astype(np.uint8), blob(2).astype(np.int64)
    assert assd(one, other) == assd(one > 0, other > 0)
    with pytest.raises(ScanMismatch, match=r"\(14, 18, 16\) and \(14, 18, 15\)"):
        hd95(one, other[..., :-1])


def test_volume_is_in_millilitres() -> None:
    assert volume_ml(1000, (1.0, 1.0, 1.0)) == 1.0
    assert volume_ml(500, (2.0, 0.5, 0.4)) == pytest.approx(0.2)


def test_every_id_that_occurs_is_compared() -> None:
    prediction, reference = np.zeros((2, 14, 18, 16), np.int32)
    prediction[blob(1)], reference[blob(2)] = 2, 2
    reference[:, :3], prediction[:, -2:] = 530, 7
    spacing = (2.0, 1.0, 0.5)
    figures = {item.id: item for item in compare_labels(prediction, reference, spacing, {2: "kidney"})}
    assert list(figures) == [2, 7, 530]
    kidney = figures[2]
    assert kidney.name == "kidney"
    assert kidney.dice == pytest.approx(binary.dc(prediction == 2, reference == 2))
    assert kidney.hd95_mm == pytest.approx(binary.hd95(prediction == 2, reference == 2, spacing), abs=1e-6)
    assert kidney.assd_mm == pytest.approx(binary.assd(prediction == 2, reference == 2, spacing), abs=1e-6)
    assert kidney.volume_ml == pytest.approx(float((prediction == 2).sum()) / 1000)
    assert kidney.reference_ml == pytest.approx(float((reference == 2).sum()) / 1000)
    for lonely in (figures[7], figures[530]):
        assert (lonely.dice, lonely.hd95_mm, lonely.assd_mm) == (0.0, None, None)
    assert figures[7].reference_ml == 0.0
    assert figures[530].volume_ml == 0.0


def test_two_empty_volumes_have_nothing_to_compare() -> None:
    assert compare_labels(np.zeros((3, 3, 3), int), np.zeros((3, 3, 3), int), (1.0, 1.0, 1.0)) == ()


def test_a_real_pair_is_as_medpy_says(shared_data: Path) -> None:
    """A reference against a plausible wrong answer: the same labels a voxel off and a little smoothed."""
    folder = shared_data / "hippocampus" / "labels"
    reference = np.asarray(nibabel.load(folder / "hippocampus_001.nii.gz").dataobj)
    prediction = np.roll(ndimage.median_filter(reference, size=3), 1, axis=1)
    spacing = (1.0, 1.2, 0.9)
    for item in compare_labels(prediction, reference, spacing):
        one, other = prediction == item.id, reference == item.id
        assert item.dice == pytest.approx(binary.dc(one, other), abs=1e-6)
        assert item.hd95_mm == pytest.approx(binary.hd95(one, other, spacing), abs=1e-6)
        assert item.assd_mm == pytest.approx(binary.assd(one, other, spacing), abs=1e-6)
        assert 0.6 < item.dice < 0.95
