"""The lists hold what networks need, and nothing that reaches out of the process."""

from __future__ import annotations

import pytest

from napari_vol3d.models import gate_names as names
from napari_vol3d.models.gate_layers import RUNS_CODE
from napari_vol3d.models.saved_ops import CONVERTED_OPS, TRAINING_OPS

DANGEROUS = {
    "WriteFile", "ReadFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "PyFuncStateless", "DatasetFromGraph", "Save",
    "Restore", "SaveSlices", "PrintV2", "Print", "LoadAndRemapMatrix", "InitializeTableFromTextFileV2", "RemoteCall",
    "XlaLaunch", "MapDataset", "TFRecordDataset", "DebugIdentityV2", "Copy", "RpcCall", "AudioSummary",
    "ImmutableConst", "SymbolicGradient", "StaticRegexReplace", "TextLineReader", "Skipgram", "TPUCompile",
}  # fmt: skip


def test_no_op_that_reaches_out_is_allowed():
    assert not DANGEROUS & names.ALLOWED_OPS


def test_what_can_be_converted_is_allowed():
    assert CONVERTED_OPS | TRAINING_OPS <= names.ALLOWED_OPS
    assert not (CONVERTED_OPS | TRAINING_OPS) & names.SAVER_OPS


@pytest.mark.parametrize(
    "allowed", [names.LAYERS, names.SLICE_LAYERS, names.OPS, names.STAND_INS, names.MODELS, names.VALUES]
)
def test_no_layer_that_runs_code_is_allowed(allowed):
    assert not set(RUNS_CODE) & allowed
    assert not {"Bidirectional", "RNN", "Map", "Scan", "WhileLoop", "Cond", "Vectorize"} & allowed


def test_no_function_that_touches_files_is_allowed():
    assert not [name for name in names.FUNCTIONS if name.startswith(("io.", "raw_ops.", "data.", "py", "numpy_"))]
