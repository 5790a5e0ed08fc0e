"""What Keras stores in HDF5 is counted without reading the arrays."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.io.network_files import keras_h5
from napari_vol3d.io.network_files.keras_h5 import read_h5


def stored(path):
    return read_h5(path, path.name, path.stat().st_size)


def write(path, **attributes):
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        file["layers/conv/vars/0"] = np.zeros((3, 3, 3, 1, 2), np.float32)
        file["optimizer/vars/0"] = np.zeros(1000, np.float32)
    return path


@pytest.mark.parametrize(
    ("attributes", "layout"),
    [
        ({"model_config": "{}", "keras_version": "2.1"}, "model"),
        ({"layer_names": np.array([b"conv"])}, "legacy weights"),
        ({"layer_names0": np.array([b"conv"])}, "legacy weights"),
        ({}, "weights"),
    ],
)
def test_the_four_layouts(tmp_path, attributes, layout):
    found = stored(write(tmp_path / "a.h5", **attributes))
    assert found.layout == layout
    assert found.shapes == {"layers/conv/vars/0": (3, 3, 3, 1, 2)}  # the optimizer's are of no use
    assert found.parameters == 54
    assert found.config == (b"{}" if layout == "model" else b"")


def test_a_scan_is_no_network(tmp_path):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["image"] = np.zeros((4, 4, 4))
    assert stored(tmp_path / "scan.h5").layout == "other"


def test_packed_arrays_and_empty_ones_pass(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        numbers = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
        file.create_dataset("layers/a", data=numbers, compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("layers/b", data=np.zeros((0, 3), np.float32))
        file.create_dataset("layers/c", data=np.float32(1))
    assert stored(tmp_path / "a.h5").parameters == 64 * 64 + 1


def test_other_filters_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("layers/a", data=np.random.default_rng(0).normal(size=4096), compression="lzf")
    with pytest.raises(ModelProblem, match="Compression not supported"):
        stored(tmp_path / "a.h5")


def test_references_in_attributes_are_refused(tmp_path):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file.attrs.create("x", [file["layers"].ref], dtype=h5py.ref_dtype)
    with pytest.raises(ModelProblem, match="attribute"):
        stored(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_short_is_damaged(tmp_path, share):
    path = write(tmp_path / "a.h5")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelProblem):
        stored(path)


@pytest.mark.parametrize(("groups", "attributes", "words"), [(101, 0, "Too many arrays"), (0, 1001, "attributes")])
def test_more_objects_than_any_network_has_are_refused(tmp_path, groups, attributes, words, monkeypatch):
    assert keras_h5.MOST_OBJECTS <= 20_000  # more take the better part of a minute
    monkeypatch.setattr(keras_h5, "MOST_OBJECTS", 100)
    path = tmp_path / "net.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = "{}"
        for index in range(groups):
            file.create_group(str(index))
        for index in range(attributes):
            file.attrs[str(index)] = 1
    with pytest.raises(ModelProblem, match=words):
        read_h5(path, "net.h5", path.stat().st_size)
