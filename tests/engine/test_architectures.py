"""Networks have the shapes that TensorFlow documents, in all the family's variants, and survive being saved."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from napari_vol3d.engine.architectures import UNetDesign, _halve, build_unet, convolve, main_head
from tests.builders import random_unet

BATCH = (16, 32, 64, 64, 3)  # the example that runs through TensorFlow's pages on 3D layers
VARIANTS = list(itertools.product(("pool", "stride"), ("relu", "leaky_relu"), (True, False), (0, 1, 2)))


def symbolic() -> keras.KerasTensor:
    return keras.Input(BATCH[1:], batch_size=BATCH[0])


def test_same_padding_keeps_the_size():
    assert convolve(symbolic(), 32, name="c").shape == (16, 32, 64, 64, 32)


def test_strides_of_two_halve_it():
    assert convolve(symbolic(), 32, name="c", strides=2).shape == (16, 16, 32, 32, 32)


@pytest.mark.parametrize("down", ["pool", "stride"])
def test_convolution_normalisation_and_halving(down):
    features = convolve(symbolic(), 32, name="c")
    assert _halve(features, 32, UNetDesign(down=down), "d").shape == (16, 16, 32, 32, 32)


def test_pooling_keeps_an_odd_last_plane():
    # "same" rounds up, as TensorFlow documents: 5 -> 3.
    assert _halve(keras.Input((5, 7, 8, 4)), 4, UNetDesign(down="pool"), "d").shape == (None, 3, 4, 4, 4)


def test_the_real_layers_give_the_documented_shapes():
    small = np.zeros((2, 4, 6, 6, 3), np.float32)  # the whole batch would take gigabytes
    layer = keras.layers.Conv3D(32, 3, padding="same", strides=2)
    assert tuple(layer(small).shape) == layer.compute_output_shape(small.shape) == (2, 2, 3, 3, 32)
    assert layer.compute_output_shape(BATCH) == (16, 16, 32, 32, 32)


@pytest.mark.parametrize(("down", "activation", "residual", "supervision"), VARIANTS)
def test_every_variant(down, activation, residual, supervision):
    design = UNetDesign(
        channels=2, classes=3, widths=(4, 6, 8, 10), down=down, activation=activation, residual=residual,
        deep_supervision=supervision,
    )  # fmt: skip
    network = build_unet(design)
    assert design.multiple == 8
    outputs = network(np.zeros((1, 8, 16, 24, 2), np.float32))
    outputs = outputs if isinstance(outputs, list) else [outputs]
    expected = [(1, 8 >> level, 16 >> level, 24 >> level, 4) for level in range(supervision + 1)]
    assert [tuple(output.shape) for output in outputs] == expected
    assert main_head(network).output_shape == (None, None, None, None, 4)
    assert {type(layer) for layer in network.layers if layer.name.endswith("_act")} == {
        keras.layers.ReLU if activation == "relu" else keras.layers.LeakyReLU
    }
    assert any(isinstance(layer, keras.layers.Add) for layer in network.layers) is residual
    assert any(isinstance(layer, keras.layers.MaxPooling3D) for layer in network.layers) is (down == "pool")


@pytest.mark.parametrize("down", ["pool", "stride"])
def test_every_convolution_is_as_the_issue_asks(down):
    network = build_unet(UNetDesign(channels=2, classes=3, widths=(4, 6, 8), down=down, deep_supervision=1))
    layers = [layer for layer in network.layers if type(layer) is keras.layers.Conv3D]
    pointwise = [layer for layer in layers if layer.kernel_size == (1, 1, 1)]
    assert all(layer.name.endswith("_match") or layer.name.startswith("logits") for layer in pointwise)
    for layer in set(layers) - set(pointwise):
        assert (layer.kernel_size, layer.padding) == ((3, 3, 3), "same")
        assert layer.strides == ((2, 2, 2) if layer.name.startswith("down") else (1, 1, 1))
    assert len(layers) - len(pointwise) == 10 + 2 * (down == "stride")
    for layer in network.layers:
        assert getattr(layer, "data_format", "channels_last") == "channels_last"
        if "kernel_initializer" in layer.get_config():
            assert layer.get_config()["kernel_initializer"]["class_name"] == "HeNormal"


def test_he_initialisation_has_its_spread():
    network = build_unet(UNetDesign(channels=1, classes=1, widths=(32, 64)))
    kernel = network.get_layer("encode0_2").get_weights()[0]
    assert np.std(kernel) == pytest.approx(np.sqrt(2 / (27 * 32)), rel=0.05)


@pytest.mark.parametrize("shape", [(2, 2, 2), (4, 10, 6), (32, 2, 8)])
def test_any_size_that_divides_goes_through(shape):
    scores = random_unet(widths=(4, 8))(np.zeros((1, *shape, 1), np.float32))
    assert tuple(scores.shape) == (1, *shape, 3)


@pytest.mark.parametrize(("down", "residual"), list(itertools.product(("pool", "stride"), (True, False))))
def test_a_saved_network_gives_the_same_scores(tmp_path, down, residual):
    network = main_head(random_unet(down=down, residual=residual, deep_supervision=0, widths=(4, 6, 8)))
    network.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    patch = np.random.default_rng(0).normal(size=(1, 8, 12, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(back(patch), network(patch), rtol=1e-5, atol=1e-5)


def test_the_main_head_shares_the_weights():
    network = build_unet(UNetDesign(widths=(4, 6, 8), deep_supervision=1))
    head = main_head(network)
    assert head.get_layer("bottom_1") is network.get_layer("bottom_1")
    assert main_head(head) is head
    names = {layer.name for layer in head.layers}
    assert "logits0" in names
    assert "logits1" not in names


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_still_gives_float32_logits(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = build_unet(UNetDesign(widths=(4, 8), deep_supervision=0))
    finally:
        keras.config.set_dtype_policy(before)
    assert network.get_layer("encode0_1").compute_dtype == policy.removeprefix("mixed_")
    assert network.get_layer("encode0_1").kernel.dtype == "float32"
    assert network.output.dtype == "float32"
