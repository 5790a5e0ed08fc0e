"""Tiles give what the whole volume gives: exactly for pointwise networks, and for real ones once the halo reaches."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import GridMap, grid_map
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.engine.kernel import nearest_to, segment_box, segment_tile
from napari_vol3d.engine.predictor import NetworkPredictor
from tests.builders import CLASSES, make_card, random_unet

PATCH, MULTIPLE = 8, 2
AS_STORED = (IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0),)
# A two-level U-Net of two convolutions a block: 2 at full resolution, then from the coarse level 2 x 2 (two
# convolutions), 1 (odd voxels of the pooling window), and 2 of the decoder.
REACH = 2 + 2 * 2 + 1 + 2
edges = st.integers(1, 2 * PATCH)
shapes = st.tuples(edges, edges, edges)


class Pointwise:
    """Scores that depend on their own voxel alone."""

    def __init__(self):
        self.patches = []

    def scores(self, patch):
        self.patches.append(patch.shape)
        return np.concatenate([0 * patch, patch - 0.2, 2 * patch - 1], axis=-1)

    def decide(self, scores):
        return scores.argmax(axis=-1).astype(np.uint16)


def in_order(left):
    return left[0]


def run(scan, plan, grid, predictor, box=None, order=in_order):
    """Class scores of `box`, and how often each voxel was written."""
    box = box or Box.of(scan.shape)
    written, scores = np.zeros(scan.shape, int), None
    parts = segment_box(
        order, plan, box, lambda part: scan[part.slices][..., None], grid, AS_STORED, predictor
    )  # fmt: skip
    for part, values in parts:
        scores = np.full((*scan.shape, values.shape[-1]), np.nan, np.float32) if scores is None else scores
        scores[part.slices] = values
        written[part.slices] += 1
    return scores, written


def plain(scan, patch=PATCH, halo=2, multiple=MULTIPLE):
    grid = GridMap(scan_shape=scan.shape, model_shape=scan.shape, ratio=(1.0, 1.0, 1.0))
    return TilePlan(shape=scan.shape, patch_size=(patch,) * 3, halo=halo, multiple=multiple), grid


@settings(deadline=None, max_examples=60)
@given(shape=shapes, halo=st.sampled_from([0, 2]), seed=st.integers(0, 9))
def test_tiles_of_a_pointwise_network_are_the_whole_volume(shape, halo, seed):
    scan = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    predictor = Pointwise()
    scores, written = run(scan, *plain(scan, halo=halo), predictor)
    assert (written == 1).all()
    np.testing.assert_array_equal(scores, Pointwise().scores(scan[..., None]))
    assert set(predictor.patches) == {(PATCH, PATCH, PATCH, 1)}


@settings(deadline=None, max_examples=60)
@given(
    shape=shapes, seed=st.integers(0, 9),
    ratio=st.tuples(*[st.sampled_from([0.4, 0.7, 1.0, 1.37, 2.5])] * 3),
)  # fmt: skip
def test_tiles_on_another_grid_are_the_whole_volume(shape, seed, ratio):
    scan = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    grid = grid_map(shape, ratio, (1.0, 1.0, 1.0))
    plan = TilePlan(shape=grid.model_shape, patch_size=(PATCH,) * 3, halo=2, multiple=MULTIPLE)
    scores, written = run(scan, plan, grid, Pointwise())
    assert (written == 1).all()
    # As the patches do, the whole reaches past the far faces, where the scan's last voxels go on.
    whole = Box(start=(0, 0, 0), stop=tuple(max(tile.patch.stop[axis] for tile in plan) for axis in range(3)))
    once = Pointwise().scores(grid.to_model(scan[..., None], Box.of(shape), whole))
    np.testing.assert_allclose(scores, grid.scores_to_scan(once, whole, Box.of(shape)), atol=2e-5)


@settings(deadline=None, max_examples=30)
@given(shape=shapes, data=st.data())
def test_a_box_is_covered_once_and_nothing_else_is(shape, data):
    scan = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    start = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    box = Box(start=start, stop=tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True)))
    scores, written = run(scan, *plain(scan), Pointwise(), box=box)
    assert written.sum() == box.size
    assert (written[box.slices] == 1).all()
    np.testing.assert_array_equal(scores[box.slices], Pointwise().scores(scan[..., None])[box.slices])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 17), (30, 1, 1), (3, 5, 2)])
def test_thin_volumes(shape):
    scan = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    scores, written = run(scan, *plain(scan), Pointwise())
    assert (written == 1).all()
    np.testing.assert_array_equal(scores, Pointwise().scores(scan[..., None]))


def test_the_order_does_not_matter():
    scan = np.random.default_rng(0).normal(size=(13, 15, 11)).astype(np.float32)
    plan, grid = plain(scan)
    network = NetworkPredictor(random_unet(), small_card())
    first = run(scan, plan, grid, network)[0]
    second = run(scan, plan, grid, network, order=lambda left: left[-1])[0]
    np.testing.assert_array_equal(first, second)


def test_intensities_are_mapped_before_the_network_sees_them():
    scan = np.array([[[0.0, 50.0, np.nan, 400.0]]], np.float32)
    plan, grid = plain(scan)
    mapping = (IntensityMap(low=0.0, high=100.0, shift=0.0, scale=0.01),)
    tile = next(iter(plan))
    owned, scores = segment_tile(tile, lambda box: scan[box.slices][..., None], grid, mapping, Pointwise())
    assert owned == Box.of(scan.shape)
    np.testing.assert_allclose(scores[0, 0, :, 2], [-1, 0, -1, 1], atol=1e-6)


def test_the_nearest_tile_comes_first_and_follows_the_look():
    scan = np.zeros((32, 32, 32), np.float32)
    plan, grid = plain(scan, halo=0)
    look = [(31.0, 31.0, 31.0)]
    choose = nearest_to(lambda: look[0], grid)
    left = list(plan)
    assert choose(left).core.stop == (32, 32, 32)
    look[0] = (0.0, 0.0, 31.0)
    assert choose(left).core == Box(start=(0, 0, 24), stop=(8, 8, 32))


def test_the_look_is_in_voxels_of_the_scan():
    grid = grid_map((64, 64, 64), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
    plan = TilePlan(shape=grid.model_shape, patch_size=(PATCH,) * 3, halo=0, multiple=MULTIPLE)
    assert nearest_to(lambda: (63.0, 0.0, 33.0), grid)(list(plan)).core == Box(start=(24, 0, 16), stop=(32, 8, 24))


def small_card(**changes):
    return make_card_without_file(input={"multiple": MULTIPLE, **changes}, output={"classes": CLASSES})


def make_card_without_file(**changes):
    from pathlib import Path

    return make_card(Path("model.keras"), sha256="0" * 64, **changes)


@pytest.mark.parametrize("down", ["pool", "stride"])
@pytest.mark.parametrize("residual", [True, False])
def test_a_real_network_is_exact_at_its_receptive_field_and_not_below(down, residual):
    network = random_unet(widths=(4, 8), down=down, residual=residual)
    predictor = NetworkPredictor(network, small_card())
    scan = np.random.default_rng(1).normal(size=(36, 33, 30)).astype(np.float32)
    padded = np.pad(scan[..., None], [*((0, -n % MULTIPLE) for n in scan.shape), (0, 0)], mode="edge")
    whole = predictor.decide(predictor.scores(padded)[Box.of(scan.shape).slices])
    assert set(np.unique(whole)) == {0, 3, 7}  # the test would have no power on a constant map
    reach = REACH + (1 if down == "stride" else 0)
    enough = -(-reach // MULTIPLE) * MULTIPLE
    labels = {}
    for halo in (0, enough):
        plan, grid = plain(scan, patch=24, halo=halo)
        assert len(plan) > 4
        labels[halo] = predictor.decide(run(scan, plan, grid, predictor)[0])
    assert (labels[enough] != whole).sum() == 0
    assert (labels[0] != whole).mean() > 0.005


def test_a_network_that_sees_far_needs_its_halo():
    """The halo is measured, not only computed: the scores of a tile change beyond it and not within."""
    network = random_unet(widths=(4, 8))
    scan = np.random.default_rng(1).normal(size=(1, 32, 32, 32, 1)).astype(np.float32)
    touched = scan.copy()
    touched[0, 0] += 5
    changed = np.abs(keras.ops.convert_to_numpy(network(scan) - network(touched))).max(axis=(0, 2, 3, 4)) > 1e-6
    farthest = int(np.flatnonzero(changed).max())
    assert REACH - 2 <= farthest <= REACH
