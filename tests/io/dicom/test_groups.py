"""Parts have keys that stay, and titles that tell them apart without naming anybody."""

from __future__ import annotations

from pydicom.dataset import Dataset

from napari_vol3d.io.dicom.groups import groups_of, name_of
from napari_vol3d.io.dicom.header import read_header
from napari_vol3d.io.dicom.scan import SEGMENTATIONS, STRUCTURES, scan
from tests.io.dicom_phantom import image, phantom, save, series


def titles(folder):
    return {group.part.key: group.part.title for group in groups_of(scan(folder), folder)}


def test_titles_of_series_and_label_objects(tmp_path):
    series(tmp_path, SeriesDescription=None)
    labels = {"PixelData": None, "SeriesInstanceUID": "2.1", "SeriesDescription": "organs"}
    save(tmp_path / "s", image(
        phantom()[0], SOPClassUID=SEGMENTATIONS[0], SOPInstanceUID="9.1", SegmentSequence=[Dataset()] * 3, **labels,
    ))  # fmt: skip
    save(tmp_path / "t", image(
        phantom()[0], SOPClassUID=STRUCTURES, SOPInstanceUID="9.2", StructureSetROISequence=[Dataset()], **labels,
    ))  # fmt: skip
    assert titles(tmp_path) == {
        "1.2.3.4": f"{tmp_path.name}, CT, 6 slices of 7 x 9, 2.5 mm",
        "9.1": "Segmentation organs, 3 segments",
        "9.2": "Structures organs, 1 region",
    }
    assert name_of(read_header(tmp_path / "0.dcm"), tmp_path) == tmp_path.name


def test_rounded_spacings_and_directions_are_one_volume(tmp_path):
    directions = [(1, 1e-5 * k, 0, -1e-5 * k, 1, 0) for k in range(6)]
    spacings = [(0.8 + 1e-8 * k, 0.6) for k in range(6)]
    series(tmp_path, ImageOrientationPatient=directions, PixelSpacing=spacings)
    assert list(titles(tmp_path)) == ["1.2.3.4"]


def test_time_series_stay_one_part(tmp_path):
    for time in range(3):
        series(tmp_path, phantom() + time, name=f"{time}_{{}}", TemporalPositionIdentifier=time, ImageType=("A", "M"))
    assert titles(tmp_path) == {"1.2.3.4": "Thorax, CT, 6 slices of 7 x 9, 2.5 mm, 18 images"}
