"""A series stays a series, with its step; channels stay channels; nothing of either is cut."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.nifti import read_nifti, write_nifti
from napari_vol3d.io.nifti_time import is_timed
from napari_vol3d.io.registry import write_labels
from napari_vol3d.io.times import TIME_STEP, time_step, with_time_step
from tests.io.nifti_phantom import SHAPE, affine_for, save

CLASSES = (LabelClass(id=1, name="one", color="#e69f00"), LabelClass(id=300, name="many", color="#56b4e9"))


def series(path, shape=(*SHAPE, 4), *, step=2.5, units=("mm", "sec"), code="PIR", intent=0):
    data = np.random.default_rng(0).integers(0, 4000, shape, dtype=np.int16)
    image = nib.Nifti1Image(data, affine_for(code, 17))
    image.header.set_xyzt_units(*units)
    image.header["pixdim"][4], image.header["intent_code"] = step, intent
    nib.save(image, path)
    return data


@pytest.mark.parametrize(("unit", "step"), [("sec", 2.5), ("msec", 0.0025), ("usec", 2.5e-6)])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_unit_of_time_makes_a_series(tmp_path, unit, step, name):
    data = series(tmp_path / name, units=("mm", unit))
    volume = read_nifti(tmp_path / name)
    assert (volume.timed, volume.frames, volume.channels) == (True, 4, ())
    assert time_step(volume) == pytest.approx(step)
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data), data)
    np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.frame(2).data), data[..., 2])
    np.testing.assert_array_equal(nib.load(write_nifti(tmp_path / "copy.nii.gz", volume)).dataobj, data)


@pytest.mark.parametrize("units", [("mm", None), ("mm", "hz"), ("mm", "ppm"), (None, None)])
def test_without_a_unit_of_time_they_are_channels(tmp_path, units):
    series(tmp_path / "a.nii", units=units)
    volume = read_nifti(tmp_path / "a.nii")
    assert (volume.timed, volume.channels) == (False, ("volume 1", "volume 2", "volume 3", "volume 4"))


@pytest.mark.parametrize(("frames", "timed"), [(2, False), (4, False), (8, False), (9, True)])
@pytest.mark.parametrize("step", [0, 1])
def test_a_step_that_nobody_set_makes_few_volumes_channels(tmp_path, frames, timed, step):
    """As the brain tumours of the Medical Segmentation Decathlon: four contrasts, 1 s apart by their header."""
    series(tmp_path / "a.nii", (*SHAPE, frames), step=step)
    volume = read_nifti(tmp_path / "a.nii")
    assert (volume.timed, len(volume.channels)) == (timed, 0 if timed else frames)
    said = read_nifti(write_nifti(tmp_path / "b.nii", volume.with_data(volume.data, timed=True, channels=())))
    assert (said.timed, said.frames) == (True, frames)


def test_vectors_are_channels_whatever_the_units_say(tmp_path):
    series(tmp_path / "a.nii", (*SHAPE, 1, 3), intent=1007)
    series(tmp_path / "b.nii", (*SHAPE, 3), intent=1007)
    series(tmp_path / "c.nii", (*SHAPE, 1, 3))
    for name in "abc":
        volume = read_nifti(tmp_path / f"{name}.nii")
        assert (volume.timed, len(volume.channels)) == (False, 3)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_channels_and_time(tmp_path, name):
    data = series(tmp_path / name, (*SHAPE, 4, 3), code="RAS")
    volume = read_nifti(tmp_path / name)
    assert (volume.timed, volume.frames, len(volume.channels)) == (True, 4, 3)
    assert volume.data.shape == (*SHAPE[::-1], 3, 4)
    for t, c in np.ndindex(4, 3):
        np.testing.assert_array_equal(volume.geometry.stored.to_stored(volume.data[..., c, t]), data[..., t, c])
    copy = write_nifti(tmp_path / "copy.nii.gz", volume)
    np.testing.assert_array_equal(nib.load(copy).dataobj, data)
    np.testing.assert_array_equal(read_nifti(copy).data, volume.data)


def test_six_axes_are_refused(tmp_path):
    series(tmp_path / "a.nii", (3, 3, 3, 2, 2, 2))
    with pytest.raises(FileProblem, match="Too many axes"):
        read_nifti(tmp_path / "a.nii")


@pytest.mark.parametrize("top", [255, 300, 70000])
def test_labels_with_time_keep_ids_place_and_step(tmp_path, top):
    series(tmp_path / "scan.nii.gz")
    scan = read_nifti(tmp_path / "scan.nii.gz")
    ids = np.random.default_rng(1).integers(0, 3, scan.data.shape).astype(np.int64)
    ids[1, 2, 3, 3] = top
    path = write_labels(tmp_path / "labels.nii.gz", scan.with_data(ids, classes=CLASSES))
    header, original = nib.load(path).header, nib.load(tmp_path / "scan.nii.gz").header
    assert header.get_zooms() == original.get_zooms()
    assert header["xyzt_units"] == original["xyzt_units"]
    assert header.get_data_dtype() == np.min_scalar_type(top)
    np.testing.assert_array_equal(nib.load(path).affine, nib.load(tmp_path / "scan.nii.gz").affine)
    found = read_nifti(path)
    assert (found.timed, found.is_labels, found.classes, time_step(found)) == (True, True, CLASSES, 2.5)
    np.testing.assert_array_equal(found.data, ids)


@pytest.mark.parametrize("step", [None, 12.5])
def test_a_series_from_elsewhere(tmp_path, step):
    geometry = with_time_step(Geometry.from_spacing((3, 2, 1), unit="um"), step)
    volume = Volume(data=np.arange(120, dtype=np.uint8).reshape(2, 3, 4, 5), geometry=geometry, timed=True)
    path = write_labels(tmp_path / "labels.nii", volume)
    assert nib.load(path).header.get_xyzt_units() == ("micron", "sec")
    assert nib.load(path).header["pixdim"][4] == (step or 0)
    found = read_nifti(path)
    assert (found.timed, time_step(found)) == (True, step)
    assert (TIME_STEP in found.geometry.stored.header) == (step is not None)
    np.testing.assert_array_equal(found.geometry.stored.to_stored(found.data), volume.data.transpose(2, 1, 0, 3))


def test_what_a_person_says_are_channels_stays_so(tmp_path):
    series(tmp_path / "scan.nii")
    volume = read_nifti(tmp_path / "scan.nii")
    path = write_nifti(tmp_path / "a.nii", volume.with_data(volume.data, timed=False, channels=("a", "b", "c", "d")))
    assert not read_nifti(path).timed


def test_one_time_point_of_a_series_is_a_volume(tmp_path):
    series(tmp_path / "scan.nii")
    volume = read_nifti(tmp_path / "scan.nii")
    found = read_nifti(write_nifti(tmp_path / "one.nii", volume.frame(1)))
    assert not found.timed
    np.testing.assert_array_equal(found.data, volume.data[..., 1])
    with_axis = volume.with_data(volume.data[..., 1:2])
    assert with_axis.frames == 1
    np.testing.assert_array_equal(read_nifti(write_nifti(tmp_path / "b.nii", with_axis)).data, found.data)


def test_real_series_are_timed(shared_data):
    found = {}
    for path in sorted((shared_data / "scans").rglob("*.nii*")):
        header = nib.load(path).header
        if header["dim"][0] > 3:
            volume = read_nifti(path)
            found[path.name] = (volume.frames, time_step(volume))
            assert is_timed(header, 4)
    assert found["pcasl.nii.gz"] == (10, pytest.approx(2.54))
    assert found["functional.nii"] == (20, 2.0)
    assert len(found) == 4


def test_a_header_of_a_volume_is_left_alone(tmp_path):
    data = np.zeros(SHAPE, np.uint8)
    path = save(tmp_path / "scan.nii", data, affine_for("RAS", 0))
    written = write_labels(tmp_path / "labels.nii", read_nifti(path))
    assert nib.load(written).header["xyzt_units"] == nib.load(path).header["xyzt_units"] == 10
