"""What HDF5 would fill or unpack without a word is proved first."""

from __future__ import annotations

import logging
import zlib

import h5py
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.hdf5 import read_hdf5

DATA = np.random.default_rng(0).integers(0, 4000, (8, 8, 8), dtype=np.uint16)


@pytest.mark.parametrize("options", [{}, {"chunks": (4, 4, 4)}])
def test_what_was_never_written_is_no_volume(tmp_path, options):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (30_000,) * 3, np.uint16, **options)
    with pytest.raises(FileProblem, match="No voxels: /data"):
        read_hdf5(tmp_path / "a.h5")


def test_absent_chunks_are_counted(tmp_path, caplog):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", (8, 8, 8), np.uint16, chunks=(4, 4, 4), fillvalue=9, compression="gzip")
        data[:4] = DATA[:4]
    with caplog.at_level(logging.WARNING):
        volume = read_hdf5(tmp_path / "a.h5")
    assert "4 of 8 chunks are absent" in caplog.text
    np.testing.assert_array_equal(volume.data[:4], DATA[:4])
    assert (volume.data[4:] == 9).all()


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"fletcher32": True}])
def test_chunks_of_another_size_are_refused(tmp_path, options):
    """A chunk that unpacks to 50 MB: HDF5 unpacks all of it and shows its beginning."""
    for content in (bytes(50_000_000), bytes(100), DATA.tobytes() + b"\0"):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            data = file.create_dataset("data", (8, 8, 8), np.uint16, chunks=(8, 8, 8), compression="gzip", **options)
            data.id.write_direct_chunk((0, 0, 0), zlib.compress(content) + bytes(4 * ("fletcher32" in options)))
        volume = read_hdf5(tmp_path / "a.h5")
        with pytest.raises(FileProblem, match=r"Damaged file: a chunk of a\.h5"):
            volume.data[0]


def test_a_chunk_that_was_left_unpacked_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", (8, 8, 8), np.uint16, chunks=(8, 8, 8), compression="gzip")
        data.id.write_direct_chunk((0, 0, 0), DATA.tobytes(), filter_mask=1)
    np.testing.assert_array_equal(read_hdf5(tmp_path / "a.h5").data, DATA)


def test_filters_that_are_not_known_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((8, 8, 8))
        creation.set_filter(32123, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((8, 8, 8))
        h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_UINT16, space, creation)
    with pytest.raises(FileProblem, match=r"Compression not supported: a\.h5 uses"):
        read_hdf5(tmp_path / "a.h5")
