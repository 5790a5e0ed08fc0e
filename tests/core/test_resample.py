from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.phantom import nuclei
from napari_vol3d.core.resample import GridMap, grid_map
from napari_vol3d.core.tiles import TilePlan, plan_tiles

spacings = st.tuples(*[st.floats(0.3, 3.0)] * 3)
shapes = st.tuples(*[st.integers(1, 30)] * 3)


def tiles_of(grid: GridMap) -> TilePlan:
    return TilePlan(shape=grid.model_shape, patch_size=(16, 12, 8), halo=2, multiple=2)


def to_model(grid: GridMap, scan: np.ndarray, part: Box, patch: Box) -> np.ndarray:
    """Voxels (z, y, x, C) of `part`, on a patch of the model's grid."""
    ways = [
        grid.weights_to_model(axis, (part.start[axis], part.stop[axis]), (patch.start[axis], patch.stop[axis]))
        for axis in range(3)
    ]
    return np.einsum("az,by,cx,zyxk->abck", *ways, scan.astype(np.float32), optimize=True)


def scores_to_scan(grid: GridMap, scores: np.ndarray, patch: Box, owned: Box) -> np.ndarray:
    """Scores (z, y, x, K) of a patch, at scan voxels."""
    ways = [
        grid.weights_to_scan(axis, (patch.start[axis], patch.stop[axis]), (owned.start[axis], owned.stop[axis]))
        for axis in range(3)
    ]
    return np.einsum("az,by,cx,zyxk->abck", *ways, scores, optimize=True)


def resampled(grid: GridMap, scan: np.ndarray, patch: Box) -> np.ndarray:
    part = grid.needed(patch)
    return to_model(grid, scan[part.slices][..., None], part, patch)[..., 0]


@given(shape=shapes, scan=spacings, model=spacings)
@settings(deadline=None, max_examples=150)
def test_owned_boxes_are_disjoint_and_cover_the_scan(shape: Triple, scan: tuple, model: tuple) -> None:
    grid = grid_map(shape, scan, model)
    owners = np.zeros(shape, int)
    for tile in tiles_of(grid):
        owners[grid.owned(tile.core).slices] += 1
    assert (owners == 1).all()


@given(shape=shapes, scan=spacings, model=spacings)
@settings(deadline=None, max_examples=60)
def test_owned_voxels_have_their_centres_in_the_core(shape: Triple, scan: tuple, model: tuple) -> None:
    grid = grid_map(shape, scan, model)
    for tile in tiles_of(grid):
        owned = grid.owned(tile.core)
        for axis, ratio in enumerate(grid.ratio):
            centres = (np.arange(owned.start[axis], owned.stop[axis]) + 0.5) * ratio
            assert (centres >= tile.core.start[axis] - 1e-9).all()
            # The last core also owns what rounding of the shape left beyond the model's grid.
            last = tile.core.stop[axis] == grid.model_shape[axis]
            assert last or (centres < tile.core.stop[axis] + 1e-9).all()


@given(shape=shapes, scan=spacings, model=spacings, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_needed_voxels_are_enough(shape: Triple, scan: tuple, model: tuple, seed: int) -> None:
    """A patch resampled from what it asked for is the same part of the whole scan resampled at once."""
    grid = grid_map(shape, scan, model)
    values = np.random.default_rng(seed).random(shape).astype(np.float32)
    everything = Box.of(grid.model_shape)
    whole = to_model(grid, values[..., None], Box.of(shape), everything)[..., 0]
    for tile in tiles_of(grid):
        inside = tile.patch.intersect(everything)
        assert np.allclose(resampled(grid, values, inside), whole[inside.slices], atol=2e-4)


def test_the_identity_leaves_voxels_as_they_are() -> None:
    values = np.random.default_rng(1).random((7, 9, 11)).astype(np.float32)
    for model in (None, (1.0, 0.5, 2.0)):
        grid = grid_map(values.shape, (1.0, 0.5, 2.0), model)
        assert grid.identity
        box = Box.of(values.shape)
        assert np.array_equal(resampled(grid, values, box), values)
        assert np.array_equal(scores_to_scan(grid, values[..., None], box, box)[..., 0], values)


def test_nearly_equal_spacings_are_taken_as_equal() -> None:
    assert grid_map((64, 64, 64), (1.0, 1.015, 0.99), (1.0, 1.0, 1.0)).identity
    assert not grid_map((64, 64, 64), (1.0, 1.03, 1.0), (1.0, 1.0, 1.0)).identity


@pytest.mark.parametrize("model", [(0.5, 0.4, 1.0), (0.7, 1.5, 1.3), (2.0, 2.5, 0.9)])
def test_a_linear_ramp_stays_a_linear_ramp(model: tuple[float, float, float]) -> None:
    """Intensity is a linear function of place, so a grid map that shifts by half a voxel would show at once."""
    spacing, slope = np.array((1.0, 1.0, 1.0)), np.array((2.0, -3.0, 0.5))

    def ramp(shape: Triple, voxel: np.ndarray) -> np.ndarray:
        places = (np.indices(shape).transpose(1, 2, 3, 0) + 0.5) * voxel
        return places @ slope

    grid = grid_map((30, 34, 32), tuple(spacing), model)
    found = resampled(grid, ramp(grid.scan_shape, spacing), Box.of(grid.model_shape))
    expected = ramp(grid.model_shape, spacing / np.array(grid.ratio))
    room = tuple(slice(6, -6) for _ in range(3))  # at the faces the nearest voxel is repeated and smoothed
    assert np.allclose(found[room], expected[room], atol=1e-3)
    back = scores_to_scan(
        grid, expected[..., None].astype(np.float32), Box.of(grid.model_shape), Box.of(grid.scan_shape)
    )[..., 0]
    room = tuple(slice(3, -3) for _ in range(3))
    assert np.allclose(back[room], ramp(grid.scan_shape, spacing)[room], atol=1e-3)


@pytest.mark.parametrize("model", [(1.0, 0.5, 0.5), (2.0, 0.5, 0.8), (1.3, 0.65, 0.5)])
def test_labels_there_and_back_stay_where_they_are(model: tuple[float, float, float]) -> None:
    """The way of a prediction: scores of each class on the model's grid, tile by tile, argmax on the scan's."""
    spacing = (2.0, 0.65, 0.65)
    mask = nuclei((24, 64, 64), spacing, 12, seed=3)[1] > 0
    grid = grid_map(mask.shape, spacing, model)
    back = np.zeros(mask.shape, bool)
    for tile in tiles_of(grid):
        part = grid.needed(tile.patch)
        one_hot = np.stack([~mask[part.slices], mask[part.slices]], axis=-1)
        owned = grid.owned(tile.core)
        scores = scores_to_scan(grid, to_model(grid, one_hot, part, tile.patch), tile.patch, owned)
        back[owned.slices] = scores.argmax(axis=-1) == 1
    assert dice(back, mask) > 0.95


@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3), ratio=st.tuples(*[st.floats(0.2, 4)] * 3), data=st.data(),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_tiles_that_meet_a_box_are_counted_as_if_gone_through(shape: tuple, ratio: tuple, data: st.DataObject) -> None:
    grid = grid_map(shape, ratio, (1.0, 1.0, 1.0))
    plan = plan_tiles(grid.model_shape, multiple=4, halo=4, most_voxels=16**3)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    box = Box(start=start, stop=stop)
    assert grid.tiles_meeting(plan, box) == sum(bool(grid.owned(tile.core).intersect(box).size) for tile in plan)
