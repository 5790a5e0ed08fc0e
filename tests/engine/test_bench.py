"""Tiles that come and go in slots make up the whole volume: exactly for pointwise networks, and for real ones too."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import count

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from napari_vol3d.core.blend import OverlapPlan, gaussian_weights
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.patch import read_patch
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import GivenTiles, TilePlan
from napari_vol3d.engine.bench import Bench
from napari_vol3d.engine.kernel import PatchKernel, intensity_rows
from napari_vol3d.engine.load import load_network
from napari_vol3d.engine.messages import Open, Patch
from tests.builders import brightness_network, random_unet, write_model

AS_STORED = (IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0),)
UNTOUCHED = 99  # what output slots hold before anything is written
IDS = np.array((0, 3, 7))
RATIOS = st.tuples(*[st.sampled_from([0.4, 0.7, 1.0, 1.37, 2.5])] * 3)
numbers = count()


def shapes(patch):
    """From one voxel to twice the patch along each axis."""
    return st.tuples(*[st.integers(1, 2 * patch)] * 3)


def small_unet(norm=None):
    """Two levels, weights at random; a voxel sees 6 others on one side."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, None, 1))
    skip = layers.Conv3D(4, 3, padding="same", activation="relu", bias_initializer="uniform")(inputs)
    skip = norm(skip) if norm else skip
    coarse = layers.Conv3D(6, 3, padding="same", activation="relu")(layers.MaxPooling3D()(skip))
    fine = layers.Concatenate()([layers.Conv3DTranspose(4, 2, strides=2)(coarse), skip])
    fine = layers.Conv3D(4, 3, padding="same", activation="relu")(fine)
    scores = layers.Conv3D(3, 1, kernel_initializer=keras.initializers.RandomNormal(stddev=1.5))(fine)
    return keras.Model(inputs, scores)


def whole_patch_unet():
    """Its result depends on all of the patch, as that of networks with group normalisation."""
    return small_unet(layers.GroupNormalization(groups=1))


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Make networks, and load them as the engine does; each once."""

    @functools.cache
    def loaded(make):
        model = write_model(tmp_path_factory.mktemp("model"), make())
        return load_network(model.weights, model.card)

    return loaded


@functools.cache
def kernel(network, **kind):
    return PatchKernel((network,), **kind)


@dataclass(frozen=True)
class Result:
    """What a run gave: labels, probabilities (z, y, x, classes) as bytes, and how often each voxel was written."""

    labels: np.ndarray
    probabilities: np.ndarray
    written: np.ndarray


def volume(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1.5, shape).astype(np.float32)


def same_grid(shape):
    return grid_map(shape, (1.0, 1.0, 1.0), None)


def run(folder, network, scan, plan, grid, *, box=None, backwards=False, kept=None):
    """Do what the parent does: fill slots in turn, ask for tiles, and keep what is final."""
    box, blended = box or Box.of(scan.shape), isinstance(plan, OverlapPlan)
    tiles = [(tile, owned) for tile in plan if (owned := grid.owned(tile.core).intersect(box)).size]
    tiles = tiles[::-1] if backwards else tiles
    windows = tuple(tuple(sorted({tile.patch.start[a] for tile, _ in tiles})) for a in range(3)) if blended else None
    part, size = slot_sizes(plan, grid)
    paths = [str(folder / f"{kind}-{next(numbers)}.npy") for kind in ("inputs", "outputs", "probabilities")]
    for path, dtype, edges in zip(
        paths, (np.float32, np.uint8, np.uint8), ((2, *part, 1), (2, *size), (2, 2, *size)), strict=True
    ):
        np.save(path, np.full(edges, UNTOUCHED, dtype))
    inputs, outputs, bytes_ = (np.load(path, mmap_mode="r+") for path in paths)
    job = Open(
        inputs=paths[0], outputs=paths[1], probabilities=paths[2], intensity=AS_STORED, grid=grid,
        patch_size=plan.patch_size, windows=windows, kept=kept,
    )  # fmt: skip
    bench = Bench(job, functools.partial(kernel, network))
    labels, written = np.full(scan.shape, UNTOUCHED, np.uint8), np.zeros(scan.shape, int)
    probabilities = np.zeros((*scan.shape, 2), np.uint8)
    for number, (tile, owned) in enumerate(tiles):
        slot = number % 2
        needed = tile.patch if grid.identity else grid.needed(tile.patch)
        voxels = read_patch(lambda part: scan[part.slices][..., None], needed, scan.shape)
        inputs[slot][Box.of(voxels.shape[:3]).slices] = voxels
        outputs[slot], bytes_[slot] = UNTOUCHED, UNTOUCHED
        done = bench.compute(
            Patch(slot=slot, start=tile.patch.start, owned_start=owned.start, owned_stop=owned.stop)
        )  # fmt: skip
        final = Box(start=done.start, stop=done.stop)
        assert (done.slot, final if not blended else owned) == (slot, owned)
        place = Box.of(final.shape).slices
        labels[final.slices], written[final.slices] = outputs[slot][place], written[final.slices] + 1
        probabilities[final.slices] = np.moveaxis(bytes_[slot][(slice(None), *place)], 0, -1)
        outputs[slot][place] = UNTOUCHED
        assert (outputs[slot] == UNTOUCHED).all()  # nothing beside what is final was written
    return Result(labels, probabilities, written)


def slot_sizes(plan, grid):
    """Voxels that come in and go out at most; blended windows give whole rows of the scan, as many as one covers."""
    if isinstance(plan, TilePlan):
        return grid.largest_needed(plan), grid.largest_owned(plan)
    needed = [grid.needed(tile.patch).shape for tile in plan]
    rows = max(grid.owned(tile.core).shape[0] for tile in plan)
    part = plan.patch_size if grid.identity else tuple(max(shape[axis] for shape in needed) for axis in range(3))
    return part, (rows, *grid.scan_shape[1:])


def softmax_of(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def assert_decided(found, scores, where=...):
    """Labels and probabilities are those of scores (z, y, x, K), but for labels that 1e-4 would change."""
    scores, labels, probabilities = scores[where], found.labels[where], found.probabilities[where]
    ordered = np.sort(scores, axis=-1)
    sure = ordered[..., -1] - ordered[..., -2] > 1e-4 * max(1.0, np.abs(scores).max())
    np.testing.assert_array_equal(labels[sure], IDS[scores.argmax(axis=-1)][sure])
    np.testing.assert_allclose(probabilities, 255 * softmax_of(scores)[..., 1:], atol=0.6)


def pointwise(scan):
    """Scores of `brightness_network`, in the arithmetic of float32."""
    return np.stack([0 * scan, scan - np.float32(0.5), 2 * scan - np.float32(2)], axis=-1)


def scores_of(network, patch):
    """Scores of a patch (z, y, x) without tiles, from the kernel."""
    return kernel(network, dtype="float32", wanted="scores")(patch[..., None], intensity_rows(AS_STORED))[0]


@st.composite
def boxes(draw, shape):
    start = tuple(draw(st.integers(0, n - 1)) for n in shape)
    return Box(start=start, stop=tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True)))


# ---- thrown-away context --------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(shape=shapes(8), halo=st.sampled_from([0, 2]), seed=st.integers(0, 9))
def test_tiles_of_a_pointwise_network_are_the_whole_volume(load, tmp_path_factory, shape, halo, seed):
    scan = volume(shape, seed)
    plan = TilePlan(shape=shape, patch_size=(8, 8, 8), halo=halo, multiple=2)
    found = run(tmp_path_factory.getbasetemp(), load(brightness_network), scan, plan, same_grid(shape))
    assert (found.written == 1).all()
    np.testing.assert_array_equal(found.labels, IDS[pointwise(scan).argmax(axis=-1)])  # bit for bit
    assert_decided(found, pointwise(scan))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 17), (30, 1, 1), (3, 5, 2)])
def test_thin_volumes(load, tmp_path, shape):
    scan, plan = volume(shape), TilePlan(shape=shape, patch_size=(8, 8, 8), halo=2, multiple=2)
    found = run(tmp_path, load(brightness_network), scan, plan, same_grid(shape))
    assert (found.written == 1).all()
    np.testing.assert_array_equal(found.labels, IDS[pointwise(scan).argmax(axis=-1)])


@settings(deadline=None, max_examples=8)
@given(shape=shapes(16), seed=st.integers(0, 9))
def test_tiles_of_a_network_are_the_whole_volume_once_the_halo_reaches(load, tmp_path_factory, shape, seed):
    network, scan = load(small_unet), volume(shape, seed)
    reach = network.anatomy.halo
    assert 4 <= reach <= 6
    plan = TilePlan(shape=shape, patch_size=(16, 16, 16), halo=6, multiple=2)
    # As tiles do, the whole reaches past the far faces, where the scan's last voxels go on.
    far = tuple(max(tile.patch.stop[axis] for tile in plan) for axis in range(3))
    whole = scores_of(network, read_patch(lambda box: scan[box.slices][..., None], Box.of(far), shape)[..., 0])
    for tile in plan:
        patch = read_patch(lambda box: scan[box.slices][..., None], tile.patch, shape)[..., 0]
        z, y, x = tile.patch.start
        scores = scores_of(network, patch)[tile.core.shifted((-z, -y, -x)).slices]
        np.testing.assert_allclose(scores, whole[tile.core.slices], rtol=1e-4, atol=1e-4)
    found = run(tmp_path_factory.getbasetemp(), network, scan, plan, same_grid(shape))
    assert (found.written == 1).all()
    assert_decided(found, whole[Box.of(shape).slices])


@pytest.mark.parametrize(("axis", "first"), [(0, 16), (1, 0), (2, 24), (2, 32)])
def test_a_layer_of_tiles_of_which_rows_are_kept_is_that_of_whole_ones(load, tmp_path, axis, first):
    shape, scan = (33, 34, 35), volume((33, 34, 35), 2)
    low, end = max(first - 6, 0), min(first + 2, shape[axis])
    patch = tuple(first + 8 - low if a == axis else 24 for a in range(3))
    spans = TilePlan(shape=shape, patch_size=(24, 24, 24), halo=6, multiple=2).axes
    spans[axis] = ((low, first, end),)
    plan = GivenTiles(shape=shape, patch_size=patch, halo=6, multiple=2, spans=tuple(spans))
    whole = run(tmp_path, load(small_unet), scan, plan, same_grid(shape))
    part = run(tmp_path, load(small_unet), scan, plan, same_grid(shape), kept=(axis, first - low, first + 2 - low))
    assert part.written.sum() == whole.written.sum() == scan.size // shape[axis] * (end - first)
    assert (part.labels != whole.labels).sum() <= 1e-4 * whole.written.sum()
    assert np.abs(part.probabilities.astype(int) - whole.probabilities).max() <= 1


def strided_unet():
    return random_unet(down="stride", residual=True)


@pytest.mark.parametrize("make", [random_unet, strided_unet])
def test_a_real_network_is_exact_at_its_receptive_field_and_not_below(load, tmp_path, make):
    network, scan = load(make), volume((32, 33, 24), 1)
    whole = scores_of(network, np.pad(scan, [(0, -n % 2) for n in scan.shape], mode="edge"))[Box.of(scan.shape).slices]
    labels = IDS[whole.argmax(axis=-1)]
    assert set(np.unique(labels)) == {0, 3, 7}  # the test would have no power on a constant map
    enough = -(-network.anatomy.halo // 2) * 2
    assert enough == 10
    wrong = {}
    for halo in (0, enough):
        plan = TilePlan(shape=scan.shape, patch_size=(24, 24, 24), halo=halo, multiple=2)
        assert len(plan) >= 4
        wrong[halo] = run(tmp_path, network, scan, plan, same_grid(scan.shape)).labels != labels
    assert wrong[enough].sum() == 0
    assert wrong[0].mean() > 0.005


@pytest.mark.parametrize("ratio", [(1.0, 1.0, 1.0), (0.7, 1.0, 1.6)])
def test_the_order_does_not_matter(load, tmp_path, ratio):
    scan = volume((17, 19, 15))
    grid = grid_map(scan.shape, ratio, (1.0, 1.0, 1.0))
    plan = TilePlan(shape=grid.model_shape, patch_size=(8, 8, 8), halo=2, multiple=2)
    first, second = (run(tmp_path, load(small_unet), scan, plan, grid, backwards=b) for b in (False, True))
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


@settings(deadline=None, max_examples=15)
@given(shape=shapes(8), ratio=RATIOS, seed=st.integers(0, 9))
def test_tiles_on_another_grid_are_the_whole_volume(load, tmp_path_factory, shape, ratio, seed):
    scan, grid = volume(shape, seed), grid_map(shape, ratio, (1.0, 1.0, 1.0))
    plan = TilePlan(shape=grid.model_shape, patch_size=(8, 8, 8), halo=2, multiple=2)
    found = run(tmp_path_factory.getbasetemp(), load(brightness_network), scan, plan, grid)
    assert (found.written == 1).all()
    far = Box.of(tuple(max(tile.patch.stop[axis] for tile in plan) for axis in range(3)))
    scores = pointwise(to_patch(grid, scan, Box.of(shape), far))
    assert_decided(found, to_scan(grid, scores, far, Box.of(shape)))


@settings(deadline=None, max_examples=15)
@given(data=st.data(), shape=shapes(8), ratio=st.sampled_from([(1.0, 1.0, 1.0), (0.7, 1.0, 1.6)]))
def test_a_region_is_covered_once_and_nothing_else_is(load, tmp_path_factory, data, shape, ratio):
    scan, grid, box = volume(shape), grid_map(shape, ratio, (1.0, 1.0, 1.0)), data.draw(boxes(shape))
    plan = TilePlan(shape=grid.model_shape, patch_size=(8, 8, 8), halo=2, multiple=2)
    network, folder = load(small_unet), tmp_path_factory.getbasetemp()
    part, whole = run(folder, network, scan, plan, grid, box=box), run(folder, network, scan, plan, grid)
    assert part.written.sum() == box.size
    assert (part.written[box.slices] == 1).all()
    if grid.identity:  # else fewer rows of a matrix may be summed up in another order
        np.testing.assert_array_equal(part.labels[box.slices], whole.labels[box.slices])
    difference = part.probabilities[box.slices].astype(int) - whole.probabilities[box.slices]
    assert np.abs(difference).max() <= 1
    assert (part.labels[part.written == 0] == UNTOUCHED).all()


def to_patch(grid, scan, part, patch):
    """Voxels (z, y, x) of a part of the scan, on a patch of the model's grid."""
    ways = [
        grid.weights_to_model(a, (part.start[a], part.stop[a]), (patch.start[a], patch.stop[a])) for a in range(3)
    ]  # fmt: skip
    return np.einsum("az,by,cx,zyx->abc", *ways, scan, optimize=True)


def to_scan(grid, scores, patch, owned):
    """Scores (z, y, x, K) of a patch, at scan voxels."""
    ways = [
        grid.weights_to_scan(a, (patch.start[a], patch.stop[a]), (owned.start[a], owned.stop[a])) for a in range(3)
    ]  # fmt: skip
    return np.einsum("az,by,cx,zyxk->abck", *ways, scores, optimize=True)


# ---- blended windows ------------------------------------------------------------------------------------------------


def accumulated(network, scan, plan, grid):
    """The same windows in plain NumPy: scores of each, at scan voxels, added up with Gaussian weights."""
    total, sum_weights = np.zeros((*scan.shape, 3)), np.zeros((*scan.shape, 1))
    for tile in plan:
        part = tile.patch if grid.identity else grid.needed(tile.patch)
        voxels = read_patch(lambda box: scan[box.slices][..., None], part, scan.shape)[..., 0]
        patch = voxels if grid.identity else to_patch(grid, voxels, part, tile.patch)
        seen = grid.owned(tile.patch.intersect(Box.of(grid.model_shape)))
        z, y, x = (gaussian_weights(edge) for edge in plan.patch_size)
        weights = to_scan(grid, np.einsum("z,y,x->zyx", z, y, x)[..., None], tile.patch, seen).astype(float)
        total[seen.slices] += weights * to_scan(grid, scores_of(network, patch), tile.patch, seen)
        sum_weights[seen.slices] += weights
    assert (sum_weights > 0).all()  # every voxel of the scan lies in some window
    return total / sum_weights


@settings(deadline=None, max_examples=8)
@given(shape=shapes(8), overlap=st.sampled_from([0.25, 0.5]), make=st.sampled_from([small_unet, whole_patch_unet]))
def test_blended_windows_are_their_weighted_mean(load, tmp_path_factory, shape, overlap, make):
    scan, network = volume(shape), load(make)
    plan = OverlapPlan(shape=shape, patch_size=(8, 8, 8), overlap=overlap, multiple=2)
    found = run(tmp_path_factory.getbasetemp(), network, scan, plan, same_grid(shape))
    assert (found.written == 1).all()
    assert_decided(found, accumulated(network, scan, plan, same_grid(shape)))


@settings(deadline=None, max_examples=8)
@given(shape=shapes(8), ratio=RATIOS)
def test_blended_windows_on_another_grid_give_every_voxel(load, tmp_path_factory, shape, ratio):
    scan, network, grid = volume(shape), load(small_unet), grid_map(shape, ratio, (1.0, 1.0, 1.0))
    plan = OverlapPlan(shape=grid.model_shape, patch_size=(8, 8, 8), overlap=0.25, multiple=2)
    found = run(tmp_path_factory.getbasetemp(), network, scan, plan, grid)
    assert (found.written == 1).all()
    assert_decided(found, accumulated(network, scan, plan, grid))


@settings(deadline=None, max_examples=8)
@given(data=st.data(), ratio=st.sampled_from([(1.0, 1.0, 1.0), (0.7, 1.0, 1.6)]))
def test_a_blended_region_is_what_the_whole_gives_there(load, tmp_path_factory, data, ratio):
    shape = (33, 12, 10)
    scan, grid, box = volume(shape), grid_map(shape, ratio, (1.0, 1.0, 1.0)), data.draw(boxes(shape))
    plan = OverlapPlan(shape=grid.model_shape, patch_size=(8, 8, 8), overlap=0.25, multiple=2)
    found = run(tmp_path_factory.getbasetemp(), load(small_unet), scan, plan, grid, box=box)
    assert (found.written[box.slices] == 1).all()
    assert found.written.max() == 1
    assert_decided(found, accumulated(load(small_unet), scan, plan, grid), box.slices)


def test_windows_out_of_order_are_refused(load, tmp_path):
    scan = volume((20, 8, 8))
    plan = OverlapPlan(shape=scan.shape, patch_size=(8, 8, 8), overlap=0.25, multiple=2)
    with pytest.raises(Vol3dError, match=r"Window .* comes too"):
        run(tmp_path, load(small_unet), scan, plan, same_grid(scan.shape), backwards=True)
