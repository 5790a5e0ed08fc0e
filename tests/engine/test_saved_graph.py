"""A SavedModel comes back as Keras layers that give its scores, at sizes that it was not stored for too."""

from __future__ import annotations

import keras
import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine import saved_check
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.rewrite import rewrite
from napari_vol3d.engine.saved_graph import network_of
from tests.saved_models import EDGES, FREE, assert_same, conv, exported, kinds, randomised, rebuilt, saved, scores


def unet(tensor, norm=layers.BatchNormalization, activation="relu", up="transpose", end="softmax"):
    def block(tensor, filters):
        tensor = conv(tensor, filters)
        return layers.Activation(activation)(norm()(tensor) if norm else tensor)

    def higher(tensor, filters):
        if up == "transpose":
            return layers.Conv3DTranspose(filters, 2, strides=2)(tensor)
        return conv(layers.UpSampling3D(2)(tensor), filters, 2)

    first = block(tensor, 3)
    second = block(layers.MaxPooling3D(2)(first), 4)
    third = block(layers.MaxPooling3D(2)(second), 5)
    second = block(layers.Concatenate()([higher(third, 4), second]), 4)
    first = block(layers.Concatenate()([higher(second, 3), first]), 3)
    return layers.Conv3D(3, 1, activation=end)(first)


def valid_unet(tensor):
    first = conv(tensor, 3, padding="valid", activation="relu")
    second = conv(layers.MaxPooling3D(2)(first), 4, padding="valid", activation="relu")
    up = layers.Conv3DTranspose(3, 2, strides=2)(second)
    joined = layers.Concatenate()([layers.Cropping3D(2)(first), up])
    return layers.Conv3D(2, 1)(conv(joined, 3, padding="valid", activation="relu"))


def attention(tensor):
    fine = conv(tensor, 4, activation="relu")
    coarse = conv(layers.MaxPooling3D(2)(fine), 4)
    gate = layers.Add()([conv(fine, 4, 2, strides=2, use_bias=False), conv(coarse, 4, 1)])
    gate = layers.UpSampling3D(2)(conv(layers.ReLU()(gate), 1, 1, activation="sigmoid"))
    gated = layers.Multiply()([fine, gate])
    return conv(layers.Concatenate()([gated, layers.Conv3DTranspose(4, 2, strides=2)(coarse)]), 2, 1)


def excitation(tensor):
    tensor = conv(tensor, 6)
    mean = layers.GlobalAveragePooling3D(keepdims=True)(tensor)
    weights = layers.Dense(6, activation="sigmoid")(layers.Dense(3, activation="relu")(mean))
    return conv(layers.Multiply()([tensor, weights]), 2, 1)


def flat_excitation(tensor):
    tensor = conv(tensor, 4)
    weights = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling3D()(tensor))
    return conv(layers.Multiply()([tensor, layers.Reshape((1, 1, 1, 4))(weights)]), 2, 1)


def residual(tensor):
    tensor = conv(tensor, 4)
    inner = layers.BatchNormalization()(conv(layers.ReLU()(layers.BatchNormalization()(tensor)), 4))
    tensor = layers.ReLU()(layers.Add()([tensor, inner]))
    tensor = layers.Add()([conv(tensor, 5, 1, strides=2), conv(tensor, 5, strides=2)])
    return conv(layers.UpSampling3D(2)(tensor), 2, 1, activation="sigmoid")


def dilated(tensor):
    for rate in (1, 2, 4, (1, 3, 2)):
        tensor = layers.ReLU()(layers.BatchNormalization()(conv(tensor, 4, dilation_rate=rate)))
    return conv(tensor, 2, 1)


def groups_of(count):
    return lambda: layers.GroupNormalization(groups=count, epsilon=1e-5)


NETWORKS = {
    "unet": unet, "unet, upsampling": lambda t: unet(t, up="up", end="sigmoid"),
    "unet, no norm": lambda t: unet(t, norm=lambda: layers.Dropout(0.3), activation="elu", end=None),
    "unet, groups": lambda t: unet(t, norm=groups_of(1), activation="swish"),
    "unet, instances": lambda t: unet(t, norm=groups_of(-1), activation="leaky_relu"),
    "unet, layers": lambda t: unet(t, norm=layers.LayerNormalization, activation="gelu"),
    "valid": valid_unet, "attention": attention, "excitation": excitation, "flat excitation": flat_excitation,
    "residual": residual, "dilated": dilated,
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_free_size(name, tmp_path):
    network = randomised(NETWORKS[name])
    given = rebuilt(network, tmp_path)
    assert given.input_shape == (None, None, None, None, 1)
    assert_same(network, given, (14, 18, 22) if name == "valid" else EDGES)
    wanted, found = study(network), study(given)
    assert (found.multiple, found.halo) == (wanted.multiple, wanted.halo)


@pytest.mark.parametrize("store", [exported, saved])
@pytest.mark.parametrize("name", ["unet", "unet, upsampling", "unet, instances", "attention", "dilated"])
def test_a_network_of_fixed_size_becomes_free(name, store, tmp_path):
    fixed = randomised(NETWORKS[name], (16, 16, 16, 1))
    given = rebuilt(fixed, tmp_path, store)
    assert given.input_shape == (None, None, None, None, 1)
    free = randomised(NETWORKS[name])
    free.set_weights(fixed.get_weights())
    assert_same(free, given)


def test_a_large_fixed_size_is_compared_at_a_smaller_one(tmp_path, monkeypatch):
    fixed, seen, probe = randomised(unet, (160, 160, 160, 1)), [], saved_check._probe
    monkeypatch.setattr(saved_check, "_probe", lambda shape, kind: seen.append(shape) or probe(shape))
    given = network_of(saved(fixed, tmp_path / "stored"))
    assert seen == [(1, 20, 20, 20, 1)]
    free = randomised(unet)
    free.set_weights(fixed.get_weights())
    assert_same(free, given)


def test_layers_are_the_ones_that_rewriting_knows(tmp_path):
    given = rebuilt(randomised(unet), tmp_path)
    assert set(kinds(given)) == {
        "InputLayer", "Conv3D", "BatchNormalization", "Activation", "MaxPooling3D", "Conv3DTranspose", "Concatenate",
    }  # fmt: skip
    done = rewrite(given, (16, 16, 16)).done
    assert done == ("5 batch normalisations folded", "2 transposed convolutions turned into matrix products")


def test_statistics_and_weights_are_the_stored_ones(tmp_path):
    network = randomised(unet)
    given = rebuilt(network, tmp_path)
    pairs = zip(network.get_weights(), given.get_weights(), strict=True)
    assert all(np.array_equal(wanted, found) for wanted, found in pairs)


def test_outputs_have_the_names_of_the_signature(tmp_path):
    def function(tensor):
        fine = conv(tensor, 3, activation="relu")
        coarse = conv(layers.MaxPooling3D(2)(fine), 2, activation="softmax")
        return {"main": conv(fine, 2, activation="softmax"), "aux": coarse, "features": fine}

    given = keras.Input(FREE)
    network = keras.Model(given, function(given))
    found = rebuilt(network, tmp_path)
    assert found.output_names == ["aux", "features", "main"]
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    for name, scores_of in zip(found.output_names, scores(found, scan), strict=True):
        np.testing.assert_allclose(scores_of, network(scan)[name], atol=1e-5)


def first(axis_of):
    options = {"data_format": "channels_first"}

    def function(tensor):
        fine = layers.Conv3D(4, 3, padding="same", **options)(tensor)
        fine = layers.ReLU()(axis_of(fine))
        coarse = layers.MaxPooling3D(2, **options)(fine)
        coarse = layers.Conv3D(5, 3, padding="same", dilation_rate=2, **options)(coarse)
        up = layers.Conv3DTranspose(4, 2, strides=2, **options)(coarse)
        joined = layers.Concatenate(axis=1)([fine, up, layers.UpSampling3D(2, **options)(coarse)])
        return layers.Softmax(axis=1)(layers.Conv3D(3, 1, **options)(joined))

    return function


@pytest.mark.parametrize("edge", [None, 12])
@pytest.mark.parametrize(
    "norm",
    [
        lambda t: layers.BatchNormalization(axis=1)(t), lambda t: layers.GroupNormalization(groups=2, axis=1)(t),
        lambda t: layers.PReLU("normal", shared_axes=(2, 3, 4))(t),
    ],
    ids=["batch", "groups", "prelu"],
)  # fmt: skip
def test_channels_first_comes_back_as_channels_last(norm, edge, tmp_path):
    network = randomised(first(norm), (1, edge, edge, edge))
    given = rebuilt(network, tmp_path)
    assert given.input_shape == (None, None, None, None, 1)
    assert "Permute" not in kinds(given)
    scan = np.random.default_rng(0).normal(size=(1, 1, 12, 12, 12)).astype(np.float32)
    stored = tf.saved_model.load(str(tmp_path / "stored")).signatures["serving_default"]
    (wanted,) = stored(tf.constant(scan)).values()
    (found,) = scores(given, scan.transpose(0, 2, 3, 4, 1))
    np.testing.assert_allclose(found.transpose(0, 4, 1, 2, 3), wanted, atol=1e-5)


def test_the_real_whole_brain_network(shared_data):
    folder = shared_data / "models" / "meshnet_t1_gwm"
    given = network_of(folder / "savedmodel")
    twin = keras.saving.load_model(folder / "model5_gw_ae_anysize.keras", compile=False)
    assert given.count_params() == twin.count_params()
    assert study(given).halo == study(twin).halo == 46
    scan = np.asarray(nib.load(shared_data / "scans" / "t1_crop.nii.gz").dataobj, np.float32)
    piece = scan[100:148, 90:150, 110:160][None, ..., None] / scan.max()
    np.testing.assert_allclose(scores(given, piece)[0], scores(twin, piece)[0], atol=1e-4)


def test_16_bits_come_back_as_32(tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = randomised(lambda t: layers.Conv3D(2, 1, dtype="float32")(conv(t, 4, activation="relu")))
    finally:
        keras.config.set_dtype_policy(policy)
    given = rebuilt(network, tmp_path)
    assert {layer.compute_dtype for layer in given.layers} == {"float32"}
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    np.testing.assert_allclose(scores(given, scan)[0], scores(network, scan)[0], atol=0.02)


class Plain(tf.Module):
    """A network without Keras."""

    def __init__(self, function):
        super().__init__()
        self.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 1, 4), (1, 2)) * 0.2)
        self.function = function

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None, 1), tf.float32, name="scan")])
    def patches(self, scan):
        return {"scores": self.function(tf.nn.conv3d(scan, self.kernel, [1, 1, 1, 1, 1], "SAME"))}

    @tf.function(input_signature=[tf.TensorSpec((None, 7), tf.float32, name="row")])
    def rows(self, row):
        return {"sum": tf.reduce_sum(row, 1)}


def test_the_function_of_patches_is_chosen_among_others(tmp_path):
    module = Plain(lambda t: tf.nn.softmax(tf.nn.bias_add(tf.nn.relu(t), [0.1, 0.2, 0.3, 0.4])))
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.rows, "patches": module.patches})
    given = network_of(tmp_path)
    assert given.output_names == ["scores"]
    scan = np.random.default_rng(0).normal(size=(1, *EDGES, 1)).astype(np.float32)
    np.testing.assert_allclose(scores(given, scan)[0], module.patches(scan)["scores"], atol=1e-5)


def test_without_a_function_of_patches_it_is_refused(tmp_path):
    module = Plain(tf.nn.relu)
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.rows})
    with pytest.raises(ModelProblem, match="No function of this SavedModel"):
        network_of(tmp_path)


@pytest.mark.parametrize(
    ("op", "function"),
    [("Cumsum", lambda t: tf.cumsum(t, 1)), ("ReverseV2", lambda t: tf.reverse(t, [1])), ("Sin", tf.sin)],
)
def test_an_op_without_a_layer_is_named(op, function, tmp_path):
    module = Plain(function)
    tf.saved_model.save(module, str(tmp_path), signatures=module.patches)
    with pytest.raises(ModelProblem, match=f"No Keras layer replaces {op}") as refused:
        network_of(tmp_path)
    assert ".keras or .h5" in refused.value.hint


def test_a_folder_that_holds_none_is_refused(tmp_path):
    with pytest.raises(ModelProblem, match="can't be rebuilt"):
        network_of(tmp_path)
