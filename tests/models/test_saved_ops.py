"""What the gate lets pass of a SavedModel's ops is what can be made of Keras layers, and nothing that acts."""

from __future__ import annotations

import pytest

from napari_vol3d.models.gate_names import ALLOWED_OPS
from napari_vol3d.models.saved_ops import CONVERTED_OPS

ACTS = (
    "ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "DatasetFromGraph", "ParseTensor", "DecodeRaw", "Print",
    "PrintV2", "MatchingFiles", "LoadLibrary", "RemoteCall", "XlaLaunch", "RpcCall", "ImmutableConst",
)  # fmt: skip


def test_all_that_is_converted_is_allowed():
    assert CONVERTED_OPS <= ALLOWED_OPS
    assert {"Conv3D", "Conv3DBackpropInputV2", "MaxPool3D", "ConcatV2", "Softmax"} <= CONVERTED_OPS


@pytest.mark.parametrize("op", ACTS)
def test_what_acts_on_the_world_is_not(op):
    assert op not in ALLOWED_OPS
