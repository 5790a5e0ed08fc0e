"""The engine reads of Keras 2 what the gate has judged."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate import examine
from napari_vol3d.models.gate_keras2 import check_groups, plain_network
from tests.hostile_models import conv, h5_file, keras3, network


def test_a_network_is_described_by_names_alone():
    layer = {"module": "tf_keras.layers", "class_name": "Conv3D", "config": {"name": "a"}, "registered_name": None}
    assert plain_network({"layers": [layer]}) == {"layers": [{"class_name": "Conv3D", "config": {"name": "a"}}]}


def test_a_group_normalisation_from_before_keras_had_one_is_refused():
    network = {"layers": [{"class_name": "GroupNormalization", "config": {"name": "norm", "axis": -1}}]}
    check_groups(network, "2.15.0")
    check_groups(network, "")
    check_groups({"layers": [{"class_name": "GroupNormalization", "config": {"axis": 1}}]}, "2.2.4")
    with pytest.raises(ModelProblem, match="GroupNormalization 'norm' is not Keras' own"):
        check_groups(network, "2.2.4-tf")


CODE = {
    "class_name": "__lambda__", "registered_name": "Addons>Mish", "module": "builtins",
    "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
}  # fmt: skip
RELU = {"class_name": "function", "config": "relu", "module": "posix", "registered_name": "relu"}


@pytest.mark.parametrize(
    "layer",
    [
        conv("second", activation=CODE), conv("second", activation=RELU),
        {**keras3("second", "Lambda", {"function": "relu"}), "registered_name": "Addons>Mish"},
        {**conv("second"), "module": "evil"},
    ],
    ids=["code as one of ours", "another's function", "Lambda as one of ours", "another's class"],
)  # fmt: skip
@pytest.mark.parametrize("mark", ["", "batch_input_shape"])
def test_a_file_that_says_keras_2_and_is_read_as_of_keras_3_is_judged_as_both(layer, mark, tmp_path):
    config = network(conv(), layer)
    config["config"] |= {mark: None} if mark else {}  # Keras takes that from a network before it is read
    with pytest.raises(ModelProblem, match=r"Not allowed|not known"):
        examine(h5_file(tmp_path, config))
