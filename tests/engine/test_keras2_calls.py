"""Functions of TensorFlow between layers become plain layers, of which it is known what they see."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.messages import Adopt
from tests.engine.test_keras2 import CONV, SCAN, function_record, keras_2_record, patch, write_keras_2

ALL = {"start": None, "stop": None, "step": None}
INNER = {"start": 1, "stop": -1, "step": None}


def call(name, function, options, source="first"):
    return function_record(name, function, [[source, 0, 0, options]])


def sliced(name, spec):
    return {**call(name, "__operators__.getitem", {"slice_spec": spec}), "class_name": "SlicingOpLambda"}


CASES = {
    "channels": ([sliced("part", [{"class_name": "__ellipsis__"}, {"start": 1, "stop": 3, "step": None}])],
                 ("part", 0, 0), lambda x: x[..., 1:3]),
    "inside": ([sliced("part", [ALL, INNER, INNER, INNER])], ("part", 0, 0), None),
    "piece": ([call("cut", "split", {"num_or_size_splits": [1, 2], "axis": -1})], ("cut", 0, 1), lambda x: x[..., 1:]),
    "zeros": ([call("more", "compat.v1.pad", {"paddings": [[0, 0], [1, 0], *[[0, 0]] * 3], "mode": "CONSTANT"}),
               keras_2_record("Cropping3D", "less", [("more", 0)], cropping=[[0, 1], [0, 0], [0, 0]])],
              ("less", 0, 0), lambda x: np.pad(x, [(0, 0), (1, 0), (0, 0), (0, 0), (0, 0)])[:, :-1]),
    "pooled": ([call("small", "nn.max_pool3d", {"ksize": [1, 2, 1, 1, 1], "strides": [1, 2, 1, 1, 1],
                                                "padding": "SAME"}),
                call("large", "repeat", {"repeats": 2, "axis": 1}, "small")],
               ("large", 0, 0), lambda x: np.repeat(x.reshape(1, 4, 2, 8, 8, 3).max(2), 2, axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_calls_become_layers_that_take_any_size(tmp_path, case):
    records, (last, _, piece), function = CASES[case]
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", name="first")(inputs))
    first = keras_2_record("Conv3D", "first", [("scan", 0)], **CONV)
    path = write_keras_2(tmp_path / "two.h5", [SCAN, first, *records], twin, [])
    say_outputs(path, [[last, 0, piece]])
    report = adopt(Adopt(container="h5", source=str(path), target=str(tmp_path / "target.keras")))
    network = keras.saving.load_model(tmp_path / "target.keras")
    assert (report.fixed_size, report.instance_statistics) == (None, False)
    values, given = np.asarray(twin(patch(8))), np.asarray(network(patch(8)))
    if function is None:  # what was cut off is not on the scan's grid
        values, given = values[:, 1:-1, 1:-1, 1:-1], given[:, 1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(given, function(values) if function else values, atol=1e-6)


def say_outputs(path, outputs):
    with h5py.File(path, "r+") as file:
        graph = json.loads(file.attrs["model_config"])
        graph["config"]["output_layers"] = outputs
        file.attrs["model_config"] = json.dumps(graph)
        file.attrs["keras_version"] = "2.15.0"


def test_a_part_at_a_fixed_place_keeps_the_size(tmp_path):
    inputs = keras.Input((8, 8, 8, 1), name="scan")
    twin = keras.Model(inputs, layers.Conv3D(3, 3, padding="same", name="first")(inputs))
    spec = [ALL, {"start": 0, "stop": 8, "step": None}]
    records = [SCAN, keras_2_record("Conv3D", "first", [("scan", 0)], **CONV), sliced("part", spec)]
    path = write_keras_2(tmp_path / "two.h5", records, twin, [("part", 0)])
    report = adopt(Adopt(container="h5", source=str(path), target=str(tmp_path / "target.keras")))
    assert report.fixed_size == (8, 8, 8)
    assert any("fixed place" in change for change in report.changes)
