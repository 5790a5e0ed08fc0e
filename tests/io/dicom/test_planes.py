"""Each frame has its own place and scaling, in files of one frame and of many."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import dicom_parts, read_dicom
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.planes import planes_of
from tests.io.dicom_phantom import AXIAL, ORIGIN, enhanced, image, phantom, save, series


def places(count=6, step=2.5):
    return np.array([[*ORIGIN[:2], ORIGIN[2] + step * k] for k in range(count)])


def stored(volume):
    return np.asarray(volume.geometry.stored.to_stored(np.asarray(volume.data))).transpose(2, 1, 0)


def test_a_classic_file_is_one_plane(tmp_path):
    header = read_header(save(tmp_path / "a.dcm", image(phantom()[0], RescaleSlope=2, RescaleIntercept=-1024)))
    (plane,) = planes_of(header)
    assert (plane.position, plane.orientation, plane.spacing) == (ORIGIN, AXIAL, (0.8, 0.6))
    assert (plane.scaling, plane.name, plane.series) == ((2.0, -1024.0), "a.dcm", "1.2.3.4")
    assert (plane.stored.dtype, plane.stored.bits, plane.stored.signed) == (np.dtype("<i2"), 16, True)


def test_an_enhanced_file_has_the_places_of_its_frames_in_any_order(tmp_path):
    order = np.random.default_rng(3).permutation(6)
    path = enhanced(tmp_path / "mr.dcm", phantom()[order], places()[order])
    volume = read_dicom(path)
    np.testing.assert_array_equal(stored(volume), phantom())
    assert volume.geometry.spacing == pytest.approx((2.5, 0.8, 0.6))
    assert volume.geometry.stored.header["files"] == (str(path),) * 6
    assert [order[frame] for frame in volume.geometry.stored.header["frames"]] == list(range(6))
    # The same slices as files of their own lie at the same places.
    classic = read_dicom(series(tmp_path / "classic"))
    assert volume.geometry.matches(classic.geometry)


def test_times_and_stacks_of_an_enhanced_file(tmp_path):
    data, where = np.concatenate([phantom(), phantom() + 1000]), np.concatenate([places(), places()])
    times = [1] * 6 + [2] * 6
    volume = read_dicom(enhanced(tmp_path / "time" / "a.dcm", data, where, TemporalPositionIndex=times))
    assert volume.timed
    np.testing.assert_array_equal(stored(volume.frame(1)), phantom() + 1000)
    path = enhanced(tmp_path / "stacks" / "a.dcm", data, where, StackID=["upper"] * 6 + ["lower"] * 6)
    parts = dicom_parts(path)
    assert len(parts) == 2
    np.testing.assert_array_equal(stored(read_dicom(path, parts[1].key)), phantom() + 1000)
    with pytest.raises(FileProblem, match="Mixed volumes"):
        read_dicom(enhanced(tmp_path / "mixed" / "a.dcm", data, where))


def test_a_gap_in_an_enhanced_file_names_its_frames(tmp_path):
    where = places()
    where[4:, 2] += 2.5
    path = enhanced(tmp_path / "a.dcm", phantom(), where)
    with pytest.raises(FileProblem, match=r"gap of 5 mm .* between a.dcm \(frame 4\) and a.dcm \(frame 5\)"):
        read_dicom(path)


def test_each_frame_may_have_its_own_scaling(tmp_path):
    path = enhanced(tmp_path / "a.dcm", phantom(), places())
    ds = pydicom.dcmread(path)
    for index, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        values = Dataset()
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = index + 0.5, -index, "US"
        frame.PixelValueTransformationSequence = Sequence([values])
    volume = read_dicom(save(path, ds))
    slopes = np.arange(6)[:, None, None]
    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(stored(volume), phantom() * (slopes + 0.5) - slopes)


def test_frames_that_are_not_described_are_refused(tmp_path):
    path = enhanced(tmp_path / "a.dcm", phantom(), places())
    ds = pydicom.dcmread(path)
    del ds.PerFrameFunctionalGroupsSequence[-1]
    with pytest.raises(FileProblem, match="declares 6 frames and describes 5"):
        read_dicom(save(path, ds))
    ds = pydicom.dcmread(enhanced(path, phantom(), places()))
    del ds.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    part = dicom_parts(save(path, ds))[-1]
    with pytest.raises(FileProblem, match="no position for its 6 frames"):
        read_dicom(path, part.key)


@pytest.mark.parametrize("value", ["1e400", "nan"])
def test_numbers_that_are_none_are_refused(tmp_path, value):
    path = save(tmp_path / "a.dcm", image(phantom()[0]))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"7.75", value.ljust(4).encode()[:4] if value == "nan" else b"1e99", 1))
    if value == "nan":
        with pytest.raises(FileProblem, match="not 3 finite numbers"):
            read_dicom(path)
    else:
        assert np.isfinite(read_dicom(path).geometry.affine).all()
