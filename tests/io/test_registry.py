"""Names to formats."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import registry
from napari_vol3d.io.parts import SeveralParts
from tests.io.nifti_phantom import affine_for, held_index_at, phantom, save
from tests.io.zarr_phantom import DATA, write_image


@pytest.mark.parametrize(
    ("name", "known", "stem"),
    [
        ("scan.nii.gz", True, "scan"), ("Scan.NII.GZ", True, "Scan"), ("a.b.nii", True, "a.b"), ("x", False, "x"),
        ("x.ome.tif", True, "x"), ("x.tiff", True, "x"), ("x.npy", True, "x"), ("x.gz", False, "x"),
        ("x.png", False, "x"), ("nii.gz", False, "nii"), (".nii.gz", False, ".nii"), ("x.zarr", True, "x"),
        ("x.ome.zarr", True, "x"), ("x.zarr.partial", False, "x.zarr"), (".zarr", False, ".zarr"),
        ("Schädel 头 1.2.nii.gz", True, "Schädel 头 1.2"),
    ],
)  # fmt: skip
def test_names(name, known, stem):
    path = Path("folder.nii.gz") / name
    assert registry.is_volume_file(path) is known
    assert registry.stem(path) == stem
    if known:
        assert any(fnmatch.fnmatch(name.lower(), pattern) for pattern in registry.READ_PATTERNS)


def test_folders_inside_a_zarr_folder_are_volumes_too():
    for name, known in (("a.ome.zarr/labels/cells", True), ("a.zarr/0", True), ("a.zarr/note.png", False)):
        assert registry.is_volume_file(Path(name)) is known
    assert registry.label_name("a.ome.zarr") == "a_labels.ome.zarr"
    assert registry.label_name("a.dcm", ".nii.gz") == "a_labels.nii.gz"


def test_compound_extensions_come_first():
    for extensions in (registry.READ_EXTENSIONS, registry.LABEL_EXTENSIONS):
        for index, extension in enumerate(extensions):
            assert not any(extension.endswith(earlier) for earlier in extensions[:index])
    assert set(registry.LABEL_EXTENSIONS) < set(registry.READ_EXTENSIONS)


def test_every_format_names_functions_that_exist():
    for each in registry.FORMATS:
        for entry in filter(None, (each.read, each.write)):
            module, function = entry.split(":")
            assert callable(getattr(import_module(module), function))


def test_format_libraries_load_on_first_use():
    code = (
        "import sys, napari_vol3d.io.registry as r; r.is_volume_file(r.Path('a.nii'));"
        "sys.exit(any(m in sys.modules for m in ('nibabel', 'tifffile', 'zarr')))"
    )
    root = Path(registry.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_each_format_is_read_by_its_name(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (5, 6, 7), dtype=np.uint8)
    nib.save(nib.Nifti1Image(data.T, np.diag((-1, -1, 1, 1))), tmp_path / "a.nii.gz")
    tifffile.imwrite(tmp_path / "b.TIF", data, photometric="minisblack")
    np.save(tmp_path / "c.npy", data)
    for name in ("a.nii.gz", "b.TIF", "c.npy"):
        volume = registry.read_volume(str(tmp_path / name))
        np.testing.assert_array_equal(volume.data, data)
        assert volume.name == name[0]
        assert volume.source == tmp_path / name


def test_unknown_extensions_say_what_it_is_and_what_can_be_read(tmp_path):
    path = tmp_path / "picture.jpeg"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(FileProblem, match=r"Unknown extension: picture.jpeg is a PNG picture.*\.nii\.gz.*\.tif"):
        registry.read_volume(path)
    with pytest.raises(FileProblem, match="folder"):
        registry.read_volume(tmp_path)
    with pytest.raises(FileProblem, match="No such file"):
        registry.read_volume(tmp_path / "none.xyz")


@pytest.mark.parametrize("name", ["labels", "labels.npy", "labels.gz", "labels.png", "labels.nhdr", ".nii.gz"])
def test_labels_without_a_format_are_not_saved(tmp_path, name):
    volume = Volume(data=np.zeros((2, 3, 4), np.uint8), geometry=Geometry.from_spacing((1, 1, 1)))
    with pytest.raises(FileProblem, match=r"\.nii\.gz or \.tif"):
        registry.write_labels(tmp_path / name, volume)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["labels.nii.gz", "labels.nii", "labels.tif", "labels.ome.tiff", "Läppchen ~.NII.GZ"])
def test_labels_are_read_back_as_labels(tmp_path, name):
    data = np.arange(24).reshape(2, 3, 4) * 100
    volume = Volume(data=data, geometry=Geometry.from_spacing((3, 2, 1)), is_labels=None)
    path = registry.write_labels(tmp_path / name, volume)
    found = registry.read_volume(path)
    assert found.is_labels is True
    assert found.data.dtype == np.uint16
    assert sorted(np.ravel(found.data)) == sorted(np.ravel(data))
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_missing_folder_is_said(tmp_path):
    volume = Volume(data=np.zeros((2, 3, 4), np.uint8), geometry=Geometry.from_spacing((1, 1, 1)))
    with pytest.raises(SaveProblem, match="folder that exists"):
        registry.write_labels(tmp_path / "none" / "labels.nii.gz", volume)


ANYWHERE = [e for e in registry.LABEL_EXTENSIONS if e != ".dcm"]  # DICOM needs the series that the labels are of
HARD_NAMES = (
    "two  words", "Läppchen 脾 🧠", "it's \"quoted\" & <more>", "-n %d {x} $HOME `a` #1;", "a.nii.b", "[1] *?",
)  # fmt: skip
HARD_CLASSES = (
    LabelClass(id=1, name="left <kidney> & \"cyst\" 'b'", color="#e69f00"),
    LabelClass(id=2**31 - 1, name="Ödem, λ, 脾 🧠", color="#0080ff"),
)


@pytest.mark.parametrize("extension", ANYWHERE)
@pytest.mark.parametrize("name", HARD_NAMES)
def test_file_names_of_every_kind(tmp_path, name, extension):
    folder = tmp_path / name
    folder.mkdir()
    data = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = registry.write_labels(
        folder / f"{name}{extension}", Volume(data=data, geometry=Geometry.from_spacing((3, 2, 1)))
    )
    assert [p.name for p in folder.iterdir()] == [f"{name}{extension}"]
    found = registry.read_volume(path)
    assert (found.name, found.source) == (name, path)
    assert sorted(np.ravel(found.data)) == list(range(24))
    assert registry.write_labels(path, found) == path  # over itself
    np.testing.assert_array_equal(registry.read_volume(path).data, found.data)


@pytest.mark.parametrize("extension", ANYWHERE)
def test_labels_of_a_cropped_scan_keep_place_ids_and_names(tmp_path, extension):
    geometry = Geometry.from_spacing((2.5, 0.5, 0.25), unit="um", origin=(7.0, -8.0, 9.5))
    ids = np.zeros((6, 7, 8), np.int64)
    ids[2:5, 3, 4], ids[5, 6, 7] = 1, 2**31 - 1
    part = Volume(data=ids, geometry=geometry, classes=HARD_CLASSES).cropped(Box(start=(2, 1, 3), stop=(6, 7, 8)))
    found = registry.read_volume(registry.write_labels(tmp_path / f"a{extension}", part))
    assert found.is_labels is True
    assert found.classes == HARD_CLASSES
    assert (found.data.dtype, found.geometry.unit) == (np.uint32, "um")
    assert sorted(np.unique(found.data)) == [0, 1, 2**31 - 1]
    for index in np.argwhere(part.data):
        world = part.geometry.affine @ [*index, 1]
        at = np.rint(np.linalg.solve(found.geometry.affine, world)).astype(int)[:3]
        np.testing.assert_allclose(found.geometry.affine @ [*at, 1], world, rtol=1e-6)
        assert found.data[tuple(at)] == part.data[tuple(index)]


@pytest.mark.parametrize("code", ["RAS", "PIR", "LSA"])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_a_cropped_patient_scan_keeps_its_place(tmp_path, code, extension):
    scan = registry.read_volume(save(tmp_path / "scan.nii.gz", phantom(), affine_for(code, 17)))
    part = scan.cropped(Box(start=(0, 1, 1), stop=scan.shape)).with_data(scan.data[:, 1:, 1:], classes=HARD_CLASSES)
    path = registry.write_labels(tmp_path / f"part{extension}", part)
    found = registry.read_volume(path)
    assert found.geometry.anatomical
    assert found.classes == HARD_CLASSES
    itk = sitk.ReadImage(str(path))
    assert len(np.argwhere(part.data)) == np.count_nonzero(found.data) > 0
    for index in np.argwhere(part.data):
        world = part.geometry.affine @ [*index, 1]
        assert found.data[held_index_at(found, world)] == part.data[tuple(index)]
        assert itk[itk.TransformPhysicalPointToIndex((world * (-1, -1, 1, 1))[:3].tolist())] == part.data[tuple(index)]


def test_the_smaller_copies_of_a_zarr_image_are_found_while_it_is_as_it_was_read(tmp_path):
    volume = registry.read_volume(write_image(tmp_path / "a.ome.zarr"))
    (half,) = registry.coarser_levels(volume)
    np.testing.assert_array_equal(half.data, DATA[::2, ::2, ::2])
    assert registry.coarser_levels(volume.cropped(Box(start=(1, 0, 0), stop=volume.shape))) == ()
    assert registry.coarser_levels(replace(volume, source=None)) == ()
    np.save(tmp_path / "b.npy", DATA)
    assert registry.coarser_levels(registry.read_volume(tmp_path / "b.npy")) == ()


def test_a_part_is_named_or_asked_about(tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["raw"], file["mask"] = DATA, (DATA > 2000).astype(np.uint8)
    with pytest.raises(SeveralParts) as raised:
        registry.read_volume(tmp_path / "two.h5")
    assert {part.key.strip("/") for part in raised.value.parts} == {"raw", "mask"}
    for part in raised.value.parts:
        found = registry.read_volume(tmp_path / "two.h5", part.key)
        np.testing.assert_array_equal(found.data, DATA if "raw" in part.key else DATA > 2000)
    np.save(tmp_path / "b.npy", DATA)
    with pytest.raises(FileProblem, match="no parts"):
        registry.read_volume(tmp_path / "b.npy", "raw")
