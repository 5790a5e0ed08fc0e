"""Datasets are found once each, whatever links there are."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import hdf5_parts
from napari_vol3d.io.hdf5_parts import dataset_at, list_parts


@pytest.mark.parametrize(
    ("shape", "dtype", "listed"),
    [
        ((4, 4), "u1", False), ((4, 4, 4), "u1", True), ((2, 4, 4, 4), "f4", True), ((1, 2, 4, 4, 4), "i8", True),
        ((1, 1, 2, 4, 4, 4), "u1", False), ((4, 4, 4), "c8", False), ((4, 4, 4), "S3", False), ((4, 4, 4), "?", True),
        ((), "f8", False),
    ],
)  # fmt: skip
def test_what_could_be_a_volume(tmp_path, shape, dtype, listed):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x/y", shape, dtype)
        file.create_dataset("empty", dtype=h5py.Empty("f4"))
        file["type"] = np.dtype("f4")
        assert [part.key for part in list_parts(file, tmp_path / "a.h5")] == (["x/y"] if listed else [])


def test_groups_inside_themselves_end(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/b/data", data=np.zeros((2, 3, 4)))
        file["a/b/up"] = file["a"]
        file["a/root"] = file["/"]
        file["dangling"] = h5py.SoftLink("/nowhere")
        parts = list_parts(file, tmp_path / "a.h5")
        assert [(part.key, part.title) for part in parts] == [("a/b/data", "2 x 3 x 4, float64")]
        assert dataset_at(file, "a/b/data", tmp_path / "a.h5") == file["a/b/data"]


def test_more_objects_than_anybody_chooses_from(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_parts, "MOST_OBJECTS", 5)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for k in range(6):
            file.create_group(str(k))
        with pytest.raises(FileProblem, match="Too many objects"):
            list_parts(file, tmp_path / "a.h5")
