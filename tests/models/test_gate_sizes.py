"""Declared sizes are held against stored ones, and against the memory."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files.keras_h5 import StoredArrays
from napari_vol3d.models import gate_sizes
from napari_vol3d.models.gate_layers import LayersSeen
from napari_vol3d.models.gate_sizes import (
    SLACK,
    check_counts,
    check_dimensions,
    check_padding,
    check_total,
    check_variables,
)


def test_layers_need_no_more_than_is_stored():
    seen = LayersSeen(contents=(("Conv3D", 1),), fewest=100)
    check_counts(seen, 100, "net")
    with pytest.raises(ModelProblem, match="need 100"):
        check_counts(seen, 99, "net")


def test_weights_that_fill_half_of_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8000))
    seen = LayersSeen(contents=(), fewest=0)
    check_counts(seen, 1000, "net")
    with pytest.raises(ModelProblem, match="memory"):
        check_counts(seen, 1001, "net")


def test_weights_of_3d_networks_have_kernels_of_five_axes():
    check_dimensions(StoredArrays(layout="weights", shapes={"a": (3, 3, 3, 1, 2)}), "net")
    for shape, word in (((3, 3, 1, 2), "2 dimensions"), ((3,), "no 3D convolution")):
        with pytest.raises(ModelProblem, match=word):
            check_dimensions(StoredArrays(layout="weights", shapes={"a": shape}), "net")


def test_all_files_together_have_a_limit(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"12345")
    monkeypatch.setattr(gate_sizes, "MOST_STORED", 9)
    check_total([tmp_path / "a"], "net")
    with pytest.raises(ModelProblem, match="Too large"):
        check_total([tmp_path / "a"] * 2, "net")


def test_variables_stored_twice_count_once():
    graph = SimpleNamespace(variables=(("a", 10), ("b", 5), ("a", 10)))
    sizes = {"variables/variables.data-00000-of-00001": 25, "README": 10**9}
    assert check_variables((graph,), sizes, "net") == 15
    sizes["variables/variables.data-00000-of-00001"] = 24
    with pytest.raises(ModelProblem, match="claim 25"):
        check_variables((graph,), sizes, "net")


def test_a_file_holds_little_beside_its_weights():
    check_padding(SLACK + 64 * 100, 100, "net")
    check_padding(4 << 30, 0, "net")  # of old files nothing is known
    with pytest.raises(ModelProblem, match=r"net has 3\.2 GB for 100 weights"):
        check_padding(3 << 30, 100, "net")
