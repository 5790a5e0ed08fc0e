"""A series is shown as its files say, or refused with the true reason."""

from __future__ import annotations

import logging
import os
import shutil

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import ImplicitVRLittleEndian

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import npy
from napari_vol3d.io.dicom.door import dicom_parts, read_dicom
from napari_vol3d.io.dicom.images import REPAIR
from napari_vol3d.io.npy import LazyArray
from napari_vol3d.io.parts import Irregular, SeveralParts
from tests.io.dicom_phantom import AXIAL, ORIGIN, PATIENT, SPACING, image, normal, phantom, save, series

BIG = 512_000_000
ORIENTATIONS = {
    "axial": AXIAL, "feet up": (1, 0, 0, 0, -1, 0), "prone": (-1, 0, 0, 0, -1, 0), "mirrored": (-1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1), "coronal": (1, 0, 0, 0, 0, -1), "swapped": (0, 1, 0, 1, 0, 0),
    "oblique": (0.999679, 0.02533, 0, -0.0244148, 0.963561, -0.26637),
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_memory(monkeypatch, small_files_are_mapped_too):
    """As series of this size are, but for the tests that say otherwise."""
    monkeypatch.setattr(npy, "MAPPED_FROM", BIG)


def stored(volume):
    """The voxels as (slices, rows, columns)."""
    return np.asarray(volume.geometry.stored.to_stored(np.asarray(volume.data))).transpose(2, 1, 0)


def by_itk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def same_places(volume, itk):
    """Whether some hundred voxels have the value that SimpleITK finds at their place in the world."""
    rng = np.random.default_rng(0)
    for index in rng.integers(0, volume.shape, (100, 3)):
        right, anterior, superior, _ = volume.geometry.affine @ [*index, 1]
        at = itk.TransformPhysicalPointToIndex((-right, -anterior, superior))
        assert np.allclose(itk.TransformIndexToPhysicalPoint(at), (-right, -anterior, superior), atol=0.01)
        assert volume.data[tuple(index)] == itk[at]
    return True


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_each_orientation_lies_where_simpleitk_puts_it(tmp_path, monkeypatch, name, lazy):
    monkeypatch.setattr(npy, "MAPPED_FROM", 0 if lazy else BIG)
    folder = series(tmp_path, orientation=ORIENTATIONS[name])
    volume = read_dicom(folder)
    assert isinstance(volume.data, LazyArray if lazy else np.ndarray)
    assert same_places(volume, by_itk(folder))
    assert sorted(volume.geometry.spacing) == pytest.approx(sorted(SPACING), abs=1e-5)
    direction = volume.geometry.direction
    assert (direction[2, 0], -direction[1, 1], -direction[0, 2]) > (0.9, 0.9, 0.9) or name == "oblique"
    np.testing.assert_array_equal(stored(volume), phantom())
    files = volume.geometry.stored.header["files"]
    assert [pydicom.dcmread(file).InstanceNumber for file in files] == list(range(1, 7))


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_parts_of_lazy_voxels_are_those_of_the_whole(tmp_path, monkeypatch, name):
    monkeypatch.setattr(npy, "MAPPED_FROM", BIG)
    folder = series(tmp_path, orientation=ORIENTATIONS[name], RescaleSlope=2, RescaleIntercept=-1000)
    whole = read_dicom(folder).data
    monkeypatch.setattr(npy, "MAPPED_FROM", 0)
    lazy = read_dicom(folder).data
    for index in (np.s_[2], np.s_[1:5:2, ::-1, -3:], np.s_[..., 3], np.s_[0, 1, 2], np.s_[:, 2:2], np.s_[::-2, 1]):
        np.testing.assert_array_equal(lazy[index], whole[index])


def test_the_order_comes_from_positions_not_from_names_or_numbers(tmp_path):
    order = np.random.default_rng(1).permutation(6)
    folder = series(tmp_path, phantom()[order], steps=order * 2.5, name="IM{}")  # and without extension
    np.testing.assert_array_equal(stored(read_dicom(folder)), phantom())
    assert read_dicom(folder).geometry.spacing[0] == pytest.approx(2.5)  # SliceThickness says 99


def test_junk_is_ignored_and_counted_and_nobody_is_named(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    folder = series(tmp_path / "deep" / "deeper").parents[1]
    for name in (".DS_Store", "notes.txt", "empty", "._0.dcm", "picture.jpg"):
        (folder / name).write_bytes(b"" if name == "empty" else b"x" * 5)
    os.mkfifo(folder / "pipe")  # would block whoever opens it
    (folder / "broken").symlink_to(folder / "nowhere")
    save(folder / "DICOMDIR", image(phantom()[0], SOPClassUID="1.2.840.10008.1.3.10", PixelData=None))
    report = image(phantom()[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR", PixelData=None)
    save(folder / "report", report)
    volume = read_dicom(folder)
    np.testing.assert_array_equal(stored(volume), phantom())
    assert volume.name == "Thorax"
    assert "7 files that are no images (1 DICOM directory, 1 SR, 5 not DICOM)" in caplog.text
    assert PATIENT not in caplog.text
    assert "Doe" not in f"{volume}{dicom_parts(folder)}"


def test_one_file_brings_its_series_from_its_folder(tmp_path):
    series(tmp_path, SeriesInstanceUID="1.2")
    series(tmp_path, phantom() + 5, name="other{}.dcm", SeriesInstanceUID="1.3", SeriesDescription="Abdomen")
    series(tmp_path / "inner", name="{}.dcm", SeriesInstanceUID="1.2")
    volume = read_dicom(tmp_path / "other3.dcm")
    np.testing.assert_array_equal(stored(volume), phantom() + 5)
    assert volume.name == "Abdomen"
    assert volume.source == tmp_path / "other3.dcm"


def test_several_series_are_listed_and_never_the_first_is_taken(tmp_path):
    series(tmp_path, SeriesInstanceUID="1.2")
    mr = {"SeriesInstanceUID": "1.3", "SeriesDescription": "T1 post", "Modality": "MR"}
    series(tmp_path, phantom((3, 5, 4)), name="b{}", **mr)
    with pytest.raises(SeveralParts) as caught:
        read_dicom(tmp_path)
    assert [part.key for part in caught.value.parts] == ["1.2", "1.3"]
    assert caught.value.parts[1].title == "T1 post, MR, 3 slices of 4 x 5, 2.5 mm"
    np.testing.assert_array_equal(stored(read_dicom(tmp_path, "1.3")), phantom((3, 5, 4)))
    with pytest.raises(FileProblem, match="No part"):
        read_dicom(tmp_path, "1.4")


def test_what_can_not_be_one_volume_is_split_by_size_direction_and_kind(tmp_path):
    series(tmp_path)
    series(tmp_path, phantom((1, 20, 30)), name="scout{}")
    series(tmp_path, phantom((3, 9, 7)), name="sag{}", orientation=ORIENTATIONS["sagittal"])
    parts = dicom_parts(tmp_path)
    assert [part.key for part in parts] == ["1.2.3.4#1", "1.2.3.4#2", "1.2.3.4#3"]
    assert "6 slices of 7 x 9, 2.5 mm, axial" in parts[0].title
    assert "3 slices of 7 x 9, 2.5 mm, sagittal" in parts[1].title
    assert "1 slice of 30 x 20, axial" in parts[2].title
    np.testing.assert_array_equal(stored(read_dicom(tmp_path, parts[1].key)), phantom((3, 9, 7)))
    series(tmp_path / "dixon", name="w{}", ImageType=("DERIVED", "WATER"))
    series(tmp_path / "dixon", phantom() + 1, name="f{}", ImageType=("DERIVED", "FAT"))
    assert [part.title.split()[-1] for part in dicom_parts(tmp_path / "dixon")] == ["FAT", "WATER"]


def test_a_missing_slice_is_refused_and_filled_in_on_request(tmp_path):
    data = np.round(np.linspace(0, 300, 6))[:, None, None].astype(np.int16) + phantom((1, 9, 7))
    folder = series(tmp_path, data)
    (folder / "2.dcm").unlink()
    with pytest.raises(Irregular, match=r"gap of 5 mm instead of 2.5 mm between 1.dcm and 3.dcm") as caught:
        read_dicom(folder)
    assert caught.value.parts[0].key == f"1.2.3.4{REPAIR}"
    for volume in (read_dicom(folder, caught.value.parts[0].key), read_dicom(folder, repair=True)):
        np.testing.assert_array_equal(stored(volume), data)
        assert volume.data.dtype == np.int16
        assert volume.geometry.spacing == pytest.approx(SPACING)
        assert volume.geometry.stored.header["files"] == ()


@pytest.mark.parametrize("name", ["axial", "prone", "sagittal", "coronal"])
def test_uneven_slices_are_resampled_in_every_direction(tmp_path, name):
    steps = np.array([0, 2.5, 5, 8, 10])
    data = (np.float32(10) * steps[:, None, None] + phantom((1, 9, 7))).astype(np.int16)
    folder = series(tmp_path, data, steps=steps, orientation=ORIENTATIONS[name])
    with pytest.raises(Irregular, match=r"Uneven slices: gap of 3 mm instead of 2.5 mm between 2.dcm and 3.dcm"):
        read_dicom(folder)
    volume = read_dicom(folder, repair=True)
    expected = 10 * np.arange(5)[:, None, None] * 2.5 + phantom((1, 9, 7))
    np.testing.assert_allclose(stored(volume), expected, atol=0.5)


def test_a_tilted_gantry_is_refused_and_kept_as_shear_on_request(tmp_path):
    shear = np.array([0, np.tan(np.radians(12)), 0])
    folder = series(tmp_path, shear=shear)
    with pytest.raises(Irregular, match=r"Tilted gantry: 12.0 degrees") as caught:
        read_dicom(folder)
    volume = read_dicom(folder, caught.value.parts[0].key)
    np.testing.assert_array_equal(stored(volume), phantom())
    last = stored_world(volume, (0, 0, 5))
    np.testing.assert_allclose(last, np.array(ORIGIN) + 12.5 * (normal(AXIAL) + shear), atol=1e-4)
    assert len(volume.geometry.stored.header["files"]) == 6
    small = series(tmp_path / "small", shear=np.array([0, np.tan(np.radians(0.05)), 0]))
    assert not read_dicom(small).geometry.oblique


def stored_world(volume, index):
    """Where the file's (column, row, slice) lies, LPS."""
    grid, shape = volume.geometry.stored, volume.shape
    held = [
        shape[k] - 1 - index[axis] if flip else index[axis]
        for k, (axis, flip) in enumerate(zip(grid.axes, grid.flips, strict=True))
    ]
    return (np.diag([-1, -1, 1, 1]) @ volume.geometry.affine @ [*held, 1])[:3]


def test_copies_are_dropped_and_two_contents_at_one_position_refused(tmp_path, caplog):
    folder = series(tmp_path)
    shutil.copy(folder / "3.dcm", folder / "copy.dcm")  # the same object
    again = image(phantom()[2], ImagePositionPatient=[ORIGIN[0], ORIGIN[1], ORIGIN[2] + 5.0])  # another, same pixels
    save(folder / "again.dcm", again)
    np.testing.assert_array_equal(stored(read_dicom(folder)), phantom())
    assert "Left out 1 copies" in caplog.text
    assert "Left out again.dcm" in caplog.text
    again.PixelData = (phantom()[2] + 1).tobytes()
    save(folder / "again.dcm", again)
    for repair in (False, True):
        with pytest.raises(FileProblem, match=r"Two slices at one position: 2.dcm and again.dcm differ"):
            read_dicom(folder, repair=repair)
    (folder / "again.dcm").unlink()
    ds = pydicom.dcmread(folder / "copy.dcm")
    ds.PixelData = bytes(len(ds.PixelData))
    save(folder / "copy.dcm", ds)
    with pytest.raises(FileProblem, match="One object, two contents"):
        read_dicom(folder)


def test_slices_off_the_line_are_refused(tmp_path):
    positions = [[*ORIGIN[:2], ORIGIN[2] + 2.5 * k] for k in range(6)]
    positions[3][0] += 0.5
    folder = series(tmp_path, ImagePositionPatient=positions)
    with pytest.raises(FileProblem, match=r"Shifted slices: 3.dcm lies 0.5 mm beside"):
        read_dicom(folder, repair=True)


@pytest.mark.parametrize("field", ["TemporalPositionIdentifier", "AcquisitionTime", "TriggerTime", "AcquisitionNumber"])
def test_volumes_at_the_same_positions_are_a_time_series(tmp_path, field):
    numbers = np.random.default_rng(2).permutation(3)
    for name, time in enumerate(numbers):
        # Times differ from slice to slice as well; identifiers do not.
        own = [f"1200{time:02d}.{k:02d}" for k in range(6)] if field == "AcquisitionTime" else int(time) + 1
        own = [100 * int(time) + k for k in range(6)] if field == "TriggerTime" else own
        series(tmp_path, phantom() + 1000 * int(time), name=f"{name}_{{}}", **{field: own})
    volume = read_dicom(tmp_path)
    assert volume.timed
    assert volume.data.shape == (6, 9, 7, 3)
    for time in range(3):
        np.testing.assert_array_equal(stored(volume.frame(time)), phantom() + 1000 * time)
    assert len(volume.geometry.stored.header["files"]) == 18
    (tmp_path / "1_2").unlink()
    with pytest.raises(FileProblem, match="Two slices at one position"):
        read_dicom(tmp_path)


def test_a_time_series_is_lazy_too(tmp_path, monkeypatch):
    for time in range(2):
        series(tmp_path, phantom() + time, name=f"{time}_{{}}", TemporalPositionIdentifier=time)
    monkeypatch.setattr(npy, "MAPPED_FROM", 0)
    lazy = read_dicom(tmp_path)
    assert isinstance(lazy.data, LazyArray)
    np.testing.assert_array_equal(stored(lazy.frame(1)), phantom() + 1)
    monkeypatch.setattr(npy, "MAPPED_FROM", BIG)
    np.testing.assert_array_equal(lazy.data[...], read_dicom(tmp_path).data)


def test_volumes_that_nothing_tells_apart_are_refused(tmp_path):
    for time in range(2):
        series(tmp_path, phantom() + time, name=f"{time}_{{}}")
    with pytest.raises(FileProblem, match="Mixed volumes: 2 images at each position"):
        read_dicom(tmp_path)


def test_pictures_without_a_place_are_refused(tmp_path):
    for number, missing in enumerate(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")):
        with pytest.raises(FileProblem, match=r"Not a volume: 0.dcm has no (position|orientation|pixel spacing)\."):
            read_dicom(series(tmp_path / str(number), **{missing: None}))
    with pytest.raises(FileProblem, match="for its 6 frames"):
        read_dicom(save(tmp_path / "us.dcm", image(phantom(), NumberOfFrames=6)))
    with pytest.raises(FileProblem, match="No slice thickness"):
        read_dicom(save(tmp_path / "alone" / "a.dcm", image(phantom()[0], SliceThickness=None)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileProblem, match="No DICOM images"):
        read_dicom(tmp_path / "empty")
    with pytest.raises(FileProblem, match="No such file"):
        read_dicom(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ImageOrientationPatient": (1, 0, 0, 1, 0, 0)}, "right angles"), ({"PixelSpacing": (0, 1)}, "pixel spacing"),
        ({"ImageOrientationPatient": (0, 0, 0, 0, 0, 0)}, "right angles"), ({"RescaleSlope": 0}, "slope of 0"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "Colours, not intensities"), ({"Rows": 0}, "shape"),
        ({"Rows": 65535, "Columns": 65535}, "Truncated file"), ({"BitsAllocated": 12}, "12 bits"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "Colours"), ({"NumberOfFrames": 9}, "Truncated"),
        ({"BitsStored": 12, "HighBit": 13}, "unusual place"), ({"Rows": 10}, "Truncated file"),
    ],
)  # fmt: skip
def test_hostile_and_damaged_headers_are_refused_at_once(tmp_path, fields, reason):
    with pytest.raises(FileProblem, match=reason):
        read_dicom(series(tmp_path, **fields))


def test_a_damaged_file_is_named_and_blocks_its_own_series_only(tmp_path):
    folder = series(tmp_path)
    series(tmp_path, name="other{}", SeriesInstanceUID="1.9")
    content = (folder / "4.dcm").read_bytes()
    (folder / "4.dcm").write_bytes(content[:-20])
    np.testing.assert_array_equal(stored(read_dicom(folder, "1.9")), phantom())
    with pytest.raises(FileProblem, match=r"Truncated file: 4.dcm"):
        read_dicom(folder, "1.2.3.4")
    assert "damaged" in dicom_parts(folder)[0].title
    for length in (len(content) - 9 * 7 * 2 - 12, 500, 200):  # without pixels, and within the header
        (folder / "4.dcm").write_bytes(content[:length])
        with pytest.raises(FileProblem, match=r"4.dcm"):
            read_dicom(folder, "1.2.3.4")


def test_mutated_files_are_refused_or_read_but_never_raise(tmp_path, caplog):
    folder = series(tmp_path, phantom((3, 4, 5)))
    whole = (folder / "1.dcm").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in rng.integers(128, len(content), 3):
            content[at] = rng.integers(256)
        (folder / "1.dcm").write_bytes(content)
        try:
            volume = read_dicom(folder)
        except FileProblem:
            refused += 1
        else:
            assert np.isfinite(volume.geometry.affine).all()
            assert np.asarray(volume.data).shape == volume.data.shape
    assert refused > 100
    assert PATIENT not in caplog.text


def test_old_files_without_a_preamble_are_read(tmp_path):
    for index, pixels in enumerate(phantom()):
        ds = image(pixels, ImplicitVRLittleEndian, ImagePositionPatient=[0, 0, index])
        content = save(tmp_path / f"{index}", ds).read_bytes()
        start = 128 + 4 + 12 + pydicom.dcmread(tmp_path / f"{index}").file_meta.FileMetaInformationGroupLength
        (tmp_path / f"{index}").write_bytes(content[start:])
    np.testing.assert_array_equal(stored(read_dicom(tmp_path)), phantom())


# ---- real folders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hippocrop", "t1post_oblique", "ct_head"])
def test_real_series_are_those_of_simpleitk(shared_data, name):
    folder = shared_data / "dicom" / name
    volume = read_dicom(folder)
    assert same_places(volume, by_itk(folder))
    np.testing.assert_array_equal(stored(volume), sitk.GetArrayFromImage(by_itk(folder)))
    if name == "ct_head":
        assert (volume.data.dtype, volume.data.min(), volume.shape) == (np.int16, -1024, (28, 512, 512))
    if name == "t1post_oblique":
        assert volume.geometry.spacing[0] == pytest.approx(6.5, abs=1e-4)


def test_one_image_in_nine_encodings(shared_data, tmp_path):
    files = sorted((shared_data / "dicom" / "transfer_syntaxes").glob("*.dcm"))
    assert len(files) == 9
    volumes = [read_dicom(shutil.copytree(file.parent, tmp_path / file.stem, ignore=_all_but(file))) for file in files]
    for volume in [*volumes, read_dicom(files[0].parent), read_dicom(files[4])]:
        assert (volume.data.min(), volume.data.max()) == (0, 2362)
        assert volume.data.mean() == pytest.approx(257.95, abs=0.01)
        np.testing.assert_array_equal(volume.data, volumes[0].data)


def _all_but(file):
    return lambda folder, names: [name for name in names if name != file.name]


@pytest.mark.parametrize("name", ["compressed", "compressed_rle", "compressed_jpegls"])
def test_compressed_series_are_what_another_converter_made_of_them(shared_data, name):
    folder = shared_data / "dicom" / "compressed"
    volume, truth = read_dicom(folder / name), nib.load(folder / f"{name}_truth.nii.gz")
    values = np.asanyarray(truth.dataobj)
    assert values.size == volume.data.size
    for index in np.random.default_rng(0).integers(0, volume.shape, (200, 3)):
        at = np.linalg.solve(truth.affine, volume.geometry.affine @ [*index, 1])[:3]
        assert np.allclose(at, np.rint(at), atol=1e-3)
        assert volume.data[tuple(index)] == values[tuple(np.rint(at).astype(int))]


def test_bad_folders_are_refused_for_the_true_reason(shared_data):
    folder = shared_data / "dicom" / "bad"
    with pytest.raises(Irregular, match="gap of 10 mm instead of 5 mm between IM-0001-0009") as uneven:
        read_dicom(folder / "slice_increment")
    volume = read_dicom(folder / "slice_increment", uneven.value.parts[0].key)
    assert (volume.shape[0], round(volume.geometry.spacing[0], 4)) == (5, 5.0)
    with pytest.raises(Irregular, match=r"Tilted gantry: 14.0 degrees") as tilted:
        read_dicom(folder / "gantry_tilt")
    volume = read_dicom(folder / "gantry_tilt", tilted.value.parts[0].key)
    last = pydicom.dcmread(folder / "gantry_tilt" / "IM-0001-0004.dcm", stop_before_pixels=True)
    np.testing.assert_allclose(stored_world(volume, (0, 0, 3)), last.ImagePositionPatient, atol=1e-6)
    with pytest.raises(FileProblem, match="Not a volume: 4 different images lie at one position"):
        read_dicom(folder / "not_a_volume")
