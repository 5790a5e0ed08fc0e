"""MetaImage as ITK reads it, voxel for voxel and point for point; what ITK is silent about is said."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.metaimage import read_metaimage
from napari_vol3d.io.nrrd import write_nrrd
from tests.io.itk_phantom import MET_TYPES, NOISE, assert_as_itk_reads_it, itk_image, mha_bytes, save, stored
from tests.io.nifti_phantom import CODES, affine_for, held_index_at, phantom

SMALL = np.arange(24, dtype="<u2").reshape((2, 3, 4), order="F")
RAW = SMALL.tobytes(order="F")


def read(tmp_path, data=SMALL, **changes):
    return read_metaimage(save(tmp_path / "a.mha", mha_bytes(data, **changes)))


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("code", CODES)
def test_every_orientation_is_where_itk_wrote_it(tmp_path, code, degrees):
    affine = affine_for(code, degrees)
    path = tmp_path / "a.mha"
    sitk.WriteImage(itk_image(phantom(), affine), str(path), useCompression=degrees > 0)
    volume = read_metaimage(path)
    np.testing.assert_array_equal(stored(volume), phantom())
    for index in np.argwhere(phantom()):
        assert volume.data[held_index_at(volume, affine @ [*index, 1])] == phantom()[tuple(index)]
    assert (volume.geometry.direction[(2, 1, 0), (0, 1, 2)] * (1, -1, -1) > 0.5).all()
    assert (volume.geometry.anatomical, volume.geometry.unit, volume.geometry.orientation) == (True, "mm", code)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", MET_TYPES)
def test_every_type_in_both_byte_orders(tmp_path, dtype, order):
    data = (np.arange(60).reshape(3, 4, 5) - (30 if dtype[0] != "u" else 0)).astype(f"{order}{dtype}")
    for packed in ("True", "False"):
        volume = read(tmp_path, data, CompressedData=packed)
        assert volume.data.dtype == np.dtype(dtype)
        assert volume.data.dtype.isnative
        np.testing.assert_array_equal(stored(volume), data)
        assert_as_itk_reads_it(volume, tmp_path / "a.mha")


def test_a_long_has_four_bytes(tmp_path):
    for name, dtype in (("MET_LONG", "<i4"), ("MET_ULONG", "<u4")):
        volume = read(tmp_path, SMALL.astype(dtype), ElementType=name)
        assert volume.data.dtype == np.dtype(dtype)
        assert_as_itk_reads_it(volume, tmp_path / "a.mha")


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_text_is_read(tmp_path, dtype):
    data = SMALL.astype(dtype)
    body = " ".join(repr(value.item()) for value in data.ravel(order="F")).encode() + b"\n"
    volume = read(tmp_path, data, BinaryData="False", body=body)
    np.testing.assert_array_equal(stored(volume), data)
    assert_as_itk_reads_it(volume, tmp_path / "a.mha")
    for wrong in (body + b" 1", body.rsplit(b" ", 1)[0], body + b"x"):
        with pytest.raises(FileProblem):
            read(tmp_path, data, BinaryData="False", body=wrong)


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"Offset": "1.5 -2 3e1"}, {"Offset": None, "Position": "1 2 3"}, {"Offset": None, "Origin": "1 2 3"},
        {"ElementSpacing": "1 2 3"}, {"ElementSpacing": None, "ElementSize": "2 3 4"}, {"ElementSize": "2 3 4"},
        {"ElementSpacing": "-1 2 3"}, {"ElementSpacing": None}, {"TransformMatrix": None},
        {"TransformMatrix": None, "Rotation": "0 1 0 1 0 0 0 0 1"}, {"TransformMatrix": "0 1 0 0 0 1 1 0 0"},
        {"TransformMatrix": None, "Orientation": "0 1 0 0 0 1 1 0 0"}, {"TransformMatrix": "1 0.3 0 0 1 0 0 0 1"},
        {"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, {"AnatomicalOrientation": "LPI"}, {"Comment": "x = y: z"},
        {"ObjectType": None}, {"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "False"}, {"BinaryData": None},
        {"Modality": "MET_MOD_CT"}, {"CompressedData": None}, {"CenterOfRotation": "1 2 3"}, {"HeaderSize": "0"},
        {"ElementToIntensityFunctionSlope": "1"}, {"HeaderSize": "-1"}, {"ElementDataFile": "Local"},
    ],
)  # fmt: skip
def test_fields_and_their_other_names(tmp_path, changes):
    volume = read(tmp_path, **changes)
    np.testing.assert_array_equal(stored(volume), SMALL)
    assert_as_itk_reads_it(volume, tmp_path / "a.mha")


def test_spellings(tmp_path):
    whole = mha_bytes(SMALL, ElementSpacing="1 2 3")
    first = b"ObjectType"
    for before, after in ((b" = ", b"="), (b" = ", b" : "), (b"\n", b"\r\n"), (first, b"Comment = a\n" + first)):
        head, body = whole.split(b"LOCAL\n")
        path = save(tmp_path / "a.mha", (head + b"LOCAL\n").replace(before, after) + body)
        volume = read_metaimage(path)
        assert volume.geometry.spacing == (3, 2, 1)
        np.testing.assert_array_equal(stored(volume), SMALL)


def test_units(tmp_path):
    for unit, factor, meant in (("mm", 1, "mm"), ("um", 1, "um"), ("cm", 10, "mm"), ("?", 1, "mm")):
        geometry = read(tmp_path, DistanceUnits=unit, ElementSpacing="1 2 3").geometry
        assert (geometry.unit, geometry.spacing) == (meant, (3 * factor, 2 * factor, factor))


@pytest.mark.parametrize(
    "changes",
    [
        {"NDims": None}, {"NDims": "2"}, {"NDims": "0"}, {"NDims": "-3"}, {"NDims": "x"}, {"NDims": "9"},
        {"DimSize": None}, {"DimSize": "2 3"}, {"DimSize": "2 3 0"}, {"DimSize": "2 3 -4"}, {"DimSize": "-2 -3 4"},
        {"DimSize": "2 3 4.5"}, {"DimSize": "2 3 5"}, {"DimSize": "2 3 3"}, {"DimSize": f"2 3 {2**64 + 4}"},
        {"ElementType": None}, {"ElementType": "MET_OTHER"}, {"ElementType": "MET_FLOAT_ARRAY"}, {"ElementType": ""},
        {"ElementSpacing": "1 2"}, {"ElementSpacing": "1 2 0"}, {"ElementSpacing": "1 2 nan"}, {"Offset": "1 2 inf"},
        {"ElementSpacing": "1 2 x"}, {"TransformMatrix": "1 0 0 0 1 0 0 0 0"}, {"TransformMatrix": "1 0 0 1"},
        {"TransformMatrix": "1 0 0 0 1 0 1 1 0"}, {"ElementNumberOfChannels": "0"}, {"ElementNumberOfChannels": "2"},
        {"ElementNumberOfChannels": "x"}, {"CompressedData": "maybe"}, {"BinaryDataByteOrderMSB": "maybe"},
        {"CompressedData": "True", "body": RAW}, {"HeaderSize": "3"}, {"HeaderSize": "-2"}, {"HeaderSize": "x"},
        {"HeaderSize": "99999"}, {"ObjectType": "Scene"}, {"ElementDataFile": "../secret.raw"}, {"dimsize": "2 3 4"},
        {"ElementToIntensityFunctionSlope": "2"}, {"ElementToIntensityFunctionOffset": "-1024"}, {"Position": "1 2 3"},
        {"ElementToIntensityFunctionSlope": "x"}, {"Comment": "a\nno field"}, {"ElementDataFile": "LIST\na.raw"},
        {"ElementDataFile": "s%d.raw 1 999999999 1"}, {"ElementDataFile": "s%d.raw 1 4 0"}, {"NDims": "3 3"},
        {"Offset": "0 0 0\nOffset = 1 1 1"},
        {"HeaderSize": "-1", "DimSize": "2 3 6"}, {"CompressedData": "True", "HeaderSize": "-1"},
        {"CompressedData": "True", "BinaryData": "False"}, {"CompressedData": "True", "CompressedDataSize": "x"},
    ],
)  # fmt: skip
def test_damaged_headers_are_refused(tmp_path, changes):
    with pytest.raises(FileProblem) as caught:
        read(tmp_path, **changes)
    assert len(caught.value.message.split(":")[0]) <= 40


def test_what_is_no_header_is_refused(tmp_path):
    contents = (b"", b"ObjectType = Image\n", b"NDims", b"\x89PNG\r\n\x1a\n", b"NRRD0004\n\n", b"a, b\n", bytes(50))
    for content in contents:
        with pytest.raises(FileProblem):
            read_metaimage(save(tmp_path / "a.mha", content))


def test_mutated_headers_are_refused_or_give_a_finite_geometry(tmp_path):
    whole = mha_bytes(NOISE, ElementSpacing="0.8 0.8 2.5", Offset="1 2 3", Comment="nothing that counts here " * 12)
    rng = np.random.default_rng(0)
    path, read_so_far, end = tmp_path / "a.mha", 0, whole.index(b"LOCAL")
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(0, end, size=rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        try:
            with np.errstate(all="ignore"):
                volume = read_metaimage(save(path, damaged))
        except FileProblem:
            continue
        read_so_far += 1
        assert np.isfinite(volume.geometry.affine).all()
        assert min(volume.geometry.spacing) > 0
        assert volume.data.nbytes <= NOISE.nbytes
    assert read_so_far > 20


def test_channels(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (3, 2, 3, 4)).astype(np.float32)
    image = sitk.GetImageFromArray(data.transpose(), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    volume = read_metaimage(tmp_path / "a.mha")
    assert volume.channels == ("channel 1", "channel 2", "channel 3")
    np.testing.assert_array_equal(stored(volume), np.moveaxis(data, 0, -1))


def test_four_axes_are_time(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (2, 3, 4, 5)).astype(np.int16)
    image = sitk.GetImageFromArray(data.transpose(), isVector=False)
    image.SetSpacing((0.5, 0.6, 0.7, 2.0))
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    volume = read_metaimage(tmp_path / "a.mha")
    assert (volume.timed, volume.frames, volume.channels) == (True, 5, ())
    np.testing.assert_allclose(volume.geometry.spacing, (0.7, 0.6, 0.5))
    np.testing.assert_array_equal(stored(volume), data)
    both = np.random.default_rng(0).integers(0, 99, (2, 3, 4, 5, 6)).astype(np.int16)
    changes = {"NDims": "4", "DimSize": "3 4 5 6", "ElementNumberOfChannels": "2", "Offset": "0 0 0 0",
               "ElementSpacing": "1 1 1 1", "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"}  # fmt: skip
    volume = read(tmp_path, both, **changes)
    assert (volume.timed, volume.frames, len(volume.channels)) == (True, 6, 2)
    np.testing.assert_array_equal(stored(volume), np.moveaxis(both, 0, 3))
    with pytest.raises(FileProblem, match="through time"):
        read(tmp_path, both, **changes | {"TransformMatrix": "1 0 0 1 0 1 0 0 0 0 1 0 0 0 0 1"})
    still = read(tmp_path, SMALL[..., None])
    assert (still.timed, still.data.ndim) == (False, 3)


def test_single_slices_are_no_patients(tmp_path):
    volume = read(tmp_path, SMALL[:, :, 0], ElementSpacing="2 3", Offset="5 6")
    assert (volume.shape, volume.geometry.spacing, volume.geometry.origin) == ((1, 3, 2), (1, 3, 2), (5, 6, 0))
    assert not volume.geometry.anatomical
    np.testing.assert_array_equal(volume.data[0], SMALL[:, :, 0].T)


def test_a_header_beside_its_data_as_itk_writes_it(tmp_path):
    for packed in (False, True):
        path = tmp_path / f"a{packed}.mhd"
        sitk.WriteImage(sitk.GetImageFromArray(NOISE), str(path), useCompression=packed)
        assert_as_itk_reads_it(read_metaimage(path), path)
        path.with_suffix(".zraw" if packed else ".raw").unlink()
        with pytest.raises(FileProblem, match="No such file"):
            read_metaimage(path)


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("LIST\n{}\n", ["d.raw", "b.raw", "c.raw", "a.raw"]), ("LIST 2D\n{}", ["d.raw", "b.raw", "c.raw", "a.raw"]),
        ("LIST 3D\n{}", ["all.raw"]), ("s%02d.raw 7 10 1", ["s07.raw", "s08.raw", "s09.raw", "s10.raw"]),
        ("s%03d.raw 1 7 2", ["s001.raw", "s003.raw", "s005.raw", "s007.raw"]), ("one.raw", ["one.raw"]),
    ],
)  # fmt: skip
def test_voxels_in_several_files(tmp_path, entry, names):
    share = len(RAW) // len(names)
    for k, name in enumerate(names):
        save(tmp_path / name, RAW[k * share : (k + 1) * share])
    head = mha_bytes(SMALL, body=b"", ElementDataFile=entry.format("\n".join(names)))
    path = save(tmp_path / "a.mhd", head)
    np.testing.assert_array_equal(stored(read_metaimage(path)), SMALL)
    if "LIST 3D" not in entry:
        assert_as_itk_reads_it(read_metaimage(path), path)
    save(tmp_path / names[-1], RAW[: share - 1])
    with pytest.raises(FileProblem, match="Truncated"):
        read_metaimage(path)


def test_data_with_a_header_of_its_own(tmp_path):
    for size, before in (("5", b"hello"), ("-1", b"of any length")):
        save(tmp_path / "d.raw", before + RAW)
        path = save(tmp_path / "a.mhd", mha_bytes(SMALL, body=b"", HeaderSize=size, ElementDataFile="d.raw"))
        np.testing.assert_array_equal(stored(read_metaimage(path)), SMALL)
        assert_as_itk_reads_it(read_metaimage(path), path)


def test_a_size_of_the_packed_stream_that_is_wrong(tmp_path):
    packed = zlib.compress(RAW)
    for size in (len(packed), 0, -5):
        volume = read(tmp_path, CompressedData="True", CompressedDataSize=str(size), body=packed)
        np.testing.assert_array_equal(stored(volume), SMALL)
    with pytest.raises(FileProblem, match="Truncated"):
        read(tmp_path, CompressedData="True", CompressedDataSize=str(len(packed) + 1), body=packed)


def test_labels_are_saved_on_the_grid_of_the_scan(tmp_path):
    affine = affine_for("PIR", 17)
    sitk.WriteImage(itk_image(phantom(), affine), str(tmp_path / "scan.mha"))
    scan = read_metaimage(tmp_path / "scan.mha")
    image = sitk.ReadImage(str(write_nrrd(tmp_path / "a.seg.nrrd", scan.with_data(scan.data, is_labels=True))))
    original = sitk.ReadImage(str(tmp_path / "scan.mha"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(original))
    np.testing.assert_allclose(image.GetDirection(), original.GetDirection(), atol=1e-9)
    np.testing.assert_allclose(image.GetOrigin(), original.GetOrigin(), atol=1e-9)


def test_real_files_are_read_as_itk_reads_them(shared_data):
    paths = sorted((shared_data / "scans").glob("*.mha"))
    assert len(paths) >= 2
    for path in paths:
        volume = read_metaimage(path)
        assert_as_itk_reads_it(volume, path)
        assert volume.geometry.anatomical
        assert volume.is_labels is None


def test_what_itk_copies_from_other_headers_is_no_damage(tmp_path):
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    for key, value in (("dim[0]", "3"), ("aux file", "x y"), ("ITK_FileNotes", "a = b: c")):
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    np.testing.assert_array_equal(read_metaimage(tmp_path / "a.mha").data.ravel().sum(), 276)
