"""The compiled kernel gives what plain NumPy and the network give, whatever voxels, grids and outputs there are."""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.intensity import IntensityMap, IntensityScheme, measure_intensity
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.engine.backends import library_errors
from napari_vol3d.engine.kernel import PatchKernel, intensity_rows, resampling_ways
from napari_vol3d.engine.load import load_network
from tests.builders import CLASSES, random_unet, write_model

FARTHER = (LabelClass(id=300, name="far", color="#ffffff"), LabelClass(id=70_000, name="out", color="#000000"))
FAR = (LabelClass(id=300, name="far", color="#ffffff"), LabelClass(id=5, name="near", color="#000000"))
AS_STORED = IntensityMap(low=-np.inf, high=np.inf, shift=0.0, scale=1.0)
DTYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float16"]
SCHEMES = [
    IntensityScheme(kind="none"), IntensityScheme(kind="zscore"), IntensityScheme(kind="zscore", over="nonzero"),
    IntensityScheme(kind="minmax"), IntensityScheme(kind="quantile", lower=5, upper=95),
    IntensityScheme(kind="window", lower=-20, upper=90),
]  # fmt: skip


def logits():
    return random_unet(activation="relu")


def other_logits():
    return random_unet(seed=1)


def softmax():
    network = random_unet(seed=2)
    return keras.Model(network.inputs[0], keras.layers.Softmax()(network.outputs[0]))


def sigmoid():
    network = random_unet(seed=3, classes=1)
    return keras.Model(network.inputs[0], keras.layers.Activation("sigmoid")(network.outputs[0]))


def as_given(channels):
    """A network whose scores are the voxels it is given."""
    inputs = keras.Input((None, None, None, channels))
    head = keras.layers.Conv3D(channels, 1, use_bias=False)
    network = keras.Model(inputs, head(inputs))
    head.set_weights([np.eye(channels, dtype=np.float32).reshape(1, 1, 1, channels, channels)])
    return network


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Make networks, and load them as the engine does; each once."""

    @functools.cache
    def loaded(make, activation="none", classes=CLASSES, channels=("image",), argument=None):
        network = make() if argument is None else make(argument)
        output = {"classes": classes, "activation": activation}
        folder = tmp_path_factory.mktemp("model")
        model = write_model(folder, network, input={"channels": channels}, output=output)
        return load_network(model.weights, model.card)

    return loaded


@functools.cache
def kernel(*networks, **kind):
    return PatchKernel(networks, **kind)


def seen(network, patch):
    """Outputs of a network for one patch (z, y, x, C), without the kernel."""
    return keras.ops.convert_to_numpy(network.model(patch[None], training=False))[0]


def softmax_of(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def assert_labels(labels, scores, ids):
    """Labels are the ids of the largest scores, where float rounding leaves no doubt which that is."""
    first, second = np.sort(scores, axis=-1)[..., -1], np.sort(scores, axis=-1)[..., -2]
    sure = first - second > 1e-4 * max(1.0, np.abs(scores).max())
    assert sure.mean() > 0.5
    np.testing.assert_array_equal(labels[sure], np.asarray(ids)[scores.argmax(axis=-1)][sure])


def assert_bytes(found, probabilities):
    """Foreground probabilities (z, y, x, classes), 0 to 1, as bytes with the classes first."""
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, 255 * np.moveaxis(probabilities, -1, 0), atol=0.55)


def voxels(dtype, seed, shape=(8, 8, 8, 1), *, broken=True):
    """Stored voxels of any dtype: the whole range that it has, air as exact 0, and what is no number."""
    rng = np.random.default_rng(seed)
    values = rng.normal(40, 60, shape)
    if dtype in ("int32", "uint32"):
        values *= 1e7  # more digits than float32 holds
    if np.dtype(dtype).kind in "iu":
        values = np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max)
    values = values.astype(dtype)
    values[:2] = 0
    if np.dtype(dtype).kind == "f" and broken:
        for number in (np.nan, np.inf, -np.inf):
            values[rng.random(shape) < 0.05] = number
    return values


@settings(deadline=None, max_examples=40)
@given(dtype=st.sampled_from(DTYPES), scheme=st.sampled_from(SCHEMES), seed=st.integers(0, 99))
def test_it_is_what_numpy_and_the_network_give(load, dtype, scheme, seed):
    network, stored = load(logits, classes=FAR), voxels(dtype, seed)
    intensity = measure_intensity(stored[..., 0], scheme)
    labels, probabilities = kernel(network, dtype=dtype, wanted="both")(stored, intensity_rows([intensity]))
    scores = seen(network, intensity.apply(stored))
    assert (labels.shape, labels.dtype) == ((8, 8, 8), np.uint16)
    assert_labels(labels, scores, (0, 300, 5))
    if np.abs(scores).max() < 100:  # else rounding of the scores shows in their powers
        assert_bytes(probabilities, softmax_of(scores)[..., 1:])


def test_each_channel_has_its_own_intensities(load):
    network = load(random_two_channels, channels=("t1", "t2"))
    stored = voxels("float32", 0, (8, 8, 8, 2), broken=False)
    stored[2, 2, 2] = np.nan
    maps = [IntensityMap(low=0.0, high=50.0, shift=10.0, scale=0.1), replace_scale(AS_STORED, 0.02)]
    (scores,) = kernel(network, dtype="float32", wanted="scores")(stored, intensity_rows(maps))
    mapped = np.stack([maps[c].apply(stored[..., c]) for c in range(2)], axis=-1)
    np.testing.assert_allclose(scores, seen(network, mapped), rtol=1e-4, atol=1e-4)


def random_two_channels():
    return random_unet(channels=2)


def replace_scale(intensity, scale):
    return IntensityMap(low=intensity.low, high=intensity.high, shift=intensity.shift, scale=scale)


def test_intensity_rows_say_what_stands_in_for_no_number():
    rows = intensity_rows([IntensityMap(low=2.0, high=9.0, shift=5.0, scale=0.5), replace_scale(AS_STORED, 3.0)])
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.T, [[2, 9, 2, 5, 0.5], [-np.inf, np.inf, 0, 0, 3]])


@pytest.mark.parametrize("shape", [(2, 2, 2), (8, 6, 10), (4, 12, 2), (16, 8, 8)])
def test_one_kernel_takes_patches_of_any_shape(load, shape):
    network, stored = load(logits), voxels("int16", 1, (*shape, 1))
    intensity = IntensityMap(low=-np.inf, high=np.inf, shift=30.0, scale=0.02)
    (labels,) = kernel(network, dtype="int16")(stored, intensity_rows([intensity]))
    assert (labels.shape, labels.dtype) == (shape, np.uint8)
    assert_labels(labels, seen(network, intensity.apply(stored)), (0, 3, 7))


def test_scores_alone_are_the_networks(load):
    network, stored = load(logits), voxels("float32", 2, broken=False) / 60
    (scores,) = kernel(network, dtype="float32", wanted="scores")(stored, intensity_rows([AS_STORED]))
    assert (scores.shape, scores.dtype) == ((8, 8, 8, 3), np.float32)
    np.testing.assert_allclose(scores, seen(network, stored), rtol=1e-5, atol=1e-5)


def test_batch_statistics_are_the_trained_ones(load):
    # In training mode a patch would be normalised by itself, and a shifted one would score the same.
    stored, ours = voxels("float32", 3, broken=False) / 60, kernel(load(logits), dtype="float32", wanted="scores")
    first, second = (ours(stored + shift, intensity_rows([AS_STORED]))[0] for shift in (np.float32(0), np.float32(3)))
    assert np.abs(first - second).max() > 0.1


@pytest.mark.parametrize(
    ("stored", "intensities"),
    [((8, 8, 8, 2), 2), ((8, 8, 8, 2), 1), ((8, 8, 8, 1), 2), ((8, 8, 8), 1), ((1, 8, 8, 8, 1), 1)],
)
def test_a_wrong_patch_is_refused_and_the_next_one_works(load, stored, intensities):
    # TensorFlow would take two channels for two groups of one, and compute.
    ours = kernel(load(logits), dtype="float32", wanted="scores")
    with pytest.raises(ScanMismatch, match=r"^Tiny takes 1 channel"):
        ours(np.zeros(stored, np.float32), intensity_rows([AS_STORED] * intensities))
    assert ours(np.zeros((8, 8, 8, 1), np.float32), intensity_rows([AS_STORED]))[0].shape == (8, 8, 8, 3)


# ---- the decision ---------------------------------------------------------------------------------------------------


def decided(load, scores, **card):
    """Labels and probabilities of given scores, shape (x, K): from the compiled function, and decided outside it."""
    scores = np.asarray(scores, np.float32)[None, None]
    channels = scores.shape[-1]
    network = load(as_given, channels=tuple("abc"[:channels]), argument=channels, **card)
    rows = intensity_rows([AS_STORED] * channels)
    inside = kernel(network, dtype="float32", wanted="both")(scores, rows)
    outside = kernel(network, dtype="float32", wanted="scores").decide(scores)
    for ours, theirs in zip(inside, outside, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    return inside[0][0, 0], inside[1][:, 0, 0].T


@pytest.mark.parametrize(
    ("classes", "ids", "dtype"),
    [(CLASSES, (3, 7), np.uint8), (FAR, (300, 5), np.uint16), (FARTHER, (300, 70_000), np.uint32)],
)
def test_the_largest_score_decides_and_ids_are_the_cards(load, classes, ids, dtype):
    labels, _ = decided(load, [[3, 1, 2], [1, 3, 2], [1, 2, 3]], classes=classes)
    assert labels.dtype == dtype
    np.testing.assert_array_equal(labels, [0, *ids])


def test_logits_become_probabilities_without_overflow(load):
    _, probabilities = decided(load, [[1000, 1000, -1000], [0, np.log(3), 0], [-200, 0, -200]])
    np.testing.assert_allclose(probabilities, np.multiply(255, [[0.5, 0], [0.6, 0.2], [1, 0]]), atol=0.51)


def test_softmax_outputs_are_taken_as_they_are(load):
    labels, probabilities = decided(load, [[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]], activation="softmax")
    np.testing.assert_array_equal(labels, [3, 0])
    np.testing.assert_allclose(probabilities, np.multiply(255, [[0.5, 0.3], [0.3, 0.3]]), atol=0.51)


def test_sigmoid_outputs_need_more_than_a_half(load):
    outputs = [[0.4, 0.3], [0.9, 0.6], [0.2, 0.7], [0.5, 0.5]]
    labels, probabilities = decided(load, outputs, activation="sigmoid")
    np.testing.assert_array_equal(labels, [0, 3, 7, 0])
    np.testing.assert_allclose(probabilities, np.multiply(255, outputs), atol=0.51)


# ---- several passes -------------------------------------------------------------------------------------------------


def mirrored(network, patch, axes):
    """Mean probabilities over all flips of a patch."""
    outputs = []
    for flip in itertools.chain.from_iterable(itertools.combinations(axes, n) for n in range(len(axes) + 1)):
        found = np.flip(seen(network, np.ascontiguousarray(np.flip(patch, flip))), flip)
        outputs.append(softmax_of(found) if network.activation == "none" else found)
    return np.mean(outputs, axis=0)


@pytest.mark.parametrize("axes", [(2,), (0, 2), (0, 1, 2)])
def test_mirroring_is_the_mean_over_all_flips(load, axes):
    network, stored = load(logits), voxels("float32", 4, (8, 6, 10, 1), broken=False) / 60
    meant = mirrored(network, stored, axes)
    assert np.abs(meant - softmax_of(seen(network, stored))).max() > 0.05  # the flips do not agree
    rows = intensity_rows([AS_STORED])
    labels, found = kernel(network, dtype="float32", wanted="both", mirror_axes=axes)(stored, rows)
    assert_labels(labels, meant, (0, 3, 7))
    assert_bytes(found, meant[..., 1:])
    (scores,) = kernel(network, dtype="float32", wanted="scores", mirror_axes=axes)(stored, rows)
    np.testing.assert_allclose(scores, meant, atol=1e-5)


@pytest.mark.parametrize("axes", [(), (1,)])
def test_several_networks_are_the_mean_of_their_probabilities(load, axes):
    networks = [load(logits), load(other_logits), load(softmax, activation="softmax")]
    stored = voxels("float32", 5, broken=False) / 60
    meant = np.mean([mirrored(network, stored, axes) for network in networks], axis=0)
    rows = intensity_rows([AS_STORED])
    labels, found = kernel(*networks, dtype="float32", wanted="both", mirror_axes=axes)(stored, rows)
    assert_labels(labels, meant, (0, 3, 7))
    assert_bytes(found, meant[..., 1:])


def test_sigmoid_networks_are_averaged_before_the_threshold(load):
    network, stored = load(sigmoid, activation="sigmoid"), voxels("float32", 6, broken=False) / 60
    meant = mirrored(network, stored, (0,))
    sure = np.abs(meant.max(axis=-1) - 0.5) > 1e-4
    (labels,) = kernel(network, dtype="float32", mirror_axes=(0,))(stored, intensity_rows([AS_STORED]))
    wanted = np.where(meant.max(axis=-1) > 0.5, np.asarray((3, 7))[meant.argmax(axis=-1)], 0)
    assert len(np.unique(wanted)) > 1
    np.testing.assert_array_equal(labels[sure], wanted[sure])


# ---- rows alone -----------------------------------------------------------------------------------------------------


def grouped():
    """A network that can't be narrowed: it sees the whole patch."""
    network = random_unet(seed=4)
    return keras.Model(network.inputs[0], keras.layers.GroupNormalization(1)(network.outputs[0]))


@pytest.mark.parametrize(
    ("axis", "makes"), [(0, [logits]), (1, [logits]), (2, [logits]), (0, [grouped]), (1, [logits, other_logits])],
    ids=["z", "y", "x", "of a whole patch", "of two networks"],
)  # fmt: skip
def test_rows_that_are_kept_are_those_of_the_whole_patch(load, axis, makes):
    networks, shape = [load(make) for make in makes], [8, 8, 8, 1]
    shape[axis] = 24
    stored, rows = voxels("float32", 8, shape, broken=False) / 60, intensity_rows([AS_STORED])
    flips = tuple({0, 1, 2} - {axis})[:1]
    for mirror_axes, wanted in (((), "scores"), (flips, "both")):
        kind = {"dtype": "float32", "wanted": wanted, "mirror_axes": mirror_axes}
        whole = kernel(*networks, **kind)(stored, rows)
        part = kernel(*networks, **kind, kept=(axis, 10, 14), length=24)(stored, rows)
        for found, of_all, along in zip(part, whole, (axis, axis + 1), strict=False):
            expected = np.take(of_all, range(10, 14), along)
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            if wanted == "scores":
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
            else:
                assert (found != expected).mean() < 0.01  # rounding may turn one that is nearly a tie


def test_a_kernel_for_rows_takes_no_patches_of_another_length(load):
    ours = kernel(load(logits), dtype="float32", kept=(0, 10, 14), length=24)
    with pytest.raises(library_errors()):
        ours(np.zeros((16, 8, 8, 1), np.float32), intensity_rows([AS_STORED]))


# ---- other grids ----------------------------------------------------------------------------------------------------


def apply_ways(ways, values):
    return np.einsum("az,by,cx,zyxk->abck", *ways, values, optimize=True)


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(*[st.integers(1, 20)] * 3), ratio=st.tuples(*[st.sampled_from([0.4, 0.7, 1.0, 1.37, 2.5])] * 3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_patches_on_another_grid_are_what_numpy_resamples(load, shape, ratio, seed):
    network, rng = load(logits), np.random.default_rng(seed)
    scan, grid = voxels("float32", seed, (*shape, 1)), grid_map(shape, ratio, (1.0, 1.0, 1.0))
    assume(not grid.identity)  # then patches come as they are
    plan = TilePlan(shape=grid.model_shape, patch_size=(8, 8, 8), halo=2, multiple=2)
    part_size, owned_size = grid.largest_needed(plan), grid.largest_owned(plan)
    tiles = list(plan)
    tile = tiles[rng.integers(len(tiles))]
    part, owned = grid.needed(tile.patch), grid.owned(tile.core)
    slot = np.full((*part_size, 1), rng.choice([np.nan, np.inf, 7.0]), np.float32)  # left there by another patch
    slot[Box.of(part.shape).slices] = scan[part.slices]
    ways = resampling_ways(grid, tile.patch, part_size, owned, owned_size)
    assert [way.shape for way in ways] == [*((8, n) for n in part_size), *((n, 8) for n in owned_size)]
    intensity = measure_intensity(scan[..., 0], IntensityScheme())
    run = kernel(network, dtype="float32", resampled=True, wanted="scores")
    (scores,) = run(slot, intensity_rows([intensity]), ways)
    part_at, patch_at, owned_at = ([(b.start[a], b.stop[a]) for a in range(3)] for b in (part, tile.patch, owned))
    to_model = [grid.weights_to_model(a, part_at[a], patch_at[a]) for a in range(3)]
    to_scan = [grid.weights_to_scan(a, patch_at[a], owned_at[a]) for a in range(3)]
    wanted = apply_ways(to_scan, seen(network, apply_ways(to_model, intensity.apply(scan[part.slices]))))
    np.testing.assert_allclose(scores[Box.of(owned.shape).slices], wanted, rtol=1e-3, atol=1e-3)
