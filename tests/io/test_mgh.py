"""FreeSurfer's volumes as nibabel reads them; what is damaged is refused."""

from __future__ import annotations

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from nibabel.freesurfer.mghformat import MGHImage

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.mgh import read_mgh
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.registry import write_labels
from napari_vol3d.io.times import time_step
from tests.io.nifti_phantom import CODES, SHAPE, affine_for, held_index_at, phantom

# As FreeSurfer writes them behind the voxels: five values, a command line, a matrix by its old tag.
VALUES = struct.pack(">5f", 2300.0, 0.1, 3.0, 900.0, 0.0)
COMMAND = struct.pack(">iq", 3, 12) + b"mri_convert\0"
XFORM = struct.pack(">ii", 30, 9) + b"talairach"


def save(path, data=None, affine=None, tr=0.0):
    image = MGHImage(phantom() if data is None else data, affine_for("PIR", 17) if affine is None else affine)
    if image.ndim == 4:
        image.header.set_zooms((*image.header.get_zooms()[:3], tr))
    nib.save(image, path)
    return path


def bytes_of(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".mgz" else path.read_bytes()


def read_elsewhere(path):
    """As nibabel reads it; from bytes, because of a file that is not packed it leaves the handle open."""
    return MGHImage.from_bytes(bytes_of(path))


@pytest.mark.parametrize("name", ["a.mgz", "a.mgh"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "u2"])
def test_each_type_is_read_as_nibabel_reads_it(tmp_path, name, dtype):
    data = np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)
    path = save(tmp_path / name, data)
    volume = read_mgh(path)
    assert volume.data.dtype == np.dtype(dtype)
    assert volume.data.dtype.isnative
    assert (volume.name, volume.is_labels, volume.timed) == ("a", None, False)
    assert (volume.geometry.unit, volume.geometry.anatomical, volume.geometry.orientation) == ("mm", True, "PIR")
    stored = volume.geometry.stored.to_stored(volume.data)
    np.testing.assert_array_equal(stored, np.asanyarray(read_elsewhere(path).dataobj))


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("code", CODES)
def test_every_orientation_lies_where_nibabel_puts_it(tmp_path, code, degrees):
    path = save(tmp_path / "a.mgh", affine=affine_for(code, degrees))
    volume, affine = read_mgh(path), read_elsewhere(path).affine
    for stored in np.argwhere(phantom()):
        assert volume.data[held_index_at(volume, affine @ [*stored, 1])] == phantom()[tuple(stored)]


@pytest.mark.parametrize("name", ["a.mgz", "a.mgh"])
def test_frames_are_a_series(tmp_path, name):
    data = np.random.default_rng(0).normal(size=(*SHAPE, 4)).astype(np.float32)
    volume = read_mgh(save(tmp_path / name, data, tr=2300.0))
    assert (volume.timed, volume.frames, volume.channels) == (True, 4, ())
    assert time_step(volume) == pytest.approx(2.3)
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), data)


def test_directions_that_are_not_good_are_no_patients(tmp_path):
    path = save(tmp_path / "a.mgh")
    content = bytearray(path.read_bytes())
    for flag in (0, -1):
        content[28:30] = struct.pack(">h", flag)
        path.write_bytes(content)
        volume = read_mgh(path)
        assert not volume.geometry.anatomical
        assert volume.geometry.spacing == (1, 1, 1)
        assert volume.geometry.stored.flips == (False, False, False)
        np.testing.assert_array_equal(volume.data, phantom().transpose(2, 1, 0))
    content[28:30] = bytes(2)
    path.write_bytes(content)
    coronal = read_elsewhere(path).affine
    np.testing.assert_allclose(read_mgh(path).geometry.affine, coronal[:, (2, 1, 0, 3)])


def test_large_ids_survive_into_other_formats(tmp_path):
    data = np.zeros(SHAPE, np.int32)
    data[1, 2, 3], data[4, 5, 2] = 12175, 1001
    volume = read_mgh(save(tmp_path / "aparc.mgz", data))
    written = nib.load(write_labels(tmp_path / "labels.nii.gz", volume))
    assert written.get_data_dtype() == np.uint16
    held = read_mgh(tmp_path / "aparc.mgz")
    for stored, value in (((1, 2, 3), 12175), ((4, 5, 2), 1001)):
        at = held_index_at(held, read_elsewhere(tmp_path / "aparc.mgz").affine @ [*stored, 1])
        assert held.data[at] == value
        back = np.rint(np.linalg.solve(written.affine, held.geometry.affine @ [*at, 1])).astype(int)[:3]
        assert np.asanyarray(written.dataobj)[tuple(back)] == value


@pytest.mark.parametrize("footer", [b"", VALUES[:16], VALUES, VALUES + COMMAND + XFORM, VALUES + bytes(300), bytes(9)])
@pytest.mark.parametrize("name", ["a.mgz", "a.mgh"])
def test_what_freesurfer_writes_behind_the_voxels(tmp_path, name, footer):
    path = save(tmp_path / name)
    content = bytes_of(path)[: 284 + phantom().size] + footer
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    np.testing.assert_array_equal(np.sort(read_mgh(path).data, axis=None), np.sort(phantom(), axis=None))


def test_more_voxels_than_declared_are_noticed(tmp_path):
    data = np.random.default_rng(0).integers(0, 2**31 - 1, (16, 16, 16), dtype=np.int32)
    path = save(tmp_path / "a.mgh", data)
    content = bytearray(path.read_bytes())
    content[12:16] = struct.pack(">i", 15)  # one slice less
    path.write_bytes(content)
    with pytest.raises(FileProblem, match=r"Damaged header: .*more bytes"):
        read_mgh(path)


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, 2, "Not a FreeSurfer"), (4, 0, "Damaged header"), (4, -5, "Damaged header"), (4, 2**31 - 1, "Truncated"),
        (16, 2, "Truncated"), (20, 2, "not known"), (20, -1, "not known"), (20, 3, "Truncated"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mgz", "a.mgh"])
def test_headers_that_lie_are_refused(tmp_path, name, at, value, words):
    path = save(tmp_path / name)
    content = bytearray(bytes_of(path))
    content[at : at + 4] = struct.pack(">i", value)
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    with pytest.raises(FileProblem, match=words):
        read_mgh(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_geometry_that_puts_voxels_together_is_refused(tmp_path, value):
    path = save(tmp_path / "a.mgh")
    content = bytearray(path.read_bytes())
    content[30:34] = struct.pack(">f", value)
    path.write_bytes(content)
    with np.errstate(invalid="ignore"), pytest.raises(FileProblem, match="Damaged geometry"):
        read_mgh(path)


def test_every_truncation_and_every_flipped_bit_of_a_packed_file_is_noticed(tmp_path):
    whole = save(tmp_path / "a.mgz").read_bytes()
    expected = read_mgh(tmp_path / "a.mgz")
    rng, path = np.random.default_rng(0), tmp_path / "b.mgz"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(FileProblem):
            read_mgh(path)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            volume = read_mgh(path)
        except FileProblem:
            continue
        np.testing.assert_array_equal(volume.data, expected.data)  # a bit of gzip's own header, such as its time
        np.testing.assert_array_equal(volume.geometry.affine, expected.geometry.affine)


def test_a_bomb_is_given_up(tmp_path):
    content = bytes_of(save(tmp_path / "a.mgz"))
    (tmp_path / "a.mgz").write_bytes(gzip.compress(content + bytes(60_000_000)))
    with pytest.raises(FileProblem, match="more bytes"):
        read_mgh(tmp_path / "a.mgz")


def test_without_room_in_memory(tmp_path, monkeypatch):
    data = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.int16)
    packed, plain = save(tmp_path / "a.mgz", data), save(tmp_path / "a.mgh", data)
    eager = read_mgh(plain)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    lazy = read_mgh(plain)
    assert isinstance(lazy.data, LazyArray)
    box = Box(start=(1, -2, 2), stop=(4, 4, 9))
    np.testing.assert_array_equal(lazy.read(box), eager.read(box))
    with pytest.raises(FileProblem, match="Too large for memory"):
        read_mgh(packed)


def test_a_real_file(shared_data):
    path = shared_data / "scans" / "nibabel" / "test.mgz"
    volume, image = read_mgh(path), read_elsewhere(path)
    assert volume.timed
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), np.asanyarray(image.dataobj))
    assert time_step(volume) == pytest.approx(0.002)
