"""Arrays without geometry: proved whole, read in parts, or refused."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, npy
from napari_vol3d.io.npy import LazyArray, read_npy


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


LAZY_DATA = np.arange(5 * 6 * 7).reshape(5, 6, 7)
PARTS = st.one_of(
    st.slices(7), st.integers(-5, 4), st.slices(3), st.builds(slice, st.none(), st.none(), st.sampled_from((-1, -2, 3)))
)


@given(index=st.lists(PARTS, max_size=3), dots=st.integers(0, 3), axes=st.permutations(range(3)))
def test_a_lazy_array_is_sliced_as_an_array_is(index, dots, axes):
    def read(spans):
        assert all(0 <= s.start < s.stop <= n and s.step > 0 for s, n in zip(spans, LAZY_DATA.shape, strict=True))
        return LAZY_DATA[spans]

    lazy = LazyArray("a", LAZY_DATA.shape, LAZY_DATA.dtype, read).transpose(axes)
    meant = LAZY_DATA.transpose(axes)
    assert (lazy.shape, lazy.size, lazy.nbytes, len(lazy)) == (meant.shape, meant.size, meant.nbytes, len(meant))
    for asked in (tuple(index), (*index[:dots], ..., *index[dots:])):
        found = lazy[asked]
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, meant[asked])
    np.testing.assert_array_equal(np.moveaxis(lazy, 0, -1), np.moveaxis(meant, 0, -1))
    assert np.asarray(lazy, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("index", [(0, 0, 0, 0), (5,), (0, -8), (..., ...), (None,), ([0, 1],), ("a",)])
def test_a_lazy_array_refuses_other_indices(index):
    lazy = LazyArray("a", LAZY_DATA.shape, LAZY_DATA.dtype, lambda spans: LAZY_DATA[spans])
    with pytest.raises((IndexError, TypeError)):
        lazy[index]
    with pytest.raises(ValueError, match="copied"):
        np.asarray(lazy, copy=False)


@pytest.mark.parametrize("order", ["C", "F"])
def test_voxels_stay_in_the_file_and_writing_to_them_does_not_reach_it(tmp_path, order):
    data = np.asarray(np.random.default_rng(0).normal(size=(9, 8, 7)), order=order)
    np.save(tmp_path / "a.npy", data)
    volume = read_npy(tmp_path / "a.npy")
    assert isinstance(volume.data, np.memmap)
    box = Box(start=(2, -1, 3), stop=(5, 6, 9))
    np.testing.assert_array_equal(volume.read(box), data[2:5, :6, 3:])
    volume.data[...] = 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), data)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_more_than_memory_opens_and_gives_a_corner(tmp_path, dtype):
    edge = round((psutil.virtual_memory().total * 1.5) ** (1 / 3))
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": (edge,) * 3}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2 * edge**3)  # a hole: it takes no place on the disk
        file.seek(-2, 2)
        file.write(np.array([7], dtype).tobytes())
    volume = read_npy(path)
    assert volume.data.dtype == np.uint16
    corner = volume.read(Box(start=(edge - 2,) * 3, stop=(edge + 9,) * 3))
    assert (corner.ravel() == [0, 0, 0, 0, 0, 0, 0, 7]).all()


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">i2", ">f8"])
@pytest.mark.parametrize("shape", [(4, 5), (6, 7, 8), (2, 6, 7, 20)])
def test_without_room_in_memory_the_voxels_are_the_same(tmp_path, monkeypatch, dtype, shape):
    data = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
    np.save(tmp_path / "a.npy", data)
    eager = read_npy(tmp_path / "a.npy")
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    lazy = read_npy(tmp_path / "a.npy")
    assert isinstance(lazy.data, np.memmap if np.dtype(dtype).isnative else LazyArray)
    assert (lazy.data.dtype, lazy.channels) == (eager.data.dtype, eager.channels)
    box = Box(start=(0, 1, 2), stop=(3, 4, 5))
    np.testing.assert_array_equal(lazy.read(box), eager.read(box))
    np.testing.assert_array_equal(lazy.data[..., ::-1], eager.data[..., ::-1])


def test_a_small_file_is_read_and_a_large_one_mapped(tmp_path, monkeypatch):
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    np.save(tmp_path / "a.npy", voxels)
    monkeypatch.setattr(npy, "MAPPED_FROM", voxels.nbytes + 1)
    read = read_npy(tmp_path / "a.npy").data
    assert type(read) is np.ndarray
    monkeypatch.setattr(npy, "MAPPED_FROM", voxels.nbytes)
    mapped = read_npy(tmp_path / "a.npy").data
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(read, mapped)
