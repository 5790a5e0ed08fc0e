"""Whatever a network loses or coarsens, its output comes to lie on its input."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.on_grid import align, fit_of, length_out, stride_of
from tests.builders import chain

ANY = (None, None, None)


def network(*parts, shape=(*ANY, 1)):
    return chain(shape, *parts)


def place(margin):
    """A network whose score is the voxel `margin` behind, so that its output tells where it lies."""
    weights = np.zeros((2 * margin + 1,) * 3, np.float32)
    weights[margin, margin, margin] = 1
    return layers.Conv3D(
        1, 2 * margin + 1, use_bias=False, kernel_initializer=lambda shape, dtype=None: weights.reshape(shape)
    )


def test_a_network_on_its_grid_stays_what_it_is():
    model = network(layers.Conv3D(2, 3, padding="same"), layers.MaxPooling3D(4), layers.UpSampling3D(4))
    fit = fit_of(model, None)
    assert (fit.multiple, fit.stride, fit.margin, fit.is_exact) == ((4, 4, 4), (1, 1, 1), (0, 0, 0), True)
    assert align(model, fit) == (model, None)


@pytest.mark.parametrize("margin", [1, 2, 3])
def test_each_voxel_comes_back_to_its_place(margin):
    model = network(place(margin))
    aligned, fixed = align(model, fit_of(model, None))
    scan = np.random.default_rng(0).normal(size=(1, 9, 8, 11, 1)).astype(np.float32)
    np.testing.assert_allclose(aligned(scan), scan)
    assert fixed is None


def test_each_voxel_comes_back_to_its_place_behind_pools():
    model = network(place(1), layers.MaxPooling3D(2), place(1), layers.UpSampling3D(2), place(1))
    fit = fit_of(model, None)
    assert (fit.multiple, fit.margin) == ((2, 2, 2), (8, 8, 8))
    aligned, _ = align(model, fit)
    scan = np.zeros((1, 16, 16, 16, 1), np.float32)
    scan[0, 5:9, 5:9, 5:9] = 1  # pools meet odd voxels first: four zeros lie in front, and a convolution takes one
    np.testing.assert_array_equal(aligned(scan), scan)


def valid_unet(skip, *, widths=(2, 3, 4), first=3):
    """Levels with one valid convolution each: what is lost in front is no multiple, and not all sizes pass."""

    def build(values):
        passed, values = [], layers.Conv3D(2, first)(values)
        for width in widths[:-1]:
            values = layers.Conv3D(width, 3, activation="relu")(values)
            passed.append(values)
            values = layers.MaxPooling3D(2)(values)
        values = layers.Conv3D(widths[-1], 3, activation="relu")(values)
        for level, lost in zip(passed[::-1], skip, strict=True):
            values = layers.UpSampling3D(2)(values)
            values = layers.Concatenate()([layers.Cropping3D(lost)(level), values])
            values = layers.Conv3D(2, 3)(values)
        return values

    return network(build)


@pytest.mark.parametrize(("skip", "widths", "first", "passes"), [((2,), (2, 3), 3, 38), ((2, 8), (2, 3, 4), 1, 46)])
def test_pools_group_a_scan_as_where_nothing_is_padded(skip, widths, first, passes):
    model = valid_unet(skip, widths=widths, first=first)
    fit = fit_of(model, None)
    lost, m = fit.margin[0] // 2, fit.multiple[0]
    assert lost % m
    assert passes % m == fit.base[0] % m
    aligned, fixed = align(model, fit)
    scan = np.random.default_rng(0).normal(size=(1, *[passes] * 3, 1)).astype(np.float32)
    wanted = np.asarray(model(scan))
    behind = -passes % m
    found = np.asarray(aligned(np.pad(scan, [(0, 0), *[(0, behind)] * 3, (0, 0)])))
    here = slice(lost, lost + wanted.shape[1])
    np.testing.assert_allclose(found[:, here, here, here], wanted, atol=1e-5)
    assert fixed is None


def test_sizes_at_which_pieces_do_not_meet_do_not_pass():
    model = valid_unet((2, 8), first=1)
    assert length_out(model, (46, 46, 46)) == (26, 26, 26)
    assert [length_out(model, (edge, 46, 46)) for edge in (44, 45, 47)] == [None] * 3


def test_what_gives_as_much_as_it_takes_is_on_its_grid_whatever_is_inside():
    parts = layers.Reshape((4, 2, 4, 2, 4, 2, 1)), layers.Permute((1, 3, 5, 2, 4, 6, 7)), layers.Reshape((4, 4, 4, 8))
    back = layers.Reshape((4, 4, 4, 2, 2, 2, 1)), layers.Permute((1, 4, 2, 5, 3, 6, 7)), layers.Reshape((8, 8, 8, 1))
    model = network(*parts, *back, layers.Conv3D(2, 2, strides=2), layers.UpSampling3D(2), shape=(8, 8, 8, 1))
    assert fit_of(model, (8, 8, 8)).is_exact
    model = network(*parts, layers.Conv3DTranspose(1, 2, strides=2), shape=(8, 8, 8, 1))  # its graph says: finer
    assert fit_of(model, (8, 8, 8)).is_exact


def test_a_fixed_size_shrinks_by_what_is_lost():
    model = network(place(2), shape=(12, 12, 12, 1))
    aligned, fixed = align(model, fit_of(model, (12, 12, 12)))
    assert fixed == (8, 8, 8)
    scan = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(aligned(scan), scan)


def test_coarse_voxels_are_repeated_along_their_axes():
    model = network(layers.AveragePooling3D((1, 2, 4)))
    assert stride_of(model) == (1, 2, 4)
    scan = np.arange(128, dtype=np.float32).reshape(1, 4, 4, 8, 1)
    aligned, _ = align(model, fit_of(model, None))
    means = scan.reshape(1, 4, 2, 2, 2, 4, 1).mean((3, 5))
    np.testing.assert_allclose(aligned(scan), means.repeat(2, 2).repeat(4, 3))


def next_name(layer):
    """The name that Keras gives to the next layer of a kind, which a network from elsewhere may well have."""
    stem = keras.src.utils.naming.to_snake_case(type(layer).__name__)
    return f"{stem}_{int(layer.name[len(stem) + 1:] or 0) + 1}"


def test_names_that_a_network_has_are_not_given_again():
    pool = layers.MaxPooling3D(2, name=next_name(layers.UpSampling3D(2)))
    conv = layers.Conv3D(1, 3, name=next_name(layers.ZeroPadding3D(1)))
    crop = layers.Activation("relu", name=next_name(layers.Cropping3D(1)))
    model = network(conv, crop, pool, layers.Activation("relu", name="repeated"))
    aligned, _ = align(model, fit_of(model, None))
    assert aligned(np.zeros((1, 8, 8, 8, 1), np.float32)).shape == (1, 8, 8, 8, 1)
    again, _ = align(aligned, fit_of(model, None))  # as if a network that was aligned came back
    assert len({layer.name for layer in again.layers}) == len(again.layers)


def test_a_finer_output_is_refused():
    with pytest.raises(ModelProblem, match="finer than the input"):
        fit_of(network(layers.UpSampling3D(2)), None)


def test_sizes_that_do_not_pass_are_told():
    assert length_out(network(layers.Conv3D(1, 5)), (4, 9, 9)) is None
    assert length_out(network(layers.Conv3D(1, 5)), (5, 9, 6)) == (1, 5, 2)
