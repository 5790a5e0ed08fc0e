"""Arrays without geometry: read whole or refused."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.npy import read_npy


@pytest.mark.parametrize(
    ("shape", "held", "channels"),
    [
        ((4, 5), (1, 4, 5), 0), ((3, 4, 5), (3, 4, 5), 0), ((20, 30, 40), (20, 30, 40), 0),
        ((6, 7, 8, 2), (6, 7, 8, 2), 2), ((2, 6, 7, 20), (6, 7, 20, 2), 2), ((2, 3, 4, 5), (2, 3, 4, 5), 5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
def test_axes(tmp_path, shape, held, channels, order):
    data = np.asarray(np.random.default_rng(0).integers(0, 99, shape, dtype=np.int16), order=order)
    np.save(tmp_path / "a.npy", data)
    volume = read_npy(tmp_path / "a.npy")
    assert volume.data.shape == held
    assert len(volume.channels) == channels
    assert volume.is_labels is None
    assert (volume.geometry.unit, volume.geometry.anatomical) == ("pixel", False)
    moved = np.moveaxis(data, 0, -1) if held == (6, 7, 20, 2) else data
    np.testing.assert_array_equal(volume.data, moved.reshape(held))


@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", ">i2", ">u4", ">f4", "f8", "f2", "i8"])
def test_types_and_byte_orders(tmp_path, dtype):
    data = np.arange(24).reshape(2, 3, 4).astype(dtype)
    np.save(tmp_path / "a.npy", data)
    volume = read_npy(tmp_path / "a.npy")
    assert volume.data.dtype == data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(volume.data, data)


class Explosive:
    """Unpickling it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickles_are_refused_and_not_run(tmp_path):
    marker = tmp_path / "marker"
    np.save(tmp_path / "a.npy", np.array([[[Explosive(marker)]]], dtype=object), allow_pickle=True)
    with pytest.raises(FileProblem, match="Not plain numbers"):
        read_npy(tmp_path / "a.npy")
    assert not marker.exists()


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((2, 2, 2), complex), np.zeros((2, 2, 2), "U3"), np.zeros((2, 2), [("a", "u1"), ("b", "f4")]),
        np.zeros(5), np.float32(3), np.zeros((2, 2, 2, 2, 2)), np.zeros((0, 4, 4)), np.zeros((20, 20, 20, 20), "u1"),
        np.zeros((2, 2), "M8[s]"), np.zeros((2, 2), [("\u00e4\u4e2d", "u1")]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_what_is_no_volume_is_refused(tmp_path, data):
    np.save(tmp_path / "a.npy", data)
    with pytest.raises(FileProblem):
        read_npy(tmp_path / "a.npy")


def test_truncation_surplus_and_false_headers_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((5, 6, 7), np.float32))
    whole = path.read_bytes()
    for cut in (3, 9, 60, 127, 128, 500, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(FileProblem):
            read_npy(path)
    path.write_bytes(whole + b"\1\2")
    with pytest.raises(FileProblem, match="more bytes"):
        read_npy(path)
    for shape in (b"(50000,50000,9)", b"(5, 6, -1)", b"(5, 6, 'a')", b"open('a','w')"):
        path.write_bytes(whole.replace(b"(5, 6, 7), }".ljust(20), shape + b", }".ljust(20 - len(shape))))
        assert path.read_bytes() != whole
        with pytest.raises(FileProblem):
            read_npy(path)
