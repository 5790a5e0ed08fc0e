"""A rewritten network gives the scores of the original, costs less, and what can't be rewritten stays as it is."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import keras
import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from napari_vol3d.engine.rewrite import TOLERANCE, rewrite
from tests.builders import random_unet

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "napari_vol3d" / "models" / "bundled" / "hippocampus-t1" / "model.keras"
PATCH = (32, 32, 32)


def scan_of(edge=16, channels=1, seed=3):
    return np.random.default_rng(seed).normal(size=(1, edge, edge + 8, edge, channels)).astype(np.float32)


def scores(network, scan):
    return keras.ops.convert_to_numpy(keras.tree.flatten(network(scan, training=False))[0])


def assert_same(network, rewritten, scan):
    wanted, given = scores(network, scan), scores(rewritten, scan)
    assert np.abs(wanted - given).max() <= TOLERANCE * max(1, np.abs(wanted).max())
    return wanted, given


def kinds(network):
    return Counter(type(layer).__name__ for layer in network.layers)


@settings(deadline=None, max_examples=8)
@given(
    down=st.sampled_from(["pool", "stride"]), activation=st.sampled_from(["relu", "leaky_relu"]),
    residual=st.booleans(), deep_supervision=st.sampled_from([0, 1]), channels=st.integers(1, 2),
    classes=st.integers(1, 3), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_unet_gives_its_scores(channels, **design):
    network = random_unet(widths=(4, 5, 6), channels=channels, **design)
    rewritten = rewrite(network, PATCH)
    assert_same(network, rewritten.network, scan_of(channels=channels))
    count = kinds(network)["BatchNormalization"]
    heads = ("1 further output cut",) * design["deep_supervision"]
    assert rewritten.done == (
        f"{count} batch normalisations folded", "2 transposed convolutions turned into matrix products", *heads
    )  # fmt: skip
    assert not kinds(rewritten.network).keys() & {"BatchNormalization", "Conv3DTranspose"}
    assert len(rewritten.network.outputs) == 1


def chain(*parts, shape=(None, None, None, 2)):
    inputs = keras.Input(shape)
    features = inputs
    for part in parts:
        features = part(features)
    return keras.Model(inputs, features)


def randomised(network, spread=0.3):
    rng = np.random.default_rng(0)
    for variable in network.weights:
        values = rng.normal(0, spread, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return network


@pytest.mark.parametrize(
    "convolution",
    [
        layers.Conv3D(4, 3, padding="valid", strides=2),
        layers.Conv3D(4, (1, 3, 5), padding="same", dilation_rate=(1, 2, 1)),
        layers.Conv3D(4, 3, padding="same", groups=2, use_bias=False),
        layers.Conv3DTranspose(4, 3, strides=2, padding="same"),
        layers.Conv3DTranspose(4, 2, strides=2, padding="same", use_bias=False),
        layers.Conv3DTranspose(4, (1, 2, 2), strides=(1, 2, 2), padding="valid"),
    ],
    ids=range(6),
)
@pytest.mark.parametrize("norm", [{}, {"scale": False}, {"center": False, "epsilon": 0.1}], ids=str)
def test_normalisation_is_folded_into_any_convolution(convolution, norm):
    convolution = type(convolution).from_config(convolution.get_config())
    network = randomised(chain(convolution, layers.BatchNormalization(**norm), layers.ReLU()))
    rewritten = rewrite(network, PATCH)
    assert rewritten.done[0] == "1 batch normalisation folded"
    assert kinds(rewritten.network)["BatchNormalization"] == 0
    assert_same(network, rewritten.network, scan_of(9, channels=2))


def shared_result():
    inputs = keras.Input((None, None, None, 2))
    features = layers.Conv3D(3, 3, padding="same")(inputs)
    return keras.Model(inputs, layers.Add()([layers.BatchNormalization()(features), features]))


@pytest.mark.parametrize(
    "network",
    [
        chain(layers.BatchNormalization(), layers.Conv3D(3, 3, padding="same")),
        chain(layers.Conv3D(3, 3, activation="relu"), layers.BatchNormalization()),
        chain(layers.Conv3D(3, 3), layers.ReLU(), layers.BatchNormalization()),
        chain(layers.Conv3D(8, 3, padding="same"), layers.BatchNormalization(axis=1), shape=(8, 24, 8, 2)),
        shared_result(),
    ],
    ids=["before", "after activation", "after relu", "along z", "result used twice"],
)
def test_normalisation_elsewhere_stays(network):
    randomised(network)
    rewritten = rewrite(network, PATCH)
    assert rewritten.done == ()
    assert rewritten.network is network


@pytest.mark.parametrize(
    ("model", "done"),
    [
        (BUNDLED, ("14 batch normalisations folded", "3 transposed convolutions turned into matrix products")),
        ("meshnet_t1_gwm/model5_gw_ae_anysize.keras", ("7 dilated convolutions computed in one piece",)),
        ("deepbrain_mask/graph_v2_anysize.keras", ()),
    ],
    ids=["bundled", "meshnet", "deepbrain"],
)
def test_real_models_give_the_same_labels(model, done, shared_data):
    network = keras.saving.load_model(shared_data / "models" / model, compile=False)
    rewritten = rewrite(network, (64, 64, 64))
    assert rewritten.done == done
    scan = np.abs(scan_of(40))
    if model is BUNDLED:
        image = nib.load(min((shared_data / "hippocampus" / "images").glob("*.nii.gz"))).get_fdata()[:32, :32, :24].T
        scan = ((image - image.mean()) / image.std()).astype(np.float32)[None, ..., None]
    wanted, given = assert_same(network, rewritten.network, scan)
    if wanted.shape[-1] == 1:
        assert ((wanted > 0.5) == (given > 0.5)).all()
    else:
        assert len(np.unique(wanted.argmax(axis=-1))) > 1
        np.testing.assert_array_equal(wanted.argmax(axis=-1), given.argmax(axis=-1))


@pytest.mark.parametrize(
    "ending",
    [
        (layers.Conv3D(3, 1), layers.Softmax()),
        (layers.Conv3D(3, 1), layers.Activation("softmax")),
        (layers.Conv3D(3, 1, activation="softmax"),),
    ],
    ids=["layer", "activation", "of the convolution"],
)
def test_softmax_at_the_end_is_left_out_on_request(ending):
    network = randomised(chain(*ending), spread=2)
    kept = rewrite(network, PATCH)
    assert (kept.network is network, kept.done) == (True, ())
    logits = rewrite(network, PATCH, keep_probabilities=False)
    assert logits.done == ("softmax left out",)
    scan = scan_of(channels=2)
    wanted, given = scores(network, scan), scores(logits.network, scan)
    assert given.min() < 0
    np.testing.assert_allclose(keras.ops.softmax(given), wanted, atol=1e-5)
    np.testing.assert_array_equal(given.argmax(axis=-1), wanted.argmax(axis=-1))


def test_softmax_inside_or_along_space_stays():
    for network in (chain(layers.Softmax(), layers.Conv3D(3, 1)), chain(layers.Conv3D(3, 1), layers.Softmax(axis=1))):
        assert rewrite(network, PATCH, keep_probabilities=False).network is network


def shared_layer():
    inputs, layer = keras.Input((None, None, None, 2)), layers.Conv3D(2, 3, padding="same")
    return keras.Model(inputs, layers.BatchNormalization()(layer(layer(inputs))))


def two_inputs():
    first, second = keras.Input((None, None, None, 1)), keras.Input((None, None, None, 1))
    features = layers.Conv3D(2, 3)(layers.Concatenate()([first, second]))
    return keras.Model([first, second], layers.BatchNormalization()(features))


class Hidden(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = random_unet()

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize(
    ("make", "reason"), [(Hidden, "hidden"), (shared_layer, "several times"), (two_inputs, "something else")]
)
def test_what_cannot_be_rewritten_comes_back(make, reason, caplog):
    network = make()
    with caplog.at_level(logging.INFO):
        rewritten = rewrite(network, PATCH)
    assert (rewritten.network is network, rewritten.done) == (True, ())
    assert reason in caplog.text


def test_a_rewriting_that_changes_scores_is_dropped_and_the_others_stay(caplog):
    parts = (layers.Conv3D(3, 3), layers.BatchNormalization(), layers.Conv3DTranspose(3, 2, strides=2))
    network = randomised(chain(*parts))
    # A million is added and taken away again: float32 loses digits by it, and folded there are all of them.
    parts[0].bias.assign(np.full(3, 1e6))
    parts[1].moving_mean.assign(np.full(3, 1e6))
    rewritten = rewrite(network, PATCH)
    assert rewritten.done == ("1 transposed convolution turned into matrix products",)
    assert "batch normalisations folded): scores would differ by" in caplog.text
    assert_same(network, rewritten.network, scan_of(channels=2))


def test_models_within_models_are_rewritten():
    inputs = keras.Input((None, None, None, 1))
    network = keras.Model(inputs, layers.Softmax()(random_unet()(layers.Rescaling(2.0)(inputs))))
    rewritten = rewrite(network, PATCH)
    assert rewritten.done[0] == "6 batch normalisations folded"
    assert_same(network, rewritten.network, scan_of())
    assert len(rewrite(network, PATCH, keep_probabilities=False).done) == 3


def test_fixed_patches_and_sequential_models():
    parts = [layers.Conv3D(2, 3, padding="same"), layers.BatchNormalization(), layers.Dropout(0.5), layers.ReLU()]
    network = randomised(keras.Sequential([keras.Input((8, 16, 8, 2)), *parts]))
    rewritten = rewrite(network, (8, 16, 8))
    assert rewritten.done == ("1 batch normalisation folded",)
    assert rewritten.network.input_shape == (None, 8, 16, 8, 2)
    assert_same(network, rewritten.network, scan_of(8, channels=2))


def test_the_original_is_left_alone(tmp_path):
    network = random_unet()
    before = scores(network, scan_of())
    rewrite(network, PATCH)
    network.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(scores(keras.saving.load_model(tmp_path / "model.keras"), scan_of()), before)


ELSEWHERE = """
    import logging, sys
    import keras, numpy as np
    from napari_vol3d.engine.rewrite import rewrite
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    network = keras.saving.load_model(sys.argv[1], compile=False)
    rewritten = rewrite(network, (32, 32, 32))
    np.save(sys.argv[2], keras.ops.convert_to_numpy(rewritten.network(np.load(sys.argv[3]), training=False)))
    print("DONE", keras.config.backend(), *rewritten.done, sep="|")
"""


def little_unet():
    """All that is rewritten; the weights start from zeros, as JAX would compile each layer's random ones."""
    zeros = {"kernel_initializer": "zeros", "padding": "same"}
    inputs = keras.Input((None, None, None, 1))
    skip = layers.ReLU()(layers.BatchNormalization()(layers.Conv3D(3, 3, use_bias=False, **zeros)(inputs)))
    deep = layers.BatchNormalization()(layers.Conv3D(4, 3, **zeros)(layers.MaxPooling3D(2)(skip)))
    features = layers.Concatenate()([layers.Conv3DTranspose(3, 2, strides=2, **zeros)(deep), skip])
    return randomised(keras.Model(inputs, layers.Conv3D(3, 3, dilation_rate=2, **zeros)(features)))


@pytest.mark.parametrize(
    ("setting", "backend", "dilated"),
    [({"KERAS_BACKEND": "jax"}, "jax", None), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "tensorflow", "Not rewritten")],
    ids=["jax", "without oneDNN"],
)
def test_elsewhere_it_gives_the_same_scores(setting, backend, dilated, tmp_path):
    if backend == "jax":
        pytest.importorskip("jax")
    network = little_unet()
    paths = [tmp_path / name for name in ("model.keras", "scores.npy", "scan.npy")]
    network.save(paths[0])
    np.save(paths[2], scan_of())
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ELSEWHERE), *map(str, paths)], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", **setting}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    folded, products = "2 batch normalisations folded", "1 transposed convolution turned into matrix products"
    assert f"DONE|{backend}|{folded}|{products}\n" in ran.stdout
    assert dilated is None or dilated in ran.stdout
    np.testing.assert_allclose(np.load(paths[1]), scores(network, scan_of()), rtol=1e-3, atol=1e-3)
