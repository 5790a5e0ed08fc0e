from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.tiles import GivenTiles, TilePlan, plan_tiles

multiples = st.sampled_from([1, 2, 4, 8])


@st.composite
def plans(draw: st.DrawFn) -> TilePlan:
    """Plans over volumes from one voxel to twice the patch along each axis."""
    multiple = draw(multiples)
    reach = draw(st.integers(0, 2)) * multiple
    patch = tuple((2 * reach // multiple + draw(st.integers(1, 3))) * multiple for _ in range(3))
    shape = tuple(draw(st.integers(1, 2 * edge)) for edge in patch)
    return TilePlan(shape=shape, patch_size=patch, halo=reach, multiple=multiple)


@given(plan=plans())
@settings(deadline=None, max_examples=150)
def test_cores_are_disjoint_and_cover_every_voxel(plan: TilePlan) -> None:
    owners = np.zeros(plan.shape, int)
    for tile in plan:
        assert tile.core.size > 0
        owners[tile.core.slices] += 1
    assert (owners == 1).all()


@given(plan=plans())
@settings(deadline=None, max_examples=150)
def test_patches_are_whole_aligned_and_give_every_core_its_context(plan: TilePlan) -> None:
    padded = tuple(-(-n // plan.multiple) * plan.multiple for n in plan.shape)
    for tile in plan:
        assert tile.patch.shape == plan.patch_size
        for axis in range(3):
            start, stop = tile.patch.start[axis], tile.patch.stop[axis]
            assert start >= 0
            assert stop <= max(padded[axis], plan.patch_size[axis])
            assert start % plan.multiple == 0
            first, last = tile.core.start[axis], tile.core.stop[axis]
            assert first == 0 or first - start >= plan.halo
            assert last == plan.shape[axis] or stop - last >= plan.halo


@given(plan=plans())
@settings(deadline=None, max_examples=60)
def test_length_numbers_and_redundancy_agree_with_the_tiles(plan: TilePlan) -> None:
    tiles = list(plan)
    assert len(plan) == len(tiles)
    assert [tile.index for tile in tiles] == list(range(len(tiles)))
    computed, owned = sum(tile.patch.size for tile in tiles), sum(tile.core.size for tile in tiles)
    assert plan.redundancy == pytest.approx(computed / owned)


@given(
    shape=st.tuples(*[st.integers(1, 90)] * 3), multiple=multiples, halo=st.integers(0, 12),
    budget=st.integers(1_000, 200_000),
)  # fmt: skip
@settings(deadline=None, max_examples=100)
def test_a_plan_keeps_to_its_budget_and_is_whole_where_that_fits(
    shape: Triple, multiple: int, halo: int, budget: int
) -> None:
    whole = math.prod(-(-n // multiple) * multiple for n in shape)
    try:
        plan = plan_tiles(shape, multiple=multiple, halo=halo, most_voxels=budget)
    except Vol3dError:
        # Refused only where the least patch with anything inside its halo, and the whole volume, are too much.
        edge = (2 * -(-halo // multiple) + 1) * multiple
        least = math.prod(min(edge, -(-n // multiple) * multiple) for n in shape)
        assert min(least, whole) > budget
        return
    assert math.prod(plan.patch_size) <= budget
    assert plan.halo >= halo
    assert plan.halo % multiple == 0
    if whole <= budget:
        assert len(plan) == 1
        assert next(iter(plan)).core == Box.of(shape)


@given(shape=st.tuples(*[st.integers(1, 60)] * 3), budget=st.integers(3_000, 60_000))
@settings(deadline=None, max_examples=40)
def test_no_single_tile_edge_would_compute_less(shape: Triple, budget: int) -> None:
    """Tries all cubes by hand: the plan's patch, which need not be a cube, is never worse."""
    multiple, halo = 4, 8
    try:
        plan = plan_tiles(shape, multiple=multiple, halo=halo, most_voxels=budget)
    except Vol3dError:
        assume(False)
    for edge in range(2 * halo + multiple, 64, multiple):
        if edge**3 <= budget:
            cube = TilePlan(shape=shape, patch_size=(edge,) * 3, halo=halo, multiple=multiple)
            assert plan.redundancy <= cube.redundancy + 1e-9


@given(
    shape=st.tuples(*[st.integers(1, 34)] * 3), multiple=st.sampled_from([1, 2, 4]), halo=st.integers(0, 5),
    budget=st.integers(200, 12_000),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_no_legal_patch_would_compute_less(shape: Triple, multiple: int, halo: int, budget: int) -> None:
    """Tries every patch there is."""
    reach = -(-halo // multiple) * multiple
    axes = []
    for length in shape:
        padded = -(-length // multiple) * multiple
        axes.append([edge for edge in range(multiple, padded + 1, multiple) if edge > 2 * reach or edge == padded])
    legal = [patch for patch in product(*axes) if math.prod(patch) <= budget]
    if not legal:
        with pytest.raises(Vol3dError, match="memory budget"):
            plan_tiles(shape, multiple=multiple, halo=halo, most_voxels=budget)
        return
    tilings = (TilePlan(shape=shape, patch_size=patch, halo=reach, multiple=multiple) for patch in legal)
    least = min(len(tiling) * math.prod(tiling.patch_size) for tiling in tilings)
    plan = plan_tiles(shape, multiple=multiple, halo=halo, most_voxels=budget)
    assert len(plan) * math.prod(plan.patch_size) == least
    assert plan.patch_size in legal


@given(plan=plans())
@settings(deadline=None, max_examples=40)
def test_given_tiles_are_a_plan_like_any_other(plan: TilePlan) -> None:
    z, y, x = plan.axes
    given_tiles = GivenTiles(
        shape=plan.shape, patch_size=plan.patch_size, halo=plan.halo, multiple=plan.multiple, spans=(z, y, x)
    )
    assert list(given_tiles) == list(plan)
    assert len(given_tiles) == len(plan)
    assert given_tiles.redundancy == plan.redundancy


def test_smallest_holds_for_every_edge() -> None:
    plan = plan_tiles((5, 90, 90), multiple=8, halo=8, most_voxels=40_000, smallest=32)
    assert min(plan.patch_size) >= 32


def test_impossible_plans_say_what_they_need() -> None:
    with pytest.raises(Vol3dError, match="patch_size must divide by 8; received"):
        TilePlan(shape=(9, 9, 9), patch_size=(8, 12, 8), halo=0, multiple=8)
    with pytest.raises(Vol3dError, match="at least one voxel"):
        TilePlan(shape=(9, 0, 9), patch_size=(8, 8, 8), halo=0, multiple=8)
    with pytest.raises(Vol3dError, match="twice the halo"):
        list(TilePlan(shape=(30, 30, 30), patch_size=(16, 16, 16), halo=8, multiple=8))
    with pytest.raises(Vol3dError, match="memory budget"):
        plan_tiles((200, 200, 200), multiple=8, halo=16, most_voxels=1000)
