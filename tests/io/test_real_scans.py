"""Every real scan lies where another library puts it, or is refused for the true reason."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.parts import Irregular, SeveralParts
from napari_vol3d.io.registry import read_volume

DATA = Path(os.environ.get("VOL3D_DATA", Path(__file__).parents[3] / "shared" / "data")).resolve()
LPS = np.diag((-1.0, -1.0, 1.0, 1.0))
REFUSED = {
    "scans/labels_rgba/CIT168.nii.gz": "Colours, not intensities",
    "scans/nibabel/analyze.hdr": "Unknown extension",
    "scans/nibabel/nifti1.hdr": "Unknown extension",
    "scans/nibabel/small.mnc": "Unknown extension",
    "dicom/bad/gantry_tilt": "Tilted gantry: 14.0 degrees",
    "dicom/bad/slice_increment": "Missing slice: gap of 10 mm instead of 5 mm",
    "dicom/bad/not_a_volume": "Not a volume: 4 different images lie at one position",
}


def all_scans() -> list[str]:
    """Files of scans and innermost folders of DICOM, relative to the data; none where there are no data."""
    files = [path for path in (DATA / "scans").rglob("*") if path.is_file()]
    folders = [path for path in (DATA / "dicom").rglob("*") if path.is_dir()]
    series = [path for path in folders if any(inner.is_file() and inner.suffix != ".gz" for inner in path.iterdir())]
    truths = list((DATA / "dicom").rglob("*.nii.gz"))
    return sorted(path.relative_to(DATA).as_posix() for path in (*files, *series, *truths))


SCANS = all_scans()


def test_there_are_scans_and_those_that_are_refused_are_among_them(shared_data):
    assert shared_data == DATA
    assert len(SCANS) > 40
    assert set(REFUSED) < set(SCANS)


@pytest.mark.parametrize("name", [name for name in SCANS if name not in REFUSED])
def test_each_scan_lies_where_another_library_puts_it(name):
    volume = read_volume(DATA / name)
    assert volume.geometry.anatomical
    meant, values = elsewhere(DATA / name, volume)
    # Which voxel of theirs each of ours is: whole numbers, each of their axes one of ours or its reverse.
    turn = np.linalg.solve(meant, volume.geometry.affine)
    index = np.rint(turn)
    np.testing.assert_allclose(volume.geometry.affine @ np.linalg.inv(index), meant, atol=1e-4)
    assert (np.abs(index[:3, :3]).sum(axis=0) == 1).all()
    assert (np.abs(index[:3, :3]).sum(axis=1) == 1).all()
    assert tuple(np.abs(index[:3, :3]) @ volume.shape) == values.shape[:3]
    last = np.subtract(volume.shape, 1)
    places = np.vstack([(0, 0, 0), last, np.random.default_rng(0).integers(0, volume.shape, (300, 3))])
    for here, there in zip(places, (places @ index[:3, :3].T + index[:3, 3]).astype(int), strict=True):
        np.testing.assert_allclose(volume.data[tuple(here)], values[tuple(there)], rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in SCANS if name in REFUSED])
def test_what_is_no_scan_is_refused_for_the_true_reason(name):
    with pytest.raises(FileProblem, match=REFUSED[name]) as refused:
        read_volume(DATA / name)
    assert refused.value.hint
    assert isinstance(refused.value, Irregular) is (name in ("dicom/bad/gantry_tilt", "dicom/bad/slice_increment"))
    assert isinstance(refused.value, Irregular) is isinstance(refused.value, SeveralParts)


def test_a_scan_on_another_of_the_same_person_is_as_simpleitk_resamples_it(shared_data):
    folder = shared_data / "scans"
    oblique, straight = (read_volume(folder / name) for name in ("chris_PD.nii.gz", "chris_t1.nii.gz"))
    assert oblique.geometry.oblique
    # Without rounding, and with the same value beyond.
    source = oblique.with_data(oblique.data.astype(np.float32))
    onto = Onto(source, straight.geometry, straight.shape)
    found = straight.geometry.stored.to_stored(np.asarray(onto))
    image, grid = (sitk.ReadImage(str(volume.source), sitk.sitkFloat32) for volume in (oblique, straight))
    meant = sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, float(onto.outside)))
    meant = meant.transpose()
    assert 0.3 < (meant != onto.outside).mean() < 0.99
    assert np.abs(found - meant).max() < 1e-3 * np.ptp(source.data)


def elsewhere(path: Path, volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """The affine (RAS) and the voxels in their own axis order, as another library reads them."""
    if path.is_dir():
        return _by_pydicom(path)
    if path.suffix in (".mha", ".nrrd"):
        image = sitk.ReadImage(str(path))
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        affine[:3, 3] = image.GetOrigin()
        return LPS @ affine, sitk.GetArrayFromImage(image).transpose()
    image = nib.load(path)
    return image.affine, np.asanyarray(image.dataobj)


def _by_pydicom(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Put the slices of a folder in a row by their positions alone."""
    found = {}
    for path in folder.iterdir():
        one = pydicom.dcmread(path)
        if "PixelData" in one:
            along = np.cross(one.ImageOrientationPatient[:3], one.ImageOrientationPatient[3:])
            found[round(float(along @ one.ImagePositionPatient), 3)] = one
    slices = [found[place] for place in sorted(found)]
    first, last = slices[0], slices[-1]
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.ImageOrientationPatient[:3]) * first.PixelSpacing[1]
    affine[:3, 1] = np.array(first.ImageOrientationPatient[3:]) * first.PixelSpacing[0]
    if len(slices) > 1:
        affine[:3, 2] = np.subtract(last.ImagePositionPatient, first.ImagePositionPatient) / (len(slices) - 1)
    else:
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        affine[:3, 2] = normal / np.linalg.norm(normal) * float(first.SpacingBetweenSlices)
    affine[:3, 3] = first.ImagePositionPatient
    scaling = (float(first.get("RescaleSlope", 1)), float(first.get("RescaleIntercept", 0)))
    values = [one.pixel_array * scaling[0] + scaling[1] for one in slices]
    return LPS @ affine, np.stack(values).transpose()
