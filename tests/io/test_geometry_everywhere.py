"""What is bright at a place of the patient is labelled at that place, whatever the format, orientation and voxels."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.io.registry import read_volume, write_labels
from tests.io.nifti_phantom import held_index_at
from tests.io.oriented import CODES, FORMATS, NEAR, SPACINGS, affine_of, bright, found_by, mark, scan

SAVED_AS = ("labels.nii.gz", "labels.seg.nrrd")


@pytest.mark.parametrize(
    ("spacing", "degrees"), [("isotropic", 0), ("isotropic", 17), ("thick", 0), ("thick", 17), ("uneven", 17)]
)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_mark_is_labelled_where_it_lies(tmp_path, kind, spacing, degrees):
    for code in CODES:
        folder = tmp_path / code
        folder.mkdir()
        affine = affine_of(code, degrees, SPACINGS[spacing])
        volume = read_volume(scan(folder, kind, affine))
        # Superior, posterior and left: what a person sees has the nose up.
        assert (np.diag(volume.geometry.direction[::-1]) * (1, -1, -1) > 0.9).all(), code
        labels = bright(volume)
        assert_there(mark(affine), held(labels), f"{code} as held")
        for name in (*SAVED_AS, "labels.dcm") if kind == "DICOM" else SAVED_AS:
            for library, places in found_by(write_labels(folder / name, labels)).items():
                assert_there(mark(affine), places, f"{code} in {name} by {library}")


def test_a_mark_that_moves_is_noticed():
    places = mark(affine_of("RAS", 17, SPACINGS["thick"]))
    assert_there(places, places[::-1], "the same")
    for wrong in (places[1:], places + np.array((0.01, 0, 0)), places * (-1, 1, 1), places[:, (1, 0, 2)]):
        with pytest.raises(AssertionError, match="moved"):
            assert_there(places, wrong, "moved")


@pytest.mark.parametrize("handed", ["RAS", "LAS"])  # the second has a qfac of -1
def test_the_matrix_that_counts_in_a_nifti_file(tmp_path, handed):
    """The sform if its code is above 0, else the qform if its code is, else the spacing, unturned. Each code stays."""
    in_sform, in_qform = (affine_of(handed, degrees, SPACINGS["thick"]) for degrees in (17, 5))
    in_qform[:3, 3] += 20
    data = np.zeros((5, 6, 7), np.uint8)
    data[1, 4, 2] = 1
    for qform_code, sform_code in np.ndindex(6, 6):
        image = nib.Nifti1Image(data, None)
        image.set_qform(in_qform, qform_code)
        image.set_sform(in_sform, sform_code)
        path = tmp_path / "scan.nii.gz"
        nib.save(image, path)
        header = nib.load(path).header
        assert (header["qform_code"], header["sform_code"]) == (qform_code, sform_code)
        assert header["pixdim"][0] == {"RAS": 1, "LAS": -1}[handed]
        meant = in_sform if sform_code else in_qform if qform_code else np.diag((0.8, 0.8, 2.5, 1.0))
        for volume in (read_volume(path), read_volume(write_labels(tmp_path / "labels.nii.gz", read_volume(path)))):
            assert volume.geometry.anatomical is (sform_code > 0 or qform_code > 0)
            assert volume.data[held_index_at(volume, meant @ (1, 4, 2, 1))] == 1
            stored = volume.geometry.stored.header
            assert (stored["qform_code"], stored["sform_code"]) == (qform_code, sform_code)
        written = nib.load(tmp_path / "labels.nii.gz")
        np.testing.assert_array_equal(written.affine, nib.load(path).affine)
        if volume.geometry.anatomical:
            np.testing.assert_allclose(written.affine, meant, atol=1e-4)  # a qform's float32, near half a turn
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), data)


def held(volume):
    index = np.argwhere(volume.data)
    return index @ volume.geometry.affine[:3, :3].T + volume.geometry.affine[:3, 3]


def assert_there(meant, places, which):
    """Each point has one of the places within a thousandth of a millimetre, and there are no others."""
    assert len(places) == len(meant), which
    apart = np.linalg.norm(meant[:, None] - places[None], axis=-1)
    nearest = apart.argmin(axis=1)
    assert sorted(nearest) == list(range(len(meant))), which
    assert apart.min(axis=1).max() < NEAR, which
