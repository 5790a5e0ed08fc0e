"""Of a scan's header is read what a segmentation must repeat, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.sources import DEMANDED, NEEDED, OF_ANIMALS, read_sources
from tests.io.dicom_phantom import ORIGIN, SHAPE, SPACING, enhanced, phantom, series


def header(folder, **options):
    return read_dicom(folder, **options).geometry.stored.header


def test_images_hold_nothing_of_the_patient_and_the_rest_no_more_than_is_demanded(tmp_path):
    fields = {"PatientSpeciesDescription": "Felis catus", "PatientComments": "x", "SpacingBetweenSlices": 77}
    sources = read_sources(header(series(tmp_path / "scan", **fields)))
    assert len(sources.images) == SHAPE[0]
    for image in sources.images:
        assert set(image.dir()) <= {*NEEDED, *DEMANDED}
        assert not any(image[name].value for name in DEMANDED)
        assert image.SpacingBetweenSlices == SPACING[0]  # not what the file says
    assert set(sources.patient.dir()) <= {*DEMANDED, *OF_ANIMALS}
    assert sources.patient.PatientName == "Doe^Jane"
    assert sources.patient.PatientSpeciesDescription == "Felis catus"
    assert sources.patient.StudyID == ""
    np.testing.assert_allclose(np.sort(sources.frames.corners[:, 2]), ORIGIN[2] + SPACING[0] * np.arange(SHAPE[0]))


def test_of_a_time_series_the_first_image_at_each_position(tmp_path):
    for time in range(3):
        series(tmp_path / "scan", name=f"{time}-{{}}.dcm", TemporalPositionIdentifier=time + 1, AcquisitionNumber=1)
    fields = header(tmp_path / "scan")
    assert len(fields["files"]) == 3 * SHAPE[0]
    sources = read_sources(fields)
    assert len(sources.images) == len(sources.frames.corners) == SHAPE[0]


def test_an_enhanced_file_is_one_image_of_several_frames(tmp_path):
    positions = np.array(ORIGIN) + np.outer(np.arange(SHAPE[0]), [0, 0, SPACING[0]])
    enhanced(tmp_path / "scan" / "all.dcm", phantom(), positions)
    sources = read_sources(header(tmp_path / "scan"))
    assert len(sources.images) == 1
    np.testing.assert_allclose(sources.frames.corners, positions * (-1, -1, 1))
    assert sources.images[0].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices == 2.5


def test_a_scan_with_slices_that_were_filled_in_is_no_source(tmp_path):
    steps = np.array([0, 1, 2, 3, 5, 6]) * SPACING[0]
    fields = header(series(tmp_path / "scan", steps=steps), repair=True)
    with pytest.raises(FileProblem, match="repaired") as raised:
        read_sources(fields)
    assert raised.value.hint
