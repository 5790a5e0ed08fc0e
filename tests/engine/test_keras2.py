"""What Keras 2 wrote, and Keras 3 alone would not read, is read as it was meant."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import expit, ndtr

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.foreign import open_foreign
from napari_vol3d.engine.keras2 import KERAS_2
from napari_vol3d.engine.keras2_functions import FUNCTIONS
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.replay import computed


def patch(edge):
    return np.random.default_rng(0).normal(size=(1, edge, edge, edge, 1)).astype(np.float32)


def keras_2_record(kind, name, inbound, **config):
    nodes = [[[source, index, 0, {}] for source, index in inbound]] if inbound else []
    return {"class_name": kind, "name": name, "inbound_nodes": nodes, "config": {"name": name, **config}}


def write_keras_2(path, records, network, outputs):
    """Write weights as Keras 3 does, and beside them the graph as Keras 2 wrote it."""
    network.save(path)
    config = {
        "name": "model", "layers": records, "input_layers": [["scan", 0, 0]],
        "output_layers": [[*each, 0] for each in outputs],
    }  # fmt: skip
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        file.attrs["training_config"] = json.dumps({"loss": "my_own_loss", "metrics": ["my_metric"]})
        file.attrs["keras_version"] = "2.9.0"
    return path


CONV = {"filters": 3, "kernel_size": [3, 3, 3], "strides": [1, 1, 1], "padding": "same", "groups": 1}
SCAN = keras_2_record("InputLayer", "scan", [], batch_input_shape=[None, 8, 8, 8, 1], dtype="float32", sparse=False)


def test_what_keras_2_wrote_otherwise_is_read(tmp_path):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    values = layers.Conv3D(3, 3, padding="same", name="first")(inputs)
    values = layers.LeakyReLU(negative_slope=0.1, name="leaky")(values)
    values = layers.SpatialDropout3D(0.2, name="dropout")(values)
    twin = keras.Model(inputs, layers.Conv3DTranspose(2, 2, name="up")(values))
    records = [
        SCAN,
        keras_2_record("Conv3D", "first", [("scan", 0)], **CONV, data_format="channels_last"),
        keras_2_record("LeakyReLU", "leaky", [("first", 0)], trainable=True, dtype="float32", alpha=0.1),
        keras_2_record("SpatialDropout3D", "dropout", [("leaky", 0)], trainable=True, dtype="float32", rate=0.2,
                       noise_shape=None, seed=None),
        keras_2_record("Conv3DTranspose", "up", [("dropout", 0)], **{**CONV, "filters": 2, "kernel_size": [2, 2, 2],
                       "padding": "valid", "output_padding": None}),
    ]  # fmt: skip
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("up", 0)])
    np.testing.assert_allclose(computed(open_foreign("h5", path)[0], [patch(8)])[0], twin(patch(8)), atol=1e-6)


@pytest.mark.parametrize("last", ["inside", "outside"])
def test_models_inside_are_found_as_keras_2_counted_them(tmp_path, last):
    def part(name):
        inner = keras.Input((8, 8, 8, 1), name=f"{name}_in")
        return keras.Model(inner, layers.Conv3D(3, 3, padding="same", name=f"{name}_conv")(inner), name=name)

    inputs, inside = keras.Input((8, 8, 8, 1), name="scan"), part("one")
    values = inside(inputs)
    twin = keras.Model(inputs, values if last == "inside" else layers.Conv3D(2, 1, name="head")(values))
    nested = {
        "class_name": "Functional", "name": "one", "inbound_nodes": [[["scan", 0, 0, {}]]],
        "config": {
            "name": "one", "input_layers": [["one_in", 0, 0]], "output_layers": [["one_conv", 0, 0]],
            "layers": [{**SCAN, "name": "one_in", "config": {**SCAN["config"], "name": "one_in"}},
                       keras_2_record("Conv3D", "one_conv", [("one_in", 0)], **CONV)],
        },
    }  # fmt: skip
    records = [SCAN, nested]
    if last == "outside":
        head = {**CONV, "filters": 2, "kernel_size": [1, 1, 1]}
        records.append(keras_2_record("Conv3D", "head", [("one", 1)], **head))  # the model itself counted as call 0
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("one", 1) if last == "inside" else ("head", 0)])
    np.testing.assert_allclose(computed(open_foreign("h5", path)[0], [patch(8)])[0], twin(patch(8)), atol=1e-6)


def function_record(name, function, node):
    return {"class_name": "TFOpLambda", "name": name, "inbound_nodes": node,
            "config": {"name": name, "trainable": True, "dtype": "float32", "function": function}}  # fmt: skip


def test_functions_of_tensorflow_become_keras_own(tmp_path):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", name="first")(inputs))
    records = [
        SCAN,
        keras_2_record("Conv3D", "first", [("scan", 0)], **CONV),
        function_record("mean", "math.reduce_mean", [["first", 0, 0, {"axis": [1, 2, 3], "keepdims": True}]]),
        function_record("less", "math.subtract", [["first", 0, 0, {"y": ["mean", 0, 0], "name": None}]]),
        function_record("turned", "math.subtract", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["less", 0, 0]}]]),
        function_record("joined", "concat", [[["turned", 0, 0, {"axis": -1}], ["scan", 0, 0, {"axis": -1}]]]),
    ]
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("joined", 0)])
    report = adopt(Adopt(container="h5", source=str(path), target=str(tmp_path / "target.keras")))
    network = keras.saving.load_model(tmp_path / "target.keras")
    values = np.asarray(twin(patch(8)))
    wanted = np.concatenate([1 - (values - values.mean(axis=(1, 2, 3), keepdims=True)), patch(8)], -1)
    np.testing.assert_allclose(network(patch(8)), wanted, atol=1e-5)
    assert report.instance_statistics
    assert not any("FunctionCall" in type(layer).__name__ for layer in network.layers)


def test_other_functions_are_refused_by_name(tmp_path):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", name="first")(inputs))
    records = [SCAN, keras_2_record("Conv3D", "first", [("scan", 0)], **CONV),
               function_record("read", "io.read_file", [["first", 0, 0, {}]])]  # fmt: skip
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("read", 0)])
    with pytest.raises(ModelProblem, match=r"Layer read calls io\.read_file"):
        open_foreign("h5", path)[0]


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def adopted(tmp_path, path):
    report = adopt(Adopt(container="h5", source=str(path), target=str(tmp_path / "target.keras")))
    return report, keras.saving.load_model(tmp_path / "target.keras", safe_mode=True)


@pytest.mark.parametrize("last", ["Activation", "Conv3D", "TFOpLambda"])
def test_the_hard_sigmoid_of_keras_2_stays_as_steep(tmp_path, last):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", kernel_initializer="ones", name="first")(inputs))
    first = {"activation": "hard_sigmoid"} if last == "Conv3D" else {}
    records = [SCAN, keras_2_record("Conv3D", "first", [("scan", 0)], **CONV, **first)]
    if last == "Activation":
        records.append(keras_2_record("Activation", "last", [("first", 0)], activation="hard_sigmoid"))
    if last == "TFOpLambda":
        records.append(function_record("last", "keras.backend.hard_sigmoid", [["first", 0, 0, {}]]))
    path = write_keras_2(tmp_path / "two.h5", records, twin, [(records[-1]["name"], 0)])
    report, network = adopted(tmp_path, path)
    np.testing.assert_allclose(network(patch(6)), hard_sigmoid(computed(twin, [patch(6)])[0]), atol=1e-6)
    assert report.activation == "sigmoid"


@pytest.mark.parametrize("shape", ["batch_shape", "batch_input_shape"])
def test_the_hard_sigmoid_is_that_of_the_keras_that_wrote_it(tmp_path, shape):
    first = layers.Conv3D(3, 3, activation="hard_sigmoid", kernel_initializer="ones")
    model = keras.Sequential([keras.Input((8, 8, 8, 1)), first])
    wanted = np.asarray(model(patch(8)))
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace("batch_shape", shape)
        file.attrs["keras_version"] = "2.15.0" if shape == "batch_input_shape" else keras.__version__
    if shape == "batch_input_shape":
        first.activation = None
        wanted = hard_sigmoid(np.asarray(layers.Conv3D.call(first, patch(8))))
    np.testing.assert_allclose(open_foreign("h5", tmp_path / "model.h5")[0](patch(8)), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "options", "wanted"),
    [
        ("nn.gelu", {}, lambda x: x * ndtr(x)),
        ("nn.gelu", {"approximate": True}, lambda x: x * expit(1.5957691216 * (x + 0.044715 * x**3))),
        ("nn.silu", {"beta": 2.0}, lambda x: x * expit(2 * x)),
        ("nn.silu", {}, lambda x: x * expit(x)),
    ],
)
def test_functions_have_the_defaults_of_tensorflow(function, options, wanted):
    x = np.linspace(-4, 4, 41, dtype=np.float32)
    np.testing.assert_allclose(FUNCTIONS[function](x, **options), wanted(x), atol=2e-6)


@pytest.mark.parametrize("kind", ["BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization"])
def test_batch_normalisation_of_keras_2_is_read(kind):
    words = {"virtual_batch_size": None, "fused": False, "renorm": False, "renorm_clipping": None}
    layer = KERAS_2[kind].from_config({"name": "norm", "epsilon": 0.1, **words})
    assert type(layer) is layers.BatchNormalization
    assert layer.epsilon == 0.1


def test_a_number_that_was_written_as_an_array_is_read():
    array = {"type": "ndarray", "value": 0.1}
    assert KERAS_2["LeakyReLU"].from_config({"name": "leaky", "alpha": array}).negative_slope == 0.1
    assert KERAS_2["ELU"].from_config({"name": "elu", "alpha": array}).alpha == 0.1


def test_names_with_a_slash_and_layers_that_are_gone_are_read(tmp_path):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", name="first")(inputs))
    policy = {"class_name": "Policy", "config": {"name": "float32", "loss_scale": None}}
    records = [SCAN, keras_2_record("Conv3D", "block/first", [("scan", 0)], **CONV, dtype=policy),
               keras_2_record("ThresholdedReLU", "block/act", [("block/first", 0)], theta=0.3)]  # fmt: skip
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("block/act", 0)])
    wanted = computed(twin, [patch(8)])[0]
    np.testing.assert_allclose(
        computed(open_foreign("h5", path)[0], [patch(8)])[0], np.where(wanted > 0.3, wanted, 0), atol=1e-6
    )
