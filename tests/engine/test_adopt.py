"""What comes from elsewhere is made to run, gives its scores, and what can't be used is refused in a sentence."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine import adopt as adopting
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.load import load_network
from napari_vol3d.engine.messages import Adopt
from tests.builders import CLASSES, make_card, random_unet

TOLERANCE = 1e-4
ANY = (None, None, None)


@pytest.fixture
def adopted(tmp_path):
    """Adopt a network, or a file, and give the report and what was written."""

    def do(network, *, suffix=".keras", container=None, output=None):
        source = tmp_path / f"source{suffix}"
        if isinstance(network, keras.Model):
            network.save(source)
        else:
            source.write_bytes(network.read_bytes())
        target = tmp_path / "target.keras"
        container = container or ("keras" if suffix == ".keras" else "h5")
        report = adopt(Adopt(container=container, source=str(source), target=str(target), output=output))
        return SimpleNamespace(report=report, network=keras.saving.load_model(target), path=target)

    return do


def functional(build, shape=(*ANY, 1), **options):
    inputs = keras.Input(shape, **options)
    return keras.Model(inputs, build(inputs))


def convolved(features, filters=4, size=3, **options):
    return layers.Conv3D(filters, size, **{"padding": "same", "activation": "relu", **options})(features)


def unet(inputs, *, scores=2, activation="softmax", **options):
    axis = 1 if options.get("data_format") == "channels_first" else -1
    order = {"data_format": options["data_format"]} if options else {}
    fine = layers.BatchNormalization(axis=axis)(convolved(inputs, 4, **options))
    coarse = convolved(layers.MaxPooling3D(2, **order)(fine), 6, **options)
    back = layers.Conv3DTranspose(4, 2, strides=2, **order)(coarse)
    joined = layers.PReLU(shared_axes=[2, 3, 4] if axis == 1 else [1, 2, 3])(
        convolved(layers.Concatenate(axis=axis)([back, fine]), 4, activation=None, **options)
    )
    values = layers.Conv3D(scores, 1, **order)(layers.Dropout(0.5)(joined))
    return layers.Softmax(axis=axis)(values) if activation == "softmax" else layers.Activation(activation)(values)


def randomised(network):
    rng = np.random.default_rng(0)
    for variable in network.weights:
        if "seed" not in variable.path:
            values = rng.normal(0, 0.4, variable.shape)
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return network


def patch_for(network, edge=16, channels=1):
    shape = [edge if length is None else length for length in network.inputs[0].shape[1:4]]
    return np.random.default_rng(5).normal(size=(1, *shape, channels)).astype(np.float32)


def scores(network, *arrays):
    found = network(arrays[0] if len(arrays) == 1 else list(arrays), training=False)
    return np.asarray(keras.tree.flatten(found)[0])


def assert_same(network, given, patch, wanted):
    found = scores(given, patch)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE * max(1, np.abs(wanted).max()))


# ---- what is made to run


def test_a_model_of_ones_own_stays_what_it_is(adopted):
    network = random_unet()
    done = adopted(network)
    patch = patch_for(network)
    assert_same(network, done.network, patch, scores(network, patch))
    report = done.report
    assert (report.channels, report.scores, report.fixed_size, report.multiple) == (1, 3, None, 2)
    assert (report.activation, report.unsure, report.changes, report.chosen) == ("none", (), (), "logits0")
    assert (report.reach, report.patch_size, report.parameters) == (9, (64, 64, 64), network.count_params())
    assert dict(report.layers)["BatchNormalization"] == 6


@pytest.mark.parametrize("norm", [layers.GroupNormalization(-1), layers.BatchNormalization()], ids=["group", "batch"])
def test_what_sees_the_whole_patch_is_said(adopted, norm):
    network = functional(lambda inputs: convolved(norm(convolved(inputs)), 2, activation="softmax"))
    blended = isinstance(norm, layers.GroupNormalization)
    assert adopted(network).report.changes == ((adopting.BLENDED,) if blended else ())


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_stored_size_becomes_any_size(adopted, suffix):
    network = randomised(functional(unet, (16, 16, 16, 2)))
    done = adopted(network, suffix=suffix)
    assert (done.report.fixed_size, done.report.patch_size) == (None, (16, 16, 16))
    assert done.report.changes == ("It was stored for 16 x 16 x 16 voxels, and takes any size.",)
    patch = patch_for(network, channels=2)
    assert_same(network, done.network, patch, scores(network, patch))
    assert done.network(np.zeros((1, 8, 12, 20, 2), np.float32)).shape == (1, 8, 12, 20, 2)


def test_channels_come_last(adopted):
    network = randomised(functional(lambda i: unet(i, scores=3, data_format="channels_first"), (2, 16, 16, 16)))
    done = adopted(network)
    patch = patch_for(done.network, channels=2)
    wanted = np.moveaxis(scores(network, np.moveaxis(patch, -1, 1)), 1, -1)
    assert_same(network, done.network, patch, wanted)
    assert (done.report.channels, done.report.scores, done.report.activation) == (2, 3, "softmax")
    assert done.report.changes[0].startswith("Channels come last")
    assert done.report.fixed_size is None


@pytest.mark.parametrize("first", [False, True])
def test_a_flat_list_of_voxels_becomes_a_volume(adopted, first):
    def build(inputs):
        values = convolved(inputs, 3, activation=None, data_format="channels_first" if first else "channels_last")
        flat = layers.Permute((2, 1))(layers.Reshape((3, -1))(values)) if first else layers.Reshape((-1, 3))(values)
        return layers.Activation("softmax")(flat)

    network = randomised(functional(build, (1, 8, 8, 8) if first else (8, 8, 8, 1)))
    done = adopted(network)
    patch = patch_for(done.network, edge=8)
    wanted = scores(network, np.moveaxis(patch, -1, 1) if first else patch).reshape(1, 8, 8, 8, 3)
    assert_same(network, done.network, patch, wanted)
    assert (done.report.fixed_size, done.report.activation) == (None, "softmax")


def test_what_hangs_on_the_size_keeps_it(adopted):
    network = randomised(functional(lambda i: layers.Conv3D(2, 1)(layers.PReLU()(convolved(i))), (8, 8, 8, 1)))
    done = adopted(network)
    assert done.report.fixed_size == done.report.patch_size == (8, 8, 8)
    assert "8 x 8 x 8 voxels only" in done.report.changes[0]
    patch = patch_for(network)
    assert_same(network, done.network, patch, scores(network, patch))


def test_a_bottleneck_of_fixed_size_is_kept(adopted):
    def build(inputs):
        small = layers.Flatten()(convolved(inputs, 2, strides=4))
        wide = layers.Reshape((4, 4, 4, 2))(layers.Dense(128)(small))
        return layers.Conv3D(2, 1, activation="softmax")(layers.UpSampling3D(4)(wide))

    network = randomised(functional(build, (16, 16, 16, 1)))
    done = adopted(network)
    assert (done.report.fixed_size, done.report.instance_statistics) == ((16, 16, 16), True)
    patch = patch_for(network)
    assert_same(network, done.network, patch, scores(network, patch))


def test_valid_padding_gets_its_edges(adopted):
    network = randomised(functional(lambda i: convolved(convolved(i, padding="valid"), 2, 5, padding="valid",
                                                        activation=None), (20, 20, 20, 1)))  # fmt: skip
    done = adopted(network)
    patch = patch_for(network, edge=20)
    inner = scores(done.network, patch)[:, 3:-3, 3:-3, 3:-3]
    np.testing.assert_allclose(inner, scores(network, patch), atol=TOLERANCE)
    assert scores(done.network, patch).shape == (1, 20, 20, 20, 2)
    assert (done.report.reach, done.report.fixed_size) == (3, None)
    assert any("zeros are put around" in line for line in done.report.changes)


def test_a_unet_with_valid_padding_lies_on_the_grid(adopted):
    def build(inputs):
        fine = convolved(inputs, 3, padding="valid")
        coarse = convolved(layers.MaxPooling3D()(fine), 4, padding="valid")
        back = layers.UpSampling3D()(coarse)
        return convolved(layers.Concatenate()([back, layers.Cropping3D(2)(fine)]), 2, padding="valid", activation=None)

    network = randomised(functional(build))
    done = adopted(network)
    assert done.report.multiple == 2
    patch = patch_for(network, edge=22)
    wanted = scores(network, patch)  # 22 - 2 = 20, 10 - 2 = 8, 16 - 2 = 14: four voxels lost on each side
    assert wanted.shape == (1, 14, 14, 14, 2)
    np.testing.assert_allclose(scores(done.network, patch)[:, 4:-4, 4:-4, 4:-4], wanted, atol=TOLERANCE)


def test_half_resolution_is_repeated(adopted):
    network = randomised(functional(lambda i: convolved(i, 3, strides=2, activation="softmax")))
    done = adopted(network)
    patch = patch_for(network)
    wanted = scores(network, patch).repeat(2, 1).repeat(2, 2).repeat(2, 3)
    assert_same(network, done.network, patch, wanted)
    assert (done.report.activation, done.report.multiple) == ("softmax", 2)
    assert done.report.outputs[0].stride == (2, 2, 2)


def test_two_inputs_become_channels(adopted):
    one, two = keras.Input((8, 8, 8, 1)), keras.Input((8, 8, 8, 2))
    network = randomised(keras.Model([one, two], unet(layers.Concatenate()([convolved(one), convolved(two)]))))
    done = adopted(network)
    patch = patch_for(network, channels=3)
    assert_same(network, done.network, patch, scores(network, patch[..., :1], patch[..., 1:]))
    assert done.report.channels == 3
    assert "Its 2 inputs became channels of one." in done.report.changes


def test_of_several_outputs_the_finest_is_taken_or_the_one_that_is_named(adopted):
    inputs = keras.Input((*ANY, 1))
    features = convolved(inputs)
    coarse = convolved(layers.MaxPooling3D()(features))
    ends = {
        "coarse": layers.Conv3D(3, 1, activation="softmax", name="coarse")(coarse),
        "fine": layers.Conv3D(3, 1, activation="softmax", name="fine")(layers.UpSampling3D()(coarse)),
        "age": layers.Dense(1, name="age")(layers.GlobalAveragePooling3D()(features)),
    }
    network = randomised(keras.Model(inputs, list(ends.values())))
    done = adopted(network)
    assert (done.report.chosen, done.report.unsure) == ("fine", ())
    assert {each.name: each.stride for each in done.report.outputs if not each.problem} == {
        "coarse": (2, 2, 2), "fine": (1, 1, 1)
    }  # fmt: skip
    assert "not a score a voxel" in done.report.outputs[2].problem
    patch = patch_for(network)
    assert_same(network, done.network, patch, np.asarray(network(patch)[1]))
    assert adopted(network, output="coarse").report.chosen == "coarse"
    with pytest.raises(ModelProblem, match="no output depth"):
        adopted(network, output="depth")
    with pytest.raises(ModelProblem, match="not a score a voxel"):
        adopted(network, output="age")


def test_one_score_becomes_a_probability(adopted):
    network = randomised(functional(lambda i: convolved(i, 1, activation=None)))
    done = adopted(network)
    patch = patch_for(network)
    assert_same(network, done.network, patch, 1 / (1 + np.exp(-scores(network, patch))))
    assert (done.report.activation, done.report.unsure) == ("sigmoid", ("activation",))


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "float64"])
def test_other_precisions_become_float32(adopted, policy):
    twin = randomised(functional(unet, (8, 8, 8, 1)))
    keras.config.set_dtype_policy(policy)
    try:
        network = functional(unet, (8, 8, 8, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    network.set_weights(twin.get_weights())
    done = adopted(network)
    patch = patch_for(network)
    np.testing.assert_allclose(scores(done.network, patch), scores(twin, patch), atol=0.02)
    assert any(line.startswith("It computes in float32") for line in done.report.changes)


def test_models_inside_are_opened(adopted):
    def part(name, filters, channels):
        inputs = keras.Input((8, 8, 8, channels))
        return keras.Model(inputs, layers.BatchNormalization(name="same")(convolved(inputs, filters)), name=name)

    network = randomised(
        keras.Sequential([keras.Input((8, 8, 8, 1)), part("one", 3, 1), part("two", 4, 3), layers.Conv3D(2, 1)])
    )
    done = adopted(network)
    patch = patch_for(network)
    assert_same(network, done.network, patch, scores(network, patch))
    assert dict(done.report.layers)["Conv3D"] == 3
    assert (done.report.fixed_size, done.report.reach) == (None, 2)


def test_normalisation_by_hand_and_attention_are_understood(adopted):
    def build(inputs):
        values = convolved(inputs)
        values = (values - ops.mean(values, axis=(1, 2, 3), keepdims=True)) / (
            ops.std(values, axis=(1, 2, 3), keepdims=True) + 1e-5
        )
        squeezed = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling3D()(values))
        values = layers.Multiply()([values, layers.Reshape((1, 1, 1, 4))(squeezed)])
        gate = convolved(values, 1, 1, activation="sigmoid")
        return convolved(values * gate, 2, activation="softmax")

    network = randomised(functional(build, (8, 8, 8, 1)))
    done = adopted(network)
    patch = patch_for(network)
    assert_same(network, done.network, patch, scores(network, patch))
    assert (done.report.fixed_size, done.report.instance_statistics) == (None, True)


def test_statistics_and_dropout_that_were_always_on_are_said(adopted):
    def build(inputs):
        norm, drop = layers.BatchNormalization(), layers.Dropout(0.5)
        return layers.Conv3D(2, 1)(drop(norm(convolved(inputs), training=True), training=True))

    done = adopted(randomised(functional(build)))
    patch = patch_for(done.network)
    np.testing.assert_array_equal(scores(done.network, patch), scores(done.network, patch))
    assert not done.report.instance_statistics  # `predict` of Keras 3 uses stored averages
    assert [line.split()[0] for line in done.report.changes] == ["Batch", "Dropout"]


def test_what_is_written_is_loaded_by_its_card(adopted):
    network = randomised(functional(lambda i: unet(i, scores=3), (16, 16, 16, 1)))
    done = adopted(network)
    card = make_card(done.path, output={"classes": CLASSES, "activation": done.report.activation})
    patch = patch_for(network)
    loaded = load_network(done.path, card)
    found = loaded.probabilities(loaded.model(patch))
    np.testing.assert_allclose(found, scores(network, patch), atol=TOLERANCE)


# ---- what is refused

REFUSED = {
    "2D": (lambda: functional(lambda i: layers.Conv2D(2, 1)(i), (16, 16, 3)), r"takes 2D images \(16 x 16 x 3\)"),
    "vector": (lambda: functional(lambda i: layers.Dense(2)(i), (7,)), "takes a vector"),
    "4D": (lambda: functional(lambda i: layers.TimeDistributed(layers.Conv3D(2, 1))(i), (4, 8, 8, 8, 1)), "5 axes"),
    "classifier": (
        lambda: functional(lambda i: layers.Dense(10)(layers.GlobalMaxPooling3D()(convolved(i)))),
        "10 numbers a scan",
    ),
    "labels": (lambda: functional(lambda i: ops.cast(convolved(i) > 0.5, "int32")), "whole numbers"),
    "open channels": (lambda: functional(layers.Activation("softmax"), (*ANY, None)), "number of channels"),
    "one softmax": (lambda: functional(lambda i: convolved(i, 1, activation="softmax")), "always 1"),
    "finer": (lambda: functional(lambda i: convolved(layers.UpSampling3D()(i), 2)), "finer than the input"),
    "encoder": (lambda: functional(lambda i: convolved(layers.MaxPooling3D(4)(i), 8)), "features, not scores"),
    "relu": (lambda: functional(lambda i: convolved(i, 1)), "ends in relu"),
    "softmax along x": (
        lambda: functional(
            lambda i: convolved(i, 2, data_format="channels_first", activation="softmax"), (1, 8, 8, 8)
        ),
        "runs along x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_scores_no_voxels_is_refused(adopted, case):
    build, words = REFUSED[case]
    with pytest.raises(ModelProblem, match=words) as refused:
        adopted(build() if case in ("one softmax", "open channels") else randomised(build()))
    assert ". " not in refused.value.message
    assert refused.value.hint


def test_inputs_of_different_sizes_are_refused(adopted):
    near, far = keras.Input((8, 8, 8, 1)), keras.Input((16, 16, 16, 1))
    values = layers.Concatenate()([near, layers.MaxPooling3D()(far)])
    with pytest.raises(ModelProblem, match="inputs of different sizes"):
        adopted(keras.Model([near, far], convolved(values)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_damaged_weights_are_refused_by_name(adopted, value):
    network = random_unet()
    kernel = network.get_layer("encode0_1").kernel
    kernel.assign(np.where(np.arange(kernel.shape[-1]) == 2, value, kernel))
    with pytest.raises(ModelProblem, match="Weights of layer encode0_1 are not all numbers"):
        adopted(network)


def test_scores_that_are_no_numbers_are_refused(adopted):
    with pytest.raises(ModelProblem, match="no numbers"):
        adopted(functional(lambda i: convolved(ops.log(i), 2)))


def test_what_changes_when_it_is_compiled_is_not_taken(adopted, monkeypatch):
    def compile_wrongly(function, kinds):
        return lambda *arrays: tuple(np.asarray(result)[:, 1:] for result in function(*arrays))

    monkeypatch.setattr(adopting, "compile_function", compile_wrongly)
    with pytest.raises(ModelProblem, match="changes when it is compiled"):
        adopted(functional(unet))


def test_labels_at_the_end_are_left_for_their_scores(adopted):
    def labelled(inputs):
        return ops.argmax(layers.Conv3D(3, 1, activation="softmax")(convolved(inputs)), axis=-1)

    found = adopted(functional(labelled))
    assert (found.report.scores, found.report.activation) == (3, "softmax")
    assert adopting.LABELLED in found.report.changes


@pytest.mark.parametrize("first", [False, True])
def test_a_saved_model_keeps_the_size_it_was_stored_for(tmp_path, first):
    order = {"data_format": "channels_first"} if first else {}
    shape = (1, 8, 16, 24) if first else (8, 16, 24, 1)
    network = functional(lambda inputs: unet(inputs, **order), shape)
    network.save(tmp_path / "same.keras")
    keras.saving.load_model(tmp_path / "same.keras").export(str(tmp_path / "stored"), verbose=False)
    reports = [
        adopt(Adopt(container=container, source=str(tmp_path / name), target=str(tmp_path / f"{container}.keras")))
        for container, name in (("keras", "same.keras"), ("saved_model", "stored"))
    ]
    assert [report.patch_size for report in reports] == [(8, 16, 24)] * 2
    assert [report.fixed_size for report in reports] == [None] * 2
    assert "It was stored for 8 x 16 x 24 voxels, and takes any size." in reports[1].changes
