"""OME's description: spacing, places, names and classes; nothing that it names is opened."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import ome
from napari_vol3d.io.registry import write_labels
from napari_vol3d.io.tiff import read_tiff, write_tiff

DATA = np.random.default_rng(0).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
GRAY = {"photometric": "minisblack"}


@pytest.mark.parametrize(
    ("sizes", "expected", "unit"),
    [
        ({"X": (0.2, "µm"), "Y": (0.3, "µm"), "Z": (1.5, "µm")}, (1.5, 0.3, 0.2), "um"),
        ({"X": (0.2, None), "Y": (0.3, None), "Z": (1.5, None)}, (1.5, 0.3, 0.2), "um"),
        ({"X": (200, "nm"), "Y": (300, "nm"), "Z": (0.0015, "mm")}, (1.5, 0.3, 0.2), "um"),
        ({"X": (0.2, "mm"), "Y": (0.3, "mm")}, (0.2, 0.3, 0.2), "mm"),
        ({"X": (2, "pixel"), "Y": (2, "pixel"), "Z": (5, "pixel")}, (5, 2, 2), "pixel"),
        ({}, (1, 1, 1), "pixel"),
    ],
)
def test_ome_spacing(tmp_path, sizes, expected, unit):
    metadata = {f"PhysicalSize{axis}": size for axis, (size, _) in sizes.items()}
    metadata |= {f"PhysicalSize{axis}Unit": name for axis, (_, name) in sizes.items() if name}
    tifffile.imwrite(tmp_path / "a.tif", DATA, ome=True, **GRAY, metadata={"axes": "ZYX", **metadata})
    geometry = read_tiff(tmp_path / "a.tif").geometry
    assert geometry.unit == unit
    np.testing.assert_allclose(geometry.spacing, expected, rtol=1e-6)


def test_other_files_named_inside_are_not_opened(tmp_path):
    secret = tmp_path / "secret.tif"
    tifffile.imwrite(secret, DATA, **GRAY)
    folder = tmp_path / "scans"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", DATA, ome=True, **GRAY)
    with tifffile.TiffFile(folder / "a.tif") as tif:
        text = tif.ome_metadata
    opened: list[str] = []
    sys.addaudithook(lambda event, details: opened.append(str(details[0])) if event == "open" else None)
    part = '<UUID FileName="../secret.tif">u</UUID>'
    for old, new in (
        ('<TiffData IFD="0" PlaneCount="10"/>', f'<TiffData IFD="0" PlaneCount="10">{part}</TiffData>'),
        ("<Image ", '<BinaryOnly MetadataFile="../secret.tif" UUID="u"/><Image '),
        ("<OME ", "<!DOCTYPE a [<!ENTITY b SYSTEM '../secret.tif'>]><OME "),
    ):
        changed = text.replace(old, new, 1)
        assert changed != text
        changed = changed.encode("ascii", "xmlcharrefreplace").decode()
        tifffile.imwrite(folder / "b.tif", DATA, description=changed, metadata=None, **GRAY)
        opened.clear()
        with pytest.raises(FileProblem, match=r"part of an image|entities"):
            read_tiff(folder / "b.tif")
        assert any("b.tif" in name for name in opened)
        assert not any("secret" in name for name in opened)


def test_what_is_described_is_what_is_read():
    classes = tuple(
        LabelClass(id=i, name=name, color="#0080ff")
        for i, name in enumerate(("a<b>&c", "\"quoted\" 'too'", "]]> &amp; <!--", "Ödem, λ, 脾, 🧠"), start=2**31 - 4)
    )
    geometry = Geometry.from_spacing((2.5, 0.1 + 0.2, 0.1), unit="um", origin=(7.25, -8.0, 1 / 3))
    volume = Volume(data=np.zeros((2, 3, 4), np.uint8), geometry=geometry, is_labels=True, classes=classes)
    text = ome.describe(volume, volume.data)
    assert text.isascii()  # a TIFF description must be
    root = ElementTree.fromstring(text)
    assert ome.read_classes(root) == (classes, True)
    found = ome.read_geometry(root)
    assert found.unit == "um"
    np.testing.assert_array_equal(found.affine, geometry.affine)


def test_classes_that_a_file_spells_wrongly_can_be_saved_again(tmp_path):
    given = {
        "1": "red", "2": "#12", "3": "#00FF7f", "4": "", "5": "#12345g", "0": "#000001", "-6": "#000002",
        "4294967296": "#000003", "4294967295": "#000004", "9" * 5000: "#000005", "seven": "#000006", "": "#000007",
    }  # fmt: skip
    classes = tuple(LabelClass(id=number, name="x", color=color) for number, color in given.items())
    data = np.ones((2, 3, 4), np.uint8)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), is_labels=True, classes=classes)
    found, is_labels = ome.read_classes(ElementTree.fromstring(ome.describe(volume, data)))
    assert is_labels
    assert {item.id: item.color for item in found} == {
        1: default_color(1), 2: default_color(2), 3: "#00FF7f", 4: default_color(4), 5: default_color(5),
        4294967295: "#000004",
    }  # fmt: skip
    for name in ("a.tif", "a.nii.gz", "a.seg.nrrd", "a.ome.zarr", "a.label", "a.json"):
        write_labels(tmp_path / name, volume.with_data(data, classes=found))


def test_channel_names_are_kept_in_order(tmp_path):
    names = ("DAPI <1>", 'GFP & "x"', "膜")
    data = np.zeros((2, 5, 4, 3), np.uint8)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1, 1, 1)), channels=names)
    assert ome.read_channel_names(ElementTree.fromstring(ome.describe(volume, data))) == list(names)
    path = write_tiff(tmp_path / "a.tif", volume)
    assert read_tiff(path).channels == names
    with tifffile.TiffFile(path) as tif:
        root = ome.read_root(tif, path)
        assert root is not None
        assert ome.read_classes(root) == ((), False)
