"""What is called for each slice becomes 3D layers one voxel thick, that give the same scores at any size."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.keras2 import KERAS_2
from napari_vol3d.engine.layout import LAST, Held
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.rebuild import rebuild
from napari_vol3d.engine.relaid import Relaid
from napari_vol3d.engine.replay import replay
from tests.engine.test_keras2 import CONV, keras_2_record, write_keras_2

SIZE = (6, 16, 12, 2)
EACH = layers.TimeDistributed


def network_of(build, shape=(None, None, None, 2)):
    inputs = keras.Input(shape)
    network = keras.Model(inputs, build(inputs))
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if "seed" not in weight.path:
            values = rng.normal(0, 0.3, weight.shape)
            weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return network


def volume(shape=SIZE):
    return np.random.default_rng(1).normal(size=(1, *shape)).astype(np.float32)


def assert_same(network, rebuilt, scan, tolerance=1e-5):
    wanted = network.predict(scan, verbose=0)
    np.testing.assert_allclose(rebuilt(scan), wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def unet(inputs):
    fine = EACH(layers.BatchNormalization())(EACH(layers.Conv2D(4, 3, padding="same", activation="relu"))(inputs))
    coarse = EACH(layers.Conv2D(6, 3, padding="same"))(EACH(layers.MaxPooling2D())(fine))
    coarse = layers.Conv3D(6, 3, padding="same")(EACH(layers.Activation("elu"))(coarse))
    back = EACH(layers.Conv2DTranspose(4, 2, strides=2))(coarse)
    joined = EACH(layers.Dropout(0.5))(EACH(layers.LayerNormalization())(layers.Concatenate()([back, fine])))
    return EACH(layers.Conv2D(3, 1, activation="softmax"))(joined)


def image_network(edges=(None, None)):
    inputs = keras.Input((*edges, 2))
    fine = layers.ReLU()(layers.BatchNormalization(axis=3)(layers.Conv2D(4, 3, padding="same")(inputs)))
    back = layers.UpSampling2D()(layers.Conv2D(4, 3, padding="same")(layers.AveragePooling2D(2)(fine)))
    joined = layers.Concatenate(axis=3)([fine * 0.5, back])
    return keras.Model(inputs, layers.Softmax()(layers.Conv2D(3, 1)(layers.SpatialDropout2D(0.5)(joined))))


def planes(inputs):
    """Look along each axis, with kernels that are no squares."""
    seen = []
    for turn in ((1, 2, 3, 4), (2, 1, 3, 4), (3, 2, 1, 4)):
        turned = layers.Permute(turn)(inputs)
        seen.append(layers.Permute(turn)(EACH(layers.Conv2D(3, (3, 5), padding="same"))(turned)))
    return layers.Conv3D(2, 1)(layers.Concatenate()(seen))


PARTS = {
    "convolution": lambda: layers.Conv2D(4, (3, 1), padding="same", dilation_rate=(2, 1), activation="relu"),
    "groups": lambda: layers.Conv2D(4, 3, padding="same", groups=2),
    "transposed": lambda: layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
    "separable": lambda: layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2),
    "depthwise": lambda: layers.DepthwiseConv2D((3, 1), padding="same", depth_multiplier=2),
    "highest": lambda: layers.MaxPooling2D((2, 3), padding="same"),
    "mean": lambda: layers.AveragePooling2D(2, strides=1, padding="same"),
    "enlarged": lambda: layers.UpSampling2D((1, 2)),
    "zeros": lambda: layers.ZeroPadding2D(((1, 2), (0, 3))),
    "cropped": lambda: layers.Cropping2D(((1, 2), (0, 3))),
    "batch": lambda: layers.BatchNormalization(),
    "layer": lambda: layers.LayerNormalization(axis=-1),
    "dense": lambda: layers.Dense(5, activation="sigmoid"),
    "leaky": lambda: layers.LeakyReLU(0.2),
    "PReLU": lambda: layers.PReLU(shared_axes=[1, 2]),
    "softmax": lambda: layers.Softmax(axis=3),
    "spectral": lambda: layers.SpectralNormalization(layers.Conv2D(3, 3, padding="same")),
}


@pytest.mark.parametrize("name", PARTS)
def test_each_layer_is_one_of_three_axes(name):
    network = network_of(EACH(PARTS[name]()), SIZE)
    new = keras.Input((None, None, None, 2))
    held = replay(network, [Held(new, LAST, (None, *SIZE))], Relaid())[0]
    made = keras.Model(new, held.value)
    assert_same(network, made, volume())
    assert held.shape == network.output_shape
    assert study(made).unknown == ()


@pytest.mark.parametrize("shape", [(None, None, None, 2), SIZE], ids=["any", "fixed"])
@pytest.mark.parametrize("build", [unet, planes, lambda i: EACH(image_network())(i)], ids=["unet", "planes", "model"])
def test_networks_of_slices_take_any_size_and_tile(build, shape):
    network = network_of(build, shape)
    made = rebuild(network)
    assert made.fixed is None
    assert not study(made.network).instance_statistics
    assert_same(network, made.network, volume())


@pytest.mark.parametrize("build", [unet, lambda i: EACH(image_network())(i)], ids=["unet", "model"])
def test_a_tile_with_its_halo_gives_what_the_whole_gives(build):
    network = rebuild(network_of(build)).network
    known, scan = study(network), volume((16, 48, 48, 2))
    far = -(-known.halo // known.multiple) * known.multiple
    low, high = 24 - 4 - far, 24 + 4 + far
    tile = network(scan[:, :, low:high, low:high])[:, :, far:-far, far:-far]
    np.testing.assert_allclose(tile, network(scan)[:, :, 20:28, 20:28], atol=1e-5)


def test_a_layer_that_is_called_twice_stays_one():
    shared = EACH(layers.Conv2D(2, 3, padding="same"))
    network = network_of(lambda i: layers.Add()([shared(i), shared(shared(i))]))
    made = rebuild(network)
    assert_same(network, made.network, volume())
    assert made.network.count_params() == network.count_params()


def test_many_channels_apart_stay_apart(monkeypatch):
    monkeypatch.setattr("napari_vol3d.engine.by_slice.MOST_CHANNELS", 1)
    network = network_of(EACH(layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)), SIZE)
    made = rebuild(network)
    assert made.network.count_params() == network.count_params()
    assert_same(network, made.network, volume())


def test_what_looks_at_a_whole_slice_keeps_its_size():
    mean = EACH(layers.GroupNormalization(1))
    network = network_of(lambda i: mean(EACH(layers.Conv2D(3, 3, padding="same"))(i)), SIZE)
    made = rebuild(network)
    assert made.fixed == SIZE[:3]
    assert study(made.network).instance_statistics
    assert_same(network, made.network, volume())
    assert any("calls GroupNormalization for each slice" in note for note in made.notes)


REFUSED = {
    "statistics": (lambda: layers.GroupNormalization(1), "calls GroupNormalization for each slice"),
    "between": (lambda: layers.UpSampling2D(interpolation="bilinear"), "with bilinear interpolation"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name):
    part, words = REFUSED[name]
    with pytest.raises(ModelProblem, match=words):
        rebuild(network_of(lambda i: EACH(part())(EACH(layers.Conv2D(3, 3, padding="same"))(i))))


def test_scores_of_slices_are_no_scores_of_voxels():
    network = network_of(lambda i: EACH(layers.Dense(2))(EACH(layers.GlobalAveragePooling2D())(i)), SIZE)
    with pytest.raises(ModelProblem, match="6 x 2 a scan, not a score a voxel"):
        rebuild(network)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("build", [unet, lambda i: EACH(image_network((16, 12)))(i)], ids=["unet", "model"])
def test_it_is_adopted_from_files(tmp_path, build, suffix):
    network = network_of(build, SIZE)
    network.save(source := tmp_path / f"source{suffix}")
    container = suffix.removeprefix(".")
    report = adopt(Adopt(container=container, source=str(source), target=str(target := tmp_path / "target.keras")))
    assert (report.activation, report.fixed_size, report.instance_statistics) == ("softmax", None, False)
    assert_same(network, keras.saving.load_model(target), volume())
    assert dict(report.layers)["Conv2D"] == 3


# ---- as Keras 2 wrote it


def of_keras_2(record):
    """Give a layer's record as Keras 2 wrote it: without modules, with the size that it met first."""
    inside = {key: value for key, value in record["config"].items() if not key.endswith("initializer")}
    inside.pop("dtype", None)
    if isinstance(inside.get("axis"), int):
        inside["axis"] = [inside["axis"]]
    more = {"SeparableConv2D": {"groups": 1, "kernel_constraint": None}, "Conv2DTranspose": {"groups": 1}}
    return {"class_name": record["class_name"], "config": {**inside, **more.get(record["class_name"], {})}}


@pytest.mark.parametrize("name", ["convolution", "transposed", "separable", "depthwise", "batch", "layer", "dense"])
def test_a_wrapped_layer_of_keras_2_is_read(name):
    wanted = PARTS[name]()
    read = KERAS_2["TimeDistributed"].from_config(
        {"name": "each", "trainable": True, "batch_input_shape": [None, 6, 16, 12, 2],
         "layer": of_keras_2(keras.layers.serialize(wanted))}
    )  # fmt: skip
    network, twin = network_of(read, SIZE), network_of(EACH(wanted), SIZE)
    assert type(read.layer) is type(wanted)
    np.testing.assert_allclose(network(volume()), twin(volume()), atol=1e-6)


def test_a_wrapped_model_of_keras_2_is_read(tmp_path):
    flat = {**CONV, "kernel_size": [3, 3], "strides": [1, 1]}
    drop = {"rate": 0.5, "noise_shape": None, "seed": None, "dtype": "float32"}
    inner = [
        keras_2_record("InputLayer", "image", [], batch_input_shape=[None, 8, 8, 1], dtype="float32", sparse=False),
        keras_2_record("Conv2D", "first", [("image", 0)], **flat),
        keras_2_record("SpatialDropout2D", "drop", [("first", 0)], **drop),
        keras_2_record("LeakyReLU", "leaky", [("drop", 0)], alpha=0.1),
    ]
    ends = {"input_layers": [["image", 0, 0]], "output_layers": [["leaky", 0, 0]]}
    model = {"class_name": "Functional", "config": {"name": "inside", "layers": inner, **ends}}
    records = [
        keras_2_record("InputLayer", "scan", [], batch_input_shape=[None, 8, 8, 8, 1], dtype="float32", sparse=False),
        keras_2_record("TimeDistributed", "each", [("scan", 0)], layer=model),
    ]
    image = keras.Input((8, 8, 1))
    part = keras.Model(image, layers.LeakyReLU(0.1)(layers.Conv2D(3, 3, padding="same")(image)))
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, EACH(part, name="each")(inputs))
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("each", 0)])
    made = rebuild(open_foreign("h5", path)[0])
    assert_same(twin, made.network, volume((8, 8, 8, 1)))
