"""Every voxel has its value before and after, and what is damaged is refused."""

from __future__ import annotations

import gzip
import math

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, nifti
from napari_vol3d.io.nifti import read_nifti, write_nifti
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.registry import write_labels
from tests.io.nifti_phantom import SHAPE, affine_for, phantom, save

CLASSES = (LabelClass(id=1, name="left <kidney>", color="#e69f00"), LabelClass(id=3, name="Milz 脾", color="#0080ff"))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8"])
def test_both_byte_orders_give_native_values(tmp_path, order, dtype):
    data = np.arange(60).reshape(3, 4, 5).astype(f"{order}{dtype}")
    image = nib.Nifti1Image(data, np.eye(4), nib.Nifti1Header(endianness=order), dtype=data.dtype)
    nib.save(image, tmp_path / "scan.nii")
    assert nib.load(tmp_path / "scan.nii").header.endianness == order
    volume = read_nifti(tmp_path / "scan.nii")
    assert volume.data.dtype == np.dtype(dtype)
    assert volume.data.dtype.isnative
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), data)


def test_scaling_is_applied_once(tmp_path):
    header = nib.Nifti1Header()
    header.set_data_shape((3, 4, 5))
    header.set_data_dtype(np.int16)
    header.set_sform(np.eye(4), 1)
    header["vox_offset"] = 352
    raw = np.arange(60, dtype="<i2").reshape(3, 4, 5, order="F") - 30
    for slope, inter in ((2.5, -1024), (1, 0), (0, 7), (np.nan, np.nan), (1, 5)):
        header["scl_slope"], header["scl_inter"] = slope, inter
        path = tmp_path / "scan.nii"
        path.write_bytes(header.binaryblock + bytes(4) + raw.tobytes(order="F"))
        volume = read_nifti(path)
        scaled = (slope, inter) in ((2.5, -1024), (1, 5))
        assert volume.data.dtype == (np.float32 if scaled else np.int16)
        found = volume.geometry.stored.to_stored(volume.data)
        np.testing.assert_array_equal(found, raw * np.float64(slope) + inter if scaled else raw)
        np.testing.assert_array_equal(found, np.asanyarray(nib.load(path).dataobj))


def test_several_contrasts_are_channels(tmp_path):
    data = np.random.default_rng(0).normal(size=(4, 5, 6, 3)).astype(np.float32)
    data[0, 0, 0, 0] = np.nan
    volume = read_nifti(save(tmp_path / "scan.nii.gz", data, affine_for("LPS", 0), units=("mm", "unknown")))
    assert volume.data.shape == (6, 5, 4, 3)
    assert volume.channels == ("volume 1", "volume 2", "volume 3")
    assert np.isnan(volume.data).sum() == 1
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), data)
    written = write_nifti(tmp_path / "copy.nii.gz", volume)
    np.testing.assert_array_equal(nib.load(written).get_fdata(), data)


@pytest.mark.parametrize(
    ("shape", "held"),
    [((4, 5, 6, 1, 1), (6, 5, 4)), ((4, 5, 6, 1, 3), (6, 5, 4, 3)), ((4, 5), (1, 5, 4)), ((1, 1, 1), (1, 1, 1))],
)
def test_single_axes_are_dropped_and_missing_ones_added(tmp_path, shape, held):
    header = nib.Nifti1Header()
    header["dim"][: len(shape) + 1] = (len(shape), *shape)
    header["datatype"], header["bitpix"], header["vox_offset"] = 4, 16, 352
    header.set_sform(np.eye(4), 1)
    path = tmp_path / "scan.nii"
    path.write_bytes(header.binaryblock + bytes(4) + bytes(2 * math.prod(shape)))
    assert read_nifti(path).data.shape == held


@pytest.mark.parametrize(
    "field",
    [
        {"dim": (5, 4, 5, 6, 2, 2, 1, 1)}, {"dim": (3, 4, 0, 6, 1, 1, 1, 1)}, {"dim": (3, -1, 5, 6, 1, 1, 1, 1)},
        {"dim": (0, 4, 5, 6, 1, 1, 1, 1)}, {"dim": (9, 4, 5, 6, 1, 1, 1, 1)}, {"vox_offset": 1e9}, {"vox_offset": 0},
        {"vox_offset": np.nan}, {"datatype": 32}, {"datatype": 128}, {"datatype": 0}, {"datatype": 999},
        {"srow_x": np.nan}, {"srow_x": 0}, {"magic": b"ni1\0"}, {"magic": b"xyz\0"}, {"dim": (3, 4, 5, 5, 1, 1, 1, 1)},
        {"scl_slope": 2, "scl_inter": np.nan}, {"sform_code": 0, "qform_code": 1, "quatern_b": 5},
        {"sform_code": 0, "pixdim": 0},
    ],
)  # fmt: skip
def test_damaged_headers_are_refused(tmp_path, field):
    image = nib.Nifti1Image(np.ones((4, 5, 6), np.int16), np.eye(4))
    nib.save(image, tmp_path / "scan.nii")
    content = (tmp_path / "scan.nii").read_bytes()
    header = nib.Nifti1Header(content[:348], check=False)
    for name, value in field.items():
        header[name] = value
    (tmp_path / "scan.nii").write_bytes(header.binaryblock + content[348:])
    with pytest.raises(FileProblem):
        read_nifti(tmp_path / "scan.nii")


def test_mutated_headers_are_refused_or_give_a_finite_geometry(tmp_path):
    data = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    nib.save(nib.Nifti1Image(data, affine_for("RAS", 17)), tmp_path / "a.nii")
    whole = (tmp_path / "a.nii").read_bytes()
    rng = np.random.default_rng(0)
    path, read = tmp_path / "mutated.nii", 0
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(0, 348, size=rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            with np.errstate(all="ignore"):
                volume = read_nifti(path)
        except FileProblem:
            continue
        read += 1
        assert np.isfinite(volume.geometry.affine).all()
        assert min(volume.geometry.spacing) > 0
        assert volume.data.size <= 120
    assert read > 50  # most mutations hit text fields and change nothing that counts


@pytest.mark.parametrize("top", [1, 255, 256, 65535, 65536, 2**31 - 1])
def test_ids_survive_in_the_smallest_type(tmp_path, top):
    """With a scan whose header is int16 with slope 3: a reused header turned ids into 1.07 and 2.14."""
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), affine_for("RAS", 0))
    image.header.set_slope_inter(3, 1)
    nib.save(image, tmp_path / "scan.nii.gz")
    scan = read_nifti(tmp_path / "scan.nii.gz")
    assert scan.data.dtype == np.float32
    ids = np.zeros(scan.shape, np.int64)
    ids[1, 2, 3], ids[2, 3, 4] = top, 1
    written = nib.load(write_labels(tmp_path / "labels.nii.gz", scan.with_data(ids)))
    assert written.get_data_dtype() == np.min_scalar_type(top)
    assert (written.dataobj.slope, written.dataobj.inter) == (1, 0)
    assert written.header["intent_code"] == 1002
    found = read_nifti(tmp_path / "labels.nii.gz")
    assert found.is_labels
    np.testing.assert_array_equal(found.data, ids)


def test_images_keep_their_type(tmp_path):
    for dtype in (np.int16, np.uint16, np.float32, np.float64, np.int64, bool, np.float16):
        data = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(dtype)
        volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)))
        path = write_nifti(tmp_path / "image.nii.gz", volume)
        expected = {np.dtype(bool): np.uint8, np.dtype(np.float16): np.float32}.get(np.dtype(dtype), dtype)
        assert nib.load(path).get_data_dtype() == expected
        assert read_nifti(path).is_labels is None
        np.testing.assert_array_equal(np.asanyarray(nib.load(path).dataobj).T, data)


def test_colours_are_refused(shared_data):
    with pytest.raises(FileProblem, match=r"Colours.*RGBA"):
        read_nifti(shared_data / "scans" / "labels_rgba" / "CIT168.nii.gz")


def test_headers_without_voxels_are_refused(shared_data):
    for name in ("nifti1.hdr", "analyze.hdr"):
        with pytest.raises(FileProblem, match="Not a NIfTI file"):
            read_nifti(shared_data / "scans" / "nibabel" / name)


def test_every_real_scan_is_read_as_nibabel_reads_it(shared_data):
    paths = sorted((shared_data / "scans").rglob("*.nii*"))
    assert len(paths) > 20
    refused = []
    for path in paths:
        try:
            volume = read_nifti(path)
        except FileProblem:
            refused.append(path.name)
            continue
        image = nib.load(path)
        stored = volume.geometry.stored.to_stored(volume.data)
        half = (slice(None, None, 2),) * 3
        np.testing.assert_allclose(stored[half], np.asanyarray(image.dataobj)[half], rtol=1e-6, err_msg=path.name)
        at = [n // 3 for n in volume.shape]
        value = image.affine @ np.linalg.solve(image.affine, volume.geometry.affine @ [*at, 1])
        inside = np.rint(np.linalg.solve(image.affine, value)).astype(int)[:3]
        np.testing.assert_array_equal(stored[tuple(inside)], volume.data[tuple(at)], err_msg=path.name)
    assert refused == ["CIT168.nii.gz"]


def test_real_label_maps_round_trip(shared_data, tmp_path):
    for path in sorted((shared_data / "scans" / "aparc_labels").glob("*.nii.gz")):
        volume = read_nifti(path)
        written = nib.load(write_labels(tmp_path / "labels.nii.gz", volume))
        image = nib.load(path)
        assert written.get_data_dtype() == np.uint16
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), np.asanyarray(image.dataobj))
        np.testing.assert_array_equal(written.affine, image.affine)


def test_a_save_that_reads_back_differently_is_none(tmp_path, monkeypatch):
    """As ITK on a full disk: no error, and a file of other voxels."""
    volume = Volume(data=phantom(), geometry=Geometry.from_spacing((1, 1, 1)))
    path = write_labels(tmp_path / "labels.nii.gz", volume)
    before = path.read_bytes()
    monkeypatch.setattr(nifti.gate, "fill", _filling_with_a_flipped_bit(nifti.gate.fill))
    with pytest.raises(SaveProblem, match="did not read back the same"):
        write_labels(path, volume)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def _filling_with_a_flipped_bit(fill):
    def wrapped(file, buffer, *details):
        fill(file, buffer, *details)
        if len(buffer) == phantom().size:
            buffer[7] ^= 1

    return wrapped


def test_the_same_labels_give_the_same_bytes(tmp_path):
    volume = Volume(data=phantom(), geometry=Geometry.from_spacing((1, 1, 1)), classes=CLASSES)
    first = write_labels(tmp_path / "a.nii.gz", volume).read_bytes()
    assert write_labels(tmp_path / "b.nii.gz", volume).read_bytes() == first
    assert gzip.decompress(first)[344:348] == b"n+1\0"


PART = Box(start=(1, -2, 2), stop=(4, 4, 9))


@pytest.mark.parametrize("code", ["RAS", "PIR", "LSA"])
def test_voxels_stay_in_a_file_that_is_not_packed(tmp_path, code):
    data = np.random.default_rng(0).integers(0, 4000, SHAPE, dtype=np.int16)
    eager = read_nifti(save(tmp_path / "scan.nii.gz", data, affine_for(code, 17)))
    path = save(tmp_path / "scan.nii", data, affine_for(code, 17))
    lazy = read_nifti(path)
    assert isinstance(lazy.data, np.memmap)
    assert not isinstance(eager.data, np.memmap)
    np.testing.assert_array_equal(lazy.geometry.affine, eager.geometry.affine)
    np.testing.assert_array_equal(lazy.read(PART), eager.read(PART))
    np.testing.assert_array_equal(lazy.data, eager.data)
    before = path.read_bytes()
    lazy.data[...] = 0  # as a person who paints: in memory, never in the file
    assert path.read_bytes() == before


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("slope", [1, 3])
@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 2)])
def test_without_room_in_memory_the_voxels_are_the_same(tmp_path, monkeypatch, order, slope, shape):
    data = np.random.default_rng(0).integers(-99, 99, shape).astype(f"{order}i2")
    image = nib.Nifti1Image(data, affine_for("PIR", 17), nib.Nifti1Header(endianness=order), dtype=data.dtype)
    nib.save(image, tmp_path / "scan.nii")
    content = bytearray((tmp_path / "scan.nii").read_bytes())
    header = nib.Nifti1Header(bytes(content[:348]), check=False)
    header["scl_slope"], header["scl_inter"], header["intent_code"] = slope, 0.5 * (slope - 1), 1002
    (tmp_path / "scan.nii").write_bytes(header.binaryblock + content[348:])
    eager = read_nifti(tmp_path / "scan.nii")
    assert eager.data.dtype == (np.int16 if slope == 1 else np.float32)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    lazy = read_nifti(tmp_path / "scan.nii")
    native = data.dtype.isnative
    assert isinstance(lazy.data, np.memmap if native and slope == 1 else LazyArray)
    assert (lazy.data.dtype, lazy.channels) == (eager.data.dtype, eager.channels)
    np.testing.assert_array_equal(lazy.read(PART), eager.read(PART))
    np.testing.assert_array_equal(lazy.data[..., ::-1], eager.data[..., ::-1])
