"""Labels are saved where the scan lies, in its axes, and 3D Slicer and ITK find them there."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import SaveProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, nrrd
from napari_vol3d.io.nifti import read_nifti
from napari_vol3d.io.nrrd import read_nrrd, write_nrrd
from napari_vol3d.io.times import time_step, with_time_step
from tests.io.itk_phantom import NOISE, assert_as_itk_reads_it, itk_image, nrrd_bytes, save, stored
from tests.io.nifti_phantom import CODES, affine_for, held_index_at, phantom, rotation
from tests.io.nifti_phantom import save as save_nifti

CLASSES = (
    LabelClass(id=1, name='left <kidney> "a"', color="#e69f00"),
    LabelClass(id=2, name="back\\slash := n\\n", color="#0080ff"),
    LabelClass(id=3, name="Milz 脾", color="#000000"),
)  # fmt: skip
SCAN = {"space": "RAS", "space_directions": "(0.80,0,0) (0,-0.8,0) (0,1e-1,2.5)", "space_origin": "(1.50, -2 ,3)"}


def header_of(path):
    head = path.read_bytes().split(b"\n\n", 1)[0].decode()
    return dict(line.split(": ", 1) for line in head.splitlines() if ": " in line and ":=" not in line)


def labels_like(volume, data=None, **changes):
    held = volume.geometry.stored.to_held(phantom()) if data is None else data
    return volume.with_data(held, is_labels=True, classes=CLASSES, **changes)


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("iso", [True, False])
@pytest.mark.parametrize("code", CODES)
def test_every_orientation_lands_where_it_was(tmp_path, code, iso, degrees):
    """From a NIfTI scan and from an NRRD scan; ITK is the judge of both."""
    affine = affine_for(code, degrees)
    if iso:
        affine[:3, :3] /= np.linalg.norm(affine[:3, :3], axis=0)
    sitk.WriteImage(itk_image(phantom(), affine), str(tmp_path / "scan.nrrd"))
    scans = read_nrrd(tmp_path / "scan.nrrd"), read_nifti(save_nifti(tmp_path / "scan.nii", phantom(), affine))
    for scan, name in zip(scans, ("a.seg.nrrd", "b.nrrd"), strict=True):
        image = sitk.ReadImage(str(write_nrrd(tmp_path / name, labels_like(scan))))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image).transpose(), phantom())
        for index in np.argwhere(phantom()):
            world = (np.diag((-1, -1, 1, 1)) @ affine @ [*index, 1])[:3]
            assert image[image.TransformPhysicalPointToIndex(world.tolist())] == phantom()[tuple(index)]
        found = read_nrrd(tmp_path / name)
        np.testing.assert_allclose(found.geometry.affine, scan.geometry.affine, atol=1e-5)
        np.testing.assert_array_equal(found.data, labels_like(scan).data)


def test_an_nrrd_scan_gives_its_labels_its_own_words(tmp_path):
    for changes in ({}, {"space": "LAS"}, {"space": None, "space_dimension": "3"}, {"space_units": '"um" "um" "um"'}):
        fields = {**SCAN, **changes}
        scan = read_nrrd(save(tmp_path / "scan.nrrd", nrrd_bytes(phantom(), **fields)))
        for name in ("a.seg.nrrd", "a.nrrd"):
            written = header_of(write_nrrd(tmp_path / name, labels_like(scan)))
            for key, value in fields.items():
                words = (written.get(key.replace("_", " ")) or "").replace(" ", "")
                assert words == (value or "").replace(" ", "")
            found = read_nrrd(tmp_path / name)
            np.testing.assert_array_equal(found.geometry.affine, scan.geometry.affine)
            assert (found.geometry.unit, found.geometry.anatomical) == (scan.geometry.unit, scan.geometry.anatomical)


def test_a_shear_is_kept(tmp_path):
    scan = read_nrrd(save(tmp_path / "scan.nrrd", nrrd_bytes(phantom(), **SCAN)))
    sheared = Geometry(affine=scan.geometry.affine @ np.diag((2, 1, 1, 1)), anatomical=True)
    volume = Volume(data=scan.data, geometry=sheared, is_labels=True)
    np.testing.assert_allclose(read_nrrd(write_nrrd(tmp_path / "a.nrrd", volume)).geometry.affine, sheared.affine)


def test_a_cropped_volume_lies_where_it_lay(tmp_path):
    scan = read_nrrd(save(tmp_path / "scan.nrrd", nrrd_bytes(phantom(), **SCAN)))
    part = labels_like(scan).cropped(Box(start=(1, 1, 1), stop=scan.shape))
    found = read_nrrd(write_nrrd(tmp_path / "part.seg.nrrd", part))
    for index in np.argwhere(part.data):
        world = part.geometry.affine @ [*index, 1]
        assert found.data[held_index_at(found, world)] == part.data[tuple(index)]


@pytest.mark.parametrize("unit", ["um", "mm", "pixel"])
@pytest.mark.parametrize("name", ["a.seg.nrrd", "a.nrrd"])
def test_volumes_that_are_no_patients_keep_their_world(tmp_path, unit, name):
    geometry = Geometry.from_spacing((2.5, 0.3, 0.1), unit=unit, origin=(1.0, 2.0, 3.0))
    turned = np.eye(4)
    turned[:3, :3] = rotation(17.0)
    for affine in (geometry.affine, turned @ geometry.affine):
        volume = Volume(data=phantom().T, geometry=Geometry(affine=affine, unit=unit), is_labels=True)
        path = write_nrrd(tmp_path / name, volume)
        found = read_nrrd(path)
        np.testing.assert_array_equal(found.data, phantom().T)
        np.testing.assert_allclose(found.geometry.affine, affine, atol=1e-12)
        assert (found.geometry.unit, found.geometry.anatomical) == (unit, False)
        assert_as_itk_reads_it(found, path)


@pytest.mark.parametrize("top", [1, 255, 256, 65535, 65536, 2**32 - 1])
@pytest.mark.parametrize("name", ["a.seg.nrrd", "a.nrrd"])
def test_ids_survive_in_the_smallest_type(tmp_path, top, name):
    ids = np.zeros((5, 7, 9), np.int64)
    ids[1, 2, 3], ids[2, 3, 4] = top, 1
    volume = Volume(data=ids, geometry=Geometry.from_spacing((1, 1, 1)), is_labels=True)
    path = write_nrrd(tmp_path / name, volume)
    found = read_nrrd(path)
    assert found.is_labels
    assert found.data.dtype == np.min_scalar_type(top)
    np.testing.assert_array_equal(found.data, ids)
    assert {item.id for item in found.classes} == {1, top}
    assert_as_itk_reads_it(found, path)
    for wrong in (-1, 2**32, 0.5):
        with pytest.raises(Vol3dError):
            write_nrrd(path, volume.with_data(np.full((2, 2, 2), wrong)))
    np.testing.assert_array_equal(read_nrrd(path).data, ids)


@pytest.mark.parametrize("name", ["a.seg.nrrd", "a.nrrd"])
def test_names_and_colours_come_back(tmp_path, name):
    scan = read_nrrd(save(tmp_path / "scan.nrrd", nrrd_bytes(phantom(), **SCAN)))
    assert (scan.is_labels, scan.classes) == (None, ())
    found = read_nrrd(write_nrrd(tmp_path / name, labels_like(scan)))
    assert found.is_labels
    assert found.classes == CLASSES
    assert found.name == "a"


def test_images_keep_their_type(tmp_path):
    for dtype in (np.int8, np.int16, np.uint16, np.float32, np.float64, np.int64, np.uint64, bool, np.float16):
        data = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(dtype)
        volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)))
        found = read_nrrd(write_nrrd(tmp_path / "image.nrrd", volume))
        assert found.data.dtype == {"bool": "uint8", "float16": "float32"}.get(data.dtype.name, data.dtype.name)
        assert found.is_labels is None
        np.testing.assert_array_equal(found.data, data)
    with pytest.raises(SaveProblem, match="can't hold"):
        write_nrrd(tmp_path / "image.nrrd", volume.with_data(np.zeros((2, 2, 2), complex)))


@pytest.mark.parametrize(("shape", "timed"), [((3, 4, 5, 2), False), ((3, 4, 5, 2), True), ((3, 4, 5, 2, 6), True)])
def test_channels_and_time_come_back(tmp_path, shape, timed):
    data = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    data[0, 0, 0, 0] = np.nan
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), timed=timed)
    found = read_nrrd(write_nrrd(tmp_path / "a.nrrd", volume))
    assert found.timed is timed
    assert len(found.channels) == (0 if timed and data.ndim == 4 else 2)
    np.testing.assert_array_equal(found.data, data)
    slow = volume.with_data(data, geometry=with_time_step(volume.geometry, 2.5))
    again = read_nrrd(write_nrrd(tmp_path / "a.nrrd", slow))
    assert time_step(again) == (2.5 if timed else None)
    np.testing.assert_array_equal(again.geometry.affine, volume.geometry.affine)
    if data.ndim == 4:
        np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))), data)
    with pytest.raises(SaveProblem, match="labels with"):
        write_nrrd(tmp_path / "a.seg.nrrd", volume.with_data(np.zeros(shape, np.uint8), is_labels=True))
    single = volume.with_data(data[..., :1], timed=False) if data.ndim == 4 else volume
    assert read_nrrd(write_nrrd(tmp_path / "a.nrrd", single)).data.ndim == (3 if data.ndim == 4 else 5)


def test_the_same_labels_give_the_same_bytes(tmp_path):
    volume = Volume(data=phantom(), geometry=Geometry.from_spacing((1, 1, 1)), classes=CLASSES, is_labels=True)
    first = write_nrrd(tmp_path / "a.seg.nrrd", volume).read_bytes()
    assert write_nrrd(tmp_path / "b.seg.nrrd", volume).read_bytes() == first


def test_a_save_that_reads_back_differently_is_none(tmp_path, monkeypatch):
    volume = Volume(data=phantom(), geometry=Geometry.from_spacing((1, 1, 1)), is_labels=True)
    path = write_nrrd(tmp_path / "a.seg.nrrd", volume)
    before = path.read_bytes()
    fill = gate.fill

    def with_a_flipped_bit(file, buffer, *details):
        fill(file, buffer, *details)
        buffer[7] ^= 1

    monkeypatch.setattr(nrrd.gate, "fill", with_a_flipped_bit)
    with pytest.raises(SaveProblem, match="did not read back the same"):
        write_nrrd(path, volume)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_real_files_are_read_as_itk_reads_them(shared_data, tmp_path):
    paths = sorted((shared_data / "scans").glob("*.nrrd"))
    assert len(paths) >= 4
    for path in paths:
        volume = read_nrrd(path)
        assert_as_itk_reads_it(volume, path)
        if "label" in path.name:
            written = write_nrrd(tmp_path / "labels.seg.nrrd", volume.with_data(volume.data, is_labels=True))
            image, original = sitk.ReadImage(str(written)), sitk.ReadImage(str(path))
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(original))
            for of in ("GetOrigin", "GetSpacing", "GetDirection"):
                assert getattr(image, of)() == getattr(original, of)()


def test_labels_of_a_nifti_scan_are_on_its_grid(shared_data, tmp_path):
    scan = read_nifti(shared_data / "scans" / "example_ct_sm.nii.gz")
    seg = read_nifti(shared_data / "scans" / "example_seg.nii.gz")
    written = write_nrrd(tmp_path / "labels.seg.nrrd", scan.with_data(seg.data, is_labels=True))
    image = sitk.ReadImage(str(written))
    original = nib.load(shared_data / "scans" / "example_seg.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image).T, np.asanyarray(original.dataobj))
    itk_scan = sitk.ReadImage(str(shared_data / "scans" / "example_ct_sm.nii.gz"))
    np.testing.assert_allclose(image.GetOrigin(), itk_scan.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(image.GetDirection(), itk_scan.GetDirection(), atol=1e-5)


def test_what_is_written_is_gzip(tmp_path):
    volume = Volume(data=NOISE, geometry=Geometry.from_spacing((1, 1, 1)))
    body = write_nrrd(tmp_path / "a.nrrd", volume).read_bytes().split(b"\n\n", 1)[1]
    assert gzip.decompress(body) == NOISE.tobytes()  # z is the first axis of the array and the slowest of the file
    assert stored(read_nrrd(tmp_path / "a.nrrd")).shape == NOISE.shape[::-1]
