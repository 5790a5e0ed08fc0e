"""Names to formats."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import registry


@pytest.mark.parametrize(
    ("name", "known", "stem"),
    [
        ("scan.nii.gz", True, "scan"), ("Scan.NII.GZ", True, "Scan"), ("a.b.nii", True, "a.b"), ("x", False, "x"),
        ("x.ome.tif", True, "x"), ("x.tiff", True, "x"), ("x.npy", True, "x"), ("x.gz", False, "x"),
        ("x.png", False, "x"), ("nii.gz", False, "nii"), (".nii.gz", False, ".nii"),
        ("Schädel 头 1.2.nii.gz", True, "Schädel 头 1.2"),
    ],
)  # fmt: skip
def test_names(name, known, stem):
    path = Path("folder.nii.gz") / name
    assert registry.is_volume_file(path) is known
    assert registry.stem(path) == stem
    if known:
        assert any(fnmatch.fnmatch(name.lower(), pattern) for pattern in registry.READ_PATTERNS)


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
        "sys.exit(any(m in sys.modules for m in ('nibabel', 'tifffile')))"
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


@pytest.mark.parametrize("name", ["labels", "labels.npy", "labels.gz", "labels.png", ".nii.gz"])
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
