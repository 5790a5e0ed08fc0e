"""A voxel lies at the same place of the patient before and after, whatever the header's axes are."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.nifti import read_nifti
from napari_vol3d.io.nifti_geometry import GEOMETRY_FIELDS
from napari_vol3d.io.registry import write_labels
from tests.io.nifti_phantom import CODES, SHAPE, SPACING, affine_for, held_index_at, phantom, rotation, save


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("code", CODES)
def test_every_orientation_lands_where_it_was(tmp_path, code, degrees):
    affine = affine_for(code, degrees)
    path = save(tmp_path / "scan.nii.gz", phantom(), affine)
    volume = read_nifti(path)
    written = write_labels(tmp_path / "labels.nii.gz", volume)
    back, ours = nib.load(written), sitk.ReadImage(str(written))
    np.testing.assert_array_equal(back.affine, nib.load(path).affine)
    np.testing.assert_array_equal(np.asanyarray(back.dataobj), phantom())
    for stored in np.argwhere(phantom()):
        value = int(phantom()[tuple(stored)])
        world = affine @ [*stored, 1]
        assert volume.data[held_index_at(volume, world)] == value
        assert ours[ours.TransformPhysicalPointToIndex((world * (-1, -1, 1, 1))[:3].tolist())] == value
    # What is held runs towards superior, posterior, left: the direction cosines with these are the largest.
    towards = np.diag((1, -1, -1)) @ volume.geometry.direction[::-1].T.T
    assert (np.diag(towards) > 0.5).all()


def test_all_orientations_are_there():
    assert len(set(CODES)) == 48


@pytest.mark.parametrize(("qform", "sform"), [(True, False), (False, True), (True, True), (False, False)])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_header_geometry_comes_back_bit_for_bit(tmp_path, qform, sform, kind):
    affine = affine_for("PIR", 17)
    other = affine.copy()
    other[:3, 3] += 11.1
    image = kind(np.zeros((4, 5, 6), np.int16), affine)
    image.header.set_xyzt_units("micron", "sec")
    image.set_qform(affine, 3 if qform else 0)
    image.set_sform(other @ np.diag((1, 1.001, 1, 1)), 4 if sform else 0)
    nib.save(image, tmp_path / "scan.nii")
    volume = read_nifti(tmp_path / "scan.nii")
    assert volume.geometry.unit == "um"
    assert volume.geometry.anatomical is (qform or sform)
    # The stated rule: sform, else qform, else the spacing alone and no flip.
    original = nib.load(tmp_path / "scan.nii")
    if not (qform or sform):
        assert volume.geometry.stored.axes == (2, 1, 0)
        assert volume.geometry.stored.flips == (False, False, False)
        np.testing.assert_allclose(volume.geometry.spacing, SPACING[::-1], rtol=1e-6)
        np.testing.assert_array_equal(volume.geometry.origin, 0)
    else:
        expected = original.affine @ [1, 2, 3, 1]
        stored = np.zeros((4, 5, 6))
        stored[1, 2, 3] = 1
        at = np.argwhere(volume.geometry.stored.to_held(stored))[0]
        np.testing.assert_allclose(volume.geometry.affine @ [*at, 1], expected, rtol=1e-6)
    written = nib.load(write_labels(tmp_path / "labels.nii.gz", volume))
    assert type(written) is kind
    for name in GEOMETRY_FIELDS:
        assert written.header[name].tobytes() == original.header[name].tobytes(), name
    np.testing.assert_array_equal(written.affine, original.affine)
    again = read_nifti(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(again.geometry.affine, volume.geometry.affine)


def test_units_become_mm_or_um(tmp_path):
    for units, factor, unit in (("meter", 1000, "mm"), ("mm", 1, "mm"), ("micron", 1, "um"), ("unknown", 1, "mm")):
        path = save(tmp_path / "scan.nii", np.zeros(SHAPE, np.int16), affine_for("RAS", 0), units=(units, "unknown"))
        geometry = read_nifti(path).geometry
        assert geometry.unit == unit
        np.testing.assert_allclose(geometry.spacing, SPACING[::-1] * factor, rtol=1e-6)


def test_a_cropped_volume_lies_where_it_lay(tmp_path):
    """The stored header says where the whole scan is; after cropping it must not be used."""
    scan = read_nifti(save(tmp_path / "scan.nii.gz", phantom(), affine_for("PIR", 17)))
    box = Box(start=(1, 1, 1), stop=scan.shape)
    affine = scan.geometry.affine.copy()
    affine[:3, 3] = (affine @ [1, 1, 1, 1])[:3]
    part = Volume(data=scan.read(box), geometry=Geometry(affine=affine, anatomical=True, stored=scan.geometry.stored))
    found = read_nifti(write_labels(tmp_path / "part.nii.gz", part))
    for index in np.argwhere(part.data):
        world = affine @ [*index, 1]
        assert found.data[held_index_at(found, world)] == part.data[tuple(index)]


def test_volumes_from_elsewhere_keep_their_world(tmp_path):
    geometry = Geometry.from_spacing((2.5, 0.3, 0.1), unit="um", origin=(1.0, 2.0, 3.0))
    data = phantom().transpose(2, 1, 0)
    for degrees in (0.0, 17.0):
        turned = np.eye(4)
        turned[:3, :3] = rotation(degrees)
        volume = Volume(data=data, geometry=Geometry(affine=turned @ geometry.affine, unit="um"))
        written = nib.load(write_labels(tmp_path / "labels.nii.gz", volume))
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), phantom())
        np.testing.assert_allclose(written.affine, volume.geometry.affine[:, (2, 1, 0, 3)], atol=1e-6)
        np.testing.assert_allclose(written.header.get_qform(), written.affine, atol=1e-5)
        assert written.header.get_xyzt_units()[0] == "micron"
        found = read_nifti(tmp_path / "labels.nii.gz")
        for index in np.argwhere(data):
            world = volume.geometry.affine @ [*index, 1]
            assert found.data[held_index_at(found, world)] == data[tuple(index)]


def test_where_only_voxels_are_known_no_place_is_claimed(tmp_path):
    data = phantom().transpose(2, 1, 0)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel"))
    written = nib.load(write_labels(tmp_path / "labels.nii.gz", volume))
    assert (written.header["sform_code"], written.header["qform_code"]) == (0, 0)
    found = read_nifti(tmp_path / "labels.nii.gz")
    assert not found.geometry.anatomical
    np.testing.assert_array_equal(found.data, data)
