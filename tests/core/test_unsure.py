"""Boxes around unsure voxels: the best there is, none over another, and as quick in a large scan."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.unsure import LARGEST, LEAST, NOT_SURE, SMALLEST, cost_of_looking, unit_of, unsure_boxes

ONE = (1.0, 1.0, 1.0)


def all_of(uncertainty, spacing=ONE, *, unit=1.0, cost=None, most=20):
    cost = cost_of_looking(uncertainty) if cost is None else cost
    return list(itertools.islice(unsure_boxes(uncertainty, spacing, unit=unit, cost=cost), most))


def clusters(seed: int, shape=(30, 34, 28)) -> np.ndarray:
    """A few balls and sheets that are unsure, over a weak haze."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))
    found = rng.integers(0, 30, shape)
    for _ in range(6):
        centre, size = rng.uniform(0, shape), rng.uniform(1, 4, 3)
        inside = (((grid - centre[:, None, None, None]) / size[:, None, None, None]) ** 2).sum(axis=0) <= 1
        found[inside] = rng.integers(100, 256)
    return found.astype(np.uint8)


@pytest.mark.parametrize("size", [(4, 5, 3), (1, 8, 6), (6, 2, 5)])
def test_a_block_of_unsure_voxels_is_found_exactly(size) -> None:
    uncertainty = np.zeros((24, 26, 22), np.uint8)
    block = Box(start=(7, 11, 9), stop=tuple(a + n for a, n in zip((7, 11, 9), size, strict=True)))
    uncertainty[block.slices] = 200
    first = all_of(uncertainty, cost=70)[0]
    assert first.box == block
    assert first.unsure == pytest.approx(block.size * 200 / 255)
    assert first.worth == pytest.approx(block.size * 130 / 255)


@given(seed=st.integers(0, 5000))
@settings(deadline=None, max_examples=15)
def test_boxes_do_not_overlap_lie_inside_and_come_in_order(seed: int) -> None:
    uncertainty = clusters(seed)
    cost = cost_of_looking(uncertainty)
    found = all_of(uncertainty)
    for one, other in itertools.combinations(found, 2):
        assert not one.box.intersect(other.box).size
    for one in found:
        assert one.box.intersect(Box.of(uncertainty.shape)) == one.box
        assert SMALLEST <= one.box.size <= LARGEST
        inside = uncertainty[one.box.slices].astype(float)
        assert one.unsure == pytest.approx(inside.sum() / 255)
        assert one.worth == pytest.approx((inside - cost).sum() / 255)
        assert inside.mean() >= LEAST * cost
    assert [one.worth for one in found] == sorted((one.worth for one in found), reverse=True)


@given(seed=st.integers(0, 5000))
@settings(deadline=None, max_examples=15)
def test_the_first_box_is_nearly_the_best_of_all(seed: int) -> None:
    uncertainty = clusters(seed, (18, 20, 16))
    cost = cost_of_looking(uncertainty)
    values = np.pad((uncertainty.astype(float) - cost).cumsum(0).cumsum(1).cumsum(2), ((1, 0),) * 3)
    best = -np.inf
    for dz, dy, dx in itertools.product((1, 2, 3, 4, 5, 6, 8), repeat=3):
        if SMALLEST <= dz * dy * dx <= LARGEST:
            sums = values[dz:] - values[:-dz]
            sums = sums[:, dy:] - sums[:, :-dy]
            best = max(best, float((sums[:, :, dx:] - sums[:, :, :-dx]).max()))
    assert all_of(uncertainty)[0].worth * 255 >= 0.85 * best > 0


def test_nothing_unsure_gives_nothing() -> None:
    assert all_of(np.zeros((8, 8, 8), np.uint8)) == []
    assert all_of(np.zeros((1, 1, 1), np.uint8)) == []


def test_a_scan_smaller_than_a_box_is_one_box() -> None:
    found = all_of(np.full((3, 2, 3), 200, np.uint8), cost=100)
    assert [one.box for one in found] == [Box.of((3, 2, 3))]


def test_boxes_are_of_one_size_in_the_world_whatever_the_voxels() -> None:
    for spacing in ((1.0, 1.0, 1.0), (2.0, 0.5, 1.0), (6.5, 0.78, 0.78)):
        shape = tuple(round(40 / edge) for edge in spacing)
        uncertainty = np.full(shape, 150, np.uint8)
        unit = unit_of([math.prod(shape) // 9], spacing)
        found = all_of(uncertainty, spacing, unit=unit, cost=90)
        volumes = [one.box.size * math.prod(spacing) / unit**3 for one in found]
        assert volumes
        assert min(volumes) >= SMALLEST * 0.999
        assert max(volumes) <= LARGEST * 1.001


def test_very_thick_slices_have_places_too() -> None:
    uncertainty = np.zeros((4, 40, 40), np.uint8)
    uncertainty[2, 10:16, 12:20] = 220
    found = all_of(uncertainty, (60.0, 1.0, 1.0), unit=1.0, cost=60)
    assert found
    assert found[0].box.start[0] == 2
    assert found[0].box.stop[0] == 3


def test_the_unit_is_a_voxel_for_small_objects_and_grows_slower_than_they_do() -> None:
    assert unit_of([], ONE) == 1.0
    assert unit_of([8], (0.5, 0.5, 0.5)) == pytest.approx(0.5)
    assert unit_of([1700, 1500], ONE) == 1.0
    assert unit_of([12**3 * 64], ONE) == pytest.approx(2.0)  # four times the edge
    assert unit_of([12**3 * 64], (2.0, 2.0, 2.0)) == pytest.approx(4.0)


def test_the_cost_is_the_mean_of_what_is_not_sure() -> None:
    uncertainty = np.random.default_rng(0).integers(0, 256, (7, 8, 9)).astype(np.uint8)
    assert cost_of_looking(uncertainty) == round(uncertainty[uncertainty >= NOT_SURE].mean())
    assert cost_of_looking(np.zeros((2, 2, 2), np.uint8)) == NOT_SURE
