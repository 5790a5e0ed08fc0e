"""A narrowed network gives the rows that were asked for, as the whole one does, and computes far fewer others."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from napari_vol3d.engine import narrow as narrow_module
from napari_vol3d.engine.fused import ON_TENSORFLOW, BlockTranspose3D
from napari_vol3d.engine.narrow import TOLERANCE, narrow, rows_of
from napari_vol3d.engine.rewrite import rewrite
from tests.builders import random_unet

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "napari_vol3d" / "models" / "bundled" / "hippocampus-t1" / "model.keras"
KEPT = st.sampled_from(["first", "middle", "last", "all", "one"])


def rows(kept, length, step):
    """Rows at the beginning, in the middle or at the end of a patch; one that is in step with nothing."""
    middle = length // 2 // step * step
    return {
        "first": (0, step), "middle": (middle, middle + step), "last": (length - step, length), "all": (0, length),
        "one": (middle + 1, middle + 2),
    }[kept]  # fmt: skip


def scan_of(network, axis, length, across, seed=3):
    edges = [across, across, across, network.input_shape[-1]]
    edges[axis] = length
    return np.random.default_rng(seed).normal(size=(1, *edges)).astype(np.float32)


def scores(network, scan):
    return keras.ops.convert_to_numpy(keras.tree.flatten(network(scan, training=False))[0])


def assert_same(network, axis, length, kept, across=16):
    """Give the narrowed network: its scores are the whole's, of a patch of another size than it was checked with."""
    narrowed = narrow(network, axis, length, kept)
    assert narrowed is not None
    scan = scan_of(network, axis, length, across)
    whole = np.moveaxis(scores(network, scan), axis + 1, 0)
    wanted, given = whole[slice(*kept)], np.moveaxis(scores(narrowed, scan), axis + 1, 0)
    assert given.shape == wanted.shape
    assert np.ptp(whole) > 0.1
    assert np.abs(wanted - given).max() <= TOLERANCE * max(1, np.abs(wanted).max())
    return narrowed


@settings(deadline=None, max_examples=8)
@given(
    widths=st.lists(st.integers(2, 6), min_size=2, max_size=4).map(tuple), down=st.sampled_from(["pool", "stride"]),
    residual=st.booleans(), axis=st.sampled_from([0, 1, 2]), kept=KEPT, steps=st.integers(1, 6),
    rewritten=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_unet_gives_its_rows(widths, down, residual, axis, kept, steps, rewritten, seed):
    network = random_unet(widths=widths, down=down, residual=residual, seed=seed)
    network = rewrite(network, (16, 16, 16)).network if rewritten else network
    step = 2 ** (len(widths) - 1)
    assert_same(network, axis, steps * step, rows(kept, steps * step, step), across=3 * step)


def chain(*parts, shape=(None, None, None, 2)):
    inputs = keras.Input(shape)
    features = inputs
    for part in parts:
        features = part(features)
    return randomised(keras.Model(inputs, features))


def randomised(network, spread=0.3):
    rng = np.random.default_rng(0)
    for variable in network.weights:
        values = rng.normal(0, spread, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return network


CHAINS = {
    "kernels": lambda: [layers.Conv3D(3, 5, padding="same"), layers.Conv3D(2, (4, 1, 2), padding="same")],
    "without padding": lambda: [layers.Conv3D(3, 3, strides=2), layers.Conv3D(3, 2), layers.MaxPooling3D(2, strides=1)],
    "dilated": lambda: [layers.Conv3D(3, 3, dilation_rate=d, padding="same") for d in (1, 2, 4, (2, 1, 3))],
    "strides": lambda: [layers.Conv3D(3, k, strides=2, padding="same") for k in (3, 1, 4)],
    "groups": lambda: [layers.Conv3D(4, 3, padding="same", groups=2, use_bias=False, activation="relu")],
    "wide pools": lambda: [layers.MaxPooling3D(3, 2, padding="same"), layers.AveragePooling3D(3, 2, padding="same")],
    "wide transposed": lambda: [layers.Conv3DTranspose(3, 3, strides=2, padding="same") for _ in range(2)],
    "transposed": lambda: [layers.Conv3DTranspose(3, 4, strides=2), layers.Conv3D(2, 3, padding="same")],
    "gaps": lambda: [layers.Conv3DTranspose(3, 1, strides=3, padding="same"), layers.Conv3D(2, 1)],
    "repeated": lambda: [layers.MaxPooling3D(2), layers.Conv3D(3, 3, padding="same"), layers.UpSampling3D(2)],
    "blocks": lambda: [layers.AveragePooling3D(2), BlockTranspose3D(4, (2, 2, 2)), layers.Conv3D(2, 3, padding="same")],
    "pointwise": lambda: [
        layers.BatchNormalization(), layers.Dense(3), layers.Dropout(0.5), layers.LayerNormalization(), layers.PReLU(
            shared_axes=(1, 2, 3)), layers.Conv3D(3, 3, padding="same"), layers.Softmax(),
    ],
    "cropped across": lambda: [
        layers.ZeroPadding3D((0, 1, 1)), layers.Conv3D(3, (1, 3, 3)), layers.Cropping3D((0, 1, 2))
    ],
}  # fmt: skip


@pytest.mark.parametrize("parts", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("axis", [0, 2])
def test_every_kind_of_layer_gives_its_rows(parts, axis):
    network = chain(*parts())
    if axis == 2 and isinstance(network.layers[1], layers.ZeroPadding3D):
        assert narrow(network, axis, 24, (8, 16)) is None  # along this axis voxels would change their places
        return
    length = network.compute_output_shape((1, 24, 24, 24, 2))[axis + 1]
    for kept in ("first", "middle", "last", "one"):
        assert_same(network, axis, 24, rows(kept, length, max(1, min(4, length // 3))), across=24)


def test_joined_branches_see_the_same_rows():
    inputs = keras.Input((None, None, None, 1))
    wide = layers.Conv3D(3, 7, padding="same")(inputs)
    narrow_ = layers.Conv3D(3, 1)(inputs)
    features = layers.Multiply()([layers.Maximum()([wide, narrow_]), layers.Activation("sigmoid")(narrow_)])
    network = randomised(keras.Model(inputs, layers.Concatenate()([features + narrow_ * 2.0, wide])))
    for kept in ((0, 3), (9, 12), (19, 20)):
        assert_same(network, 1, 20, kept)


def test_a_layer_that_is_used_twice_and_a_model_within_a_model():
    inputs, layer = keras.Input((None, None, None, 1)), layers.Conv3D(1, 3, padding="same")
    network = keras.Model(inputs, random_unet()(layer(layer(layers.Rescaling(2.0)(inputs)))))
    assert_same(network, 0, 24, (10, 12))


def work(network, shape):
    """Multiplications and additions of the convolutions for a patch of a shape."""
    sized = keras.models.clone_model(network, input_tensors=keras.Input(shape))
    total = 0
    for layer in sized.layers:
        if isinstance(layer, (layers.Conv3D, layers.Conv3DTranspose)):
            at = layer.input if isinstance(layer, layers.Conv3DTranspose) else layer.output
            total += 2 * np.prod(layer.kernel.shape) * np.prod(at.shape[1:4])
    return total


@pytest.mark.parametrize("residual", [False, True])
def test_less_than_half_of_a_slab_is_computed(residual):
    network = random_unet(widths=(16, 32, 64, 128), residual=residual)
    patch = (56, 16, 16, 1)
    whole = work(network, patch)
    assert work(narrow(network, 0, 56, (24, 32)), patch) < 0.5 * whole
    assert work(narrow(network, 0, 56, (0, 8)), patch) < 0.5 * whole
    assert work(narrow(network, 0, 56, (0, 56)), patch) == whole


def test_what_does_not_change_is_the_originals_own():
    network = random_unet()
    narrowed = assert_same(network, 0, 32, (14, 16))
    weights = {id(variable) for variable in network.weights}
    shared = [layer.name for layer in narrowed.layers if layer.weights and id(layer.weights[0]) in weights]
    assert {"up0", "logits0"} <= set(shared)


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        (BUNDLED, (24, 32)), (BUNDLED, (0, 8)), ("meshnet_t1_gwm/model5_gw_ae_anysize.keras", (24, 32)),
        ("deepbrain_mask/graph_v2_anysize.keras", (24, 32)),
    ],
    ids=["bundled", "bundled at a face", "meshnet", "deepbrain"],
)  # fmt: skip
def test_real_models_give_their_rows(model, kept, shared_data):
    network = keras.saving.load_model(shared_data / "models" / model, compile=False)
    network.layers[-1].activation = keras.activations.linear  # on noise a sigmoid is 0 everywhere
    for each in (network, rewrite(network, (32, 32, 32)).network):
        assert_same(each, 0, 56, kept, across=32)


class Hidden(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = random_unet()

    def call(self, inputs):
        return self.inner(inputs)


class Elsewhere(layers.Layer):
    def call(self, inputs):
        return inputs - keras.ops.mean(inputs, axis=1, keepdims=True)


def broadcast():
    inputs = keras.Input((None, None, None, 2))
    return keras.Model(inputs, layers.Add()([inputs, layers.MaxPooling3D(24)(inputs)]))


UNKNOWN = {
    "hidden": Hidden,
    "from elsewhere": lambda: chain(layers.Conv3D(3, 3, padding="same"), Elsewhere()),
    "of the whole patch": lambda: chain(layers.Conv3D(4, 3, padding="same"), layers.GroupNormalization(2)),
    "joined along z": lambda: chain(lambda x: layers.Concatenate(axis=1)([x, x])),
    "softmax along z": lambda: chain(layers.Softmax(axis=1)),
    "normalised along z": lambda: chain(
        layers.Conv3D(2, 3, padding="same"), layers.BatchNormalization(axis=1), shape=(24, None, None, 2)
    ),
    "broadcast": broadcast,
    "not in step": lambda: chain(layers.Conv3D(2, 3, strides=5, padding="same")),
    "other length": lambda: chain(layers.Conv3D(2, 3, padding="same"), shape=(16, 24, 24, 2)),
    "padded output": lambda: chain(layers.Conv3DTranspose(2, 3, strides=2, padding="same", output_padding=1)),
    "longer kernel": lambda: chain(layers.Conv3D(2, (25, 1, 1))),
}


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_not_narrowed(make):
    assert narrow(make(), 0, 24, (8, 16)) is None


@pytest.mark.parametrize("kept", [(8, 8), (-1, 4), (20, 25)])
def test_rows_that_are_not_there_are_not_given(kept):
    assert narrow(random_unet(), 0, 24, kept) is None


def test_what_the_network_refuses_is_not_narrowed(caplog):
    ramp = np.linspace(0, 1, 24, dtype=np.float32).reshape(1, 24, 1, 1, 1)
    inputs = keras.Input((24, None, None, 2))
    network = randomised(keras.Model(inputs, layers.Conv3D(2, 3, padding="same")(inputs) * ramp))
    assert narrow(network, 0, 24, (8, 16)) is None
    assert "Not narrowed: " in caplog.text


def test_what_does_not_pass_the_check_is_dropped(monkeypatch, caplog):
    monkeypatch.setattr(narrow_module, "TOLERANCE", -1.0)  # nothing is good enough
    assert narrow(random_unet(), 0, 24, (8, 16)) is None
    assert "scores would differ by" in caplog.text


@pytest.mark.parametrize("make", [random_unet, Hidden])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rows_come_of_every_network(make, axis):
    network = make()
    scan = np.random.default_rng(0).normal(size=(1, 16, 16, 16, 1)).astype(np.float32)
    found = np.asarray(rows_of(network, axis, 16, (6, 9))(scan, training=False))
    np.testing.assert_allclose(found, np.take(scores(network, scan), range(6, 9), axis + 1), rtol=1e-5, atol=1e-5)


ELSEWHERE = """
    import sys
    import keras, numpy as np
    from napari_vol3d.engine.narrow import narrow
    from napari_vol3d.engine.rewrite import rewrite
    network = keras.saving.load_model(sys.argv[1], compile=False)
    narrowed = narrow(rewrite(network, (16, 16, 16)).network, 1, 24, (10, 12))
    np.save(sys.argv[2], keras.ops.convert_to_numpy(narrowed(np.load(sys.argv[3]), training=False)))
"""


@pytest.mark.skipif(not ON_TENSORFLOW, reason="compares TensorFlow with another backend")
def test_elsewhere_it_gives_the_same_scores(tmp_path):
    pytest.importorskip("jax")
    inputs = keras.Input((None, None, None, 1))
    zeros = {"kernel_initializer": "zeros", "padding": "same"}  # JAX would compile each layer's random ones
    skip = layers.Conv3D(2, 3, activation="relu", dilation_rate=2, **zeros)(inputs)
    deep = layers.Conv3D(3, 3, strides=2, **zeros)(skip)
    features = layers.Concatenate()([layers.Conv3DTranspose(3, 3, strides=2, **zeros)(deep), skip])
    network = randomised(keras.Model(inputs, layers.Conv3D(3, 3, **zeros)(features)))
    paths = [tmp_path / name for name in ("model.keras", "scores.npy", "scan.npy")]
    network.save(paths[0])
    np.save(paths[2], scan_of(network, 1, 24, 16))
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ELSEWHERE), *map(str, paths)], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    wanted = scores(network, np.load(paths[2]))[:, :, 10:12]
    np.testing.assert_allclose(np.load(paths[1]), wanted, rtol=1e-3, atol=1e-3)


def test_names_that_lie_in_the_file_are_no_obstacle():
    """Keras gives the same names in each process: a copy of a stored "conv3d_1" must not be called so too."""
    given = keras.Input((None, None, None, 1))
    values = given
    for name in ("conv3d", "conv3d_1", "zero_padding3d", "cropping3d", "conv3d_2"):
        values = layers.Conv3D(4, 3, padding="same", activation="tanh", name=name)(values)
    keras.utils.clear_session()
    assert_same(keras.Model(given, layers.Conv3D(2, 1, name="conv3d_3")(values)), 0, 24, (8, 12))
