"""Regions are the components of what differs, as scikit-image finds them, and deciding on all of them is exact."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label, regionprops

from napari_vol3d.core import disagreement
from napari_vol3d.core.disagreement import (
    Region,
    adjudicate,
    adjudicate_by_majority,
    disagreement_classes,
    disagreement_labels,
    find_regions,
)
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.sliced import Moved

SHAPE = (13, 17, 19)


def reading(seed: int, reader: int) -> np.ndarray:
    """What a reader says of a scan: three classes and background; readers of one scan differ a little."""
    truth, own = (np.random.default_rng(key).normal(size=SHAPE) for key in (seed, [seed, reader]))
    smooth = ndimage.gaussian_filter(truth + 0.08 * own, 1.3)
    return np.digitize(smooth, np.quantile(smooth, [0.6, 0.8, 0.9])).astype(np.uint8)


def found_in(first: Any, second: Any, **options: Any) -> tuple[np.ndarray, tuple[Region, ...]]:
    steps = find_regions(first, second, **options)
    return ran(steps)


def ran(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_the_layer_says_who_has_a_class(seed: int) -> None:
    first, second = reading(seed, 1), reading(seed, 2)
    shown = disagreement_labels(first, second)
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown == 0, first == second)
    np.testing.assert_array_equal(shown == 1, (first > 0) & (second == 0))
    np.testing.assert_array_equal(shown == 2, (second > 0) & (first == 0))
    np.testing.assert_array_equal(shown == 3, (first > 0) & (second > 0) & (first != second))
    assert [(c.id, c.name) for c in disagreement_classes("reader 1", "model")] == [
        (1, "only reader 1"), (2, "only model"), (3, "another class"),
    ]  # fmt: skip


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_regions_are_the_components_of_what_differs(seed: int) -> None:
    first, second = reading(seed, 1), reading(seed, 2)
    numbers, regions = found_in(first, second, spacing=(2.0, 0.5, 1.5))
    wanted = label(first != second, connectivity=3)
    pairs = set(zip(wanted.ravel().tolist(), numbers.ravel().tolist(), strict=True))
    assert len(pairs) == len(regions) + 1 == wanted.max() + 1  # one to one
    assert [region.id for region in regions] == list(range(1, len(regions) + 1))
    assert [region.voxels for region in regions] == sorted(np.bincount(wanted.ravel())[1:].tolist(), reverse=True)
    for region, props in zip(regions, regionprops(numbers), strict=True):
        where = numbers == region.id
        assert (*region.box.start, *region.box.stop) == props.bbox
        assert region.centre == pytest.approx(props.centroid)
        assert where[region.inner]
        assert region.mm3 == pytest.approx(where.sum() * 1.5)
        assert region.ids_first == tuple(sorted(set(first[where].tolist())))
        assert region.ids_second == tuple(sorted(set(second[where].tolist())))


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_deciding_all_for_one_reader_gives_that_readers_labels(seed: int) -> None:
    first, second = reading(seed, 1), reading(seed, 2).astype(np.uint16)
    numbers, regions = found_in(first, second)
    for start, source in ((second, first), (first, second)):
        final = start.astype(np.uint16)
        for region in regions:
            adjudicate(final, source, region=region, numbers=numbers).apply(final)
        assert final.dtype == np.uint16
        np.testing.assert_array_equal(final, source)
        assert all(adjudicate(final, source, region=region, numbers=numbers) is None for region in regions)


def test_a_decision_stays_in_its_region_and_can_be_taken_back() -> None:
    first, second = reading(4, 1), reading(4, 2)
    numbers, regions = found_in(first, second)
    final = second.copy()
    edit = adjudicate(final, first, region=regions[1], numbers=numbers, name="Take reader 1, region 2")
    assert edit.name == "Take reader 1, region 2"
    np.testing.assert_array_equal(final, second)  # nothing is written until the edit is applied
    edit.apply(final)
    where = numbers == 2
    np.testing.assert_array_equal(final[where], first[where])
    np.testing.assert_array_equal(final[~where], second[~where])
    assert edit.count == regions[1].voxels
    edit.undo(final)
    np.testing.assert_array_equal(final, second)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_a_majority_is_what_two_of_three_say(seed: int) -> None:
    first, second, model = (reading(seed, reader) for reader in (1, 2, 3))
    numbers, regions = found_in(first, second)
    final = np.full(SHAPE, 9, np.uint8)
    wanted = final.copy()
    for z, y, x in np.argwhere(first != second):
        votes = [int(each[z, y, x]) for each in (first, second, model)]
        winners = [vote for vote in votes if votes.count(vote) >= 2]
        wanted[z, y, x] = winners[0] if winners else 9
    for region in regions:
        edit = adjudicate_by_majority(final, (first, second, model), region=region, numbers=numbers)
        if edit is not None:
            edit.apply(final)
    np.testing.assert_array_equal(final, wanted)


def test_five_readings_need_three() -> None:
    said = [np.full((1, 1, 1), vote, np.uint8) for vote in (1, 2, 2, 3, 3)]
    numbers, (region,) = found_in(said[0], said[1])
    assert adjudicate_by_majority(said[0], said, region=region, numbers=numbers) is None
    said[0][:] = 3
    edit = adjudicate_by_majority(np.zeros((1, 1, 1), np.uint8), said, region=region, numbers=numbers)
    assert edit.after.tolist() == [[[3]]]


def test_only_the_largest_are_kept() -> None:
    first, second = reading(8, 1), reading(8, 2)
    whole, every = found_in(first, second)
    numbers, some = found_in(first, second, most=3)
    assert len(every) > 3
    assert some == every[:3]
    np.testing.assert_array_equal(numbers, np.where(whole <= 3, whole, 0))
    nothing, none = found_in(first, second, most=0)
    assert (none, int(nothing.max())) == ((), 0)


def test_where_nothing_differs_there_is_no_region() -> None:
    first = reading(2, 1)
    numbers, regions = found_in(first, first.astype(np.int64))
    assert regions == ()
    assert not numbers.any()
    assert not disagreement_labels(first, first).any()


def test_more_regions_than_a_byte_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disagreement, "RUNS_AT_A_TIME", 7)  # many pieces, as large scans have
    first = np.zeros((14, 14, 14), np.uint8)
    second = first.copy()
    second[::2, ::2, ::2] = 5
    numbers, regions = found_in(first, second)
    assert len(regions) == 343
    assert numbers.dtype == np.uint16
    assert sorted(numbers[second > 0].tolist()) == list(range(1, 344))
    assert regions[0].mm3 is None


def test_lazy_readings_give_the_same() -> None:
    first, second = reading(6, 1), reading(6, 2)
    lazy = Moved(np.ascontiguousarray(first.transpose(2, 0, 1)), (1, 2, 0))
    numbers, regions = found_in(lazy, second)
    wanted = found_in(first, second)
    np.testing.assert_array_equal(numbers, wanted[0])
    assert regions == wanted[1]
    np.testing.assert_array_equal(disagreement_labels(lazy, second), disagreement_labels(first, second))


def test_an_id_is_never_cut_to_fit() -> None:
    final, source = np.zeros((2, 3, 4, 5), np.uint8)
    source = source.astype(np.uint16)
    source[1, 1, 1] = 530
    numbers, (region,) = found_in(final, source)
    with pytest.raises(Vol3dError, match="530 does not fit into uint8"):
        adjudicate(final, source, region=region, numbers=numbers)
    with pytest.raises(Vol3dError, match="530 does not fit into uint8"):
        adjudicate_by_majority(final, (source, final, source), region=region, numbers=numbers)


def test_another_grid_is_refused() -> None:
    first, other = np.zeros(SHAPE, np.uint8), np.ones((13, 17, 18), np.uint8)
    numbers, (region,) = found_in(first, np.ones(SHAPE, np.uint8))
    for refused in (
        lambda: disagreement_labels(first, other),
        lambda: found_in(first, other),
        lambda: adjudicate(first, other, region=region, numbers=numbers),
        lambda: adjudicate(other, other, region=region, numbers=numbers),
        lambda: adjudicate_by_majority(first, (first, first, other), region=region, numbers=numbers),
    ):
        with pytest.raises(ScanMismatch, match=r"differ in shape"):
            refused()


def test_two_readings_of_real_scans(shared_data: Path) -> None:
    for path in sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[:8]:
        first = np.asarray(nibabel.load(path).dataobj).astype(np.uint8)
        second = ndimage.median_filter(first, size=3)
        numbers, regions = found_in(first, second)
        assert sum(region.voxels for region in regions) == int((first != second).sum()) > 0
        final = second.copy()
        for region in regions:
            adjudicate(final, first, region=region, numbers=numbers).apply(final)
        np.testing.assert_array_equal(final, first)
