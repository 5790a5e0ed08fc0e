"""The arrays of an example: plain numbers only, and axes as the network has them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.bundle import open_bundle
from napari_vol3d.models.zoo.example import channels_last, read_array
from napari_vol3d.models.zoo.tensors import Axis, Tensor
from tests.zoo_packages import npy


def tensor(kinds):
    return Tensor(name="a", axes=tuple(Axis(kind=kind) for kind in kinds), test="a.npy")


def stored(folder, content):
    (folder / "a.npy").write_bytes(content)
    return open_bundle(folder)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "uint8", "<f8", "bool", "<i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_as_numpy_wrote_them(tmp_path, dtype, order):
    array = np.asarray(np.random.default_rng(0).integers(0, 2, (2, 3, 4)), dtype=dtype, order=order)
    np.testing.assert_array_equal(read_array(stored(tmp_path, npy(array)), tensor("zyx")), array)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no array", npy(np.zeros((2, 2, 2)))[:-8], npy(np.zeros((2, 2))), npy(np.array([["a"]] * 3)[None]),
        npy(np.zeros((1, 1, 1), [("a", "f4")])), npy(np.zeros((1, 1, 1), complex)), npy(np.zeros((0, 1, 1))),
        npy(np.zeros((2, 2, 2))).replace(b"(2, 2, 2)", b"(9, 9, 9)"),
    ],
)  # fmt: skip
def test_all_else_is_refused(tmp_path, content):
    with pytest.raises(FileProblem):
        read_array(stored(tmp_path, content), tensor("zyx"))


@pytest.mark.parametrize("kinds", ["bczyx", "bzyxc", "czyx", "zyx", "bzyx", "bcxyz"])
def test_channels_come_last(kinds):
    sizes = {"b": 1, "c": 2, "z": 3, "y": 4, "x": 5}
    array = np.random.default_rng(0).normal(size=[sizes[kind] for kind in kinds]).astype(np.float32)
    found = channels_last(array, tensor(kinds))
    space = [sizes[kind] for kind in kinds if kind in "zyx"]
    assert found.shape == (1, *space, 2 if "c" in kinds else 1)
    voxel = [0 if kind in "bc" else 1 for kind in kinds]
    assert found[0, 1, 1, 1, 0] == array[tuple(voxel)]
