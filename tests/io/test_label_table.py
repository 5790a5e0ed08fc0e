"""Names and colours of classes survive in the file, and other programs see a valid one."""

from __future__ import annotations

import struct
import warnings

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.io.label_table import read_table, table_extension
from napari_vol3d.io.nifti import read_nifti
from napari_vol3d.io.registry import write_labels
from tests.io.nifti_phantom import SHAPE, affine_for, phantom, save

CLASSES = (LabelClass(id=1, name="left <kidney>", color="#e69f00"), LabelClass(id=3, name="Milz 脾", color="#0080ff"))
HARD = tuple(
    LabelClass(id=i + 1, name=name, color=f"#{i * 16:02x}8{i:x}ff")
    for i, name in enumerate(("a<b>&c", "\"quoted\" 'too'", "]]> &amp; <!--", "Ödem, λ, 脾, 🧠", "sulcus  two  blanks"))
)


@pytest.mark.parametrize("name", ["labels.nii", "labels.nii.gz"])
def test_class_names_and_colours_come_back(tmp_path, name):
    scan = read_nifti(save(tmp_path / "scan.nii.gz", phantom(), affine_for("LIA", 17)))
    path = write_labels(tmp_path / name, scan.with_data(scan.data, classes=CLASSES))
    found = read_nifti(path)
    assert found.is_labels is True
    assert found.classes == CLASSES
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (extension,) = nib.load(path).header.extensions
    assert extension.get_code() == 0
    assert b"LabelTable" in extension.get_content()
    assert sitk.ReadImage(str(path)).GetSize() == SHAPE
    assert write_labels(tmp_path / f"again-{name}", found).read_bytes() == path.read_bytes()


def test_totalsegmentators_names_are_read(shared_data):
    volume = read_nifti(shared_data / "scans" / "example_seg.nii.gz")
    assert volume.is_labels is True
    assert volume.classes[:2] == (
        LabelClass(id=1, name="spleen", color="#00ff00"), LabelClass(id=2, name="kidney_right", color="#0000ff"),
    )  # fmt: skip
    assert len(volume.classes) == 117


@pytest.mark.parametrize(
    "content",
    [
        b"<CaretExtension><LabelTable><Label", b"<!DOCTYPE a [<!ENTITY b 'c'>]><CaretExtension/>", b"\xff\xfe",
        b"<CaretExtension><Label Key='one'>x</Label></CaretExtension>",
        b"<CaretExtension><Label Key='1' Red='much' Green='0' Blue='0'>x</Label></CaretExtension>",
    ],
)  # fmt: skip
def test_a_damaged_table_costs_the_names_only(tmp_path, content):
    image = nib.Nifti1Image(phantom(), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, content))
    nib.save(image, tmp_path / "labels.nii.gz")
    volume = read_nifti(tmp_path / "labels.nii.gz")
    assert volume.classes == ()
    assert volume.data.sum() == phantom().sum()


def test_names_that_mean_something_in_xml_come_back():
    extension = table_extension(HARD)
    assert len(extension) % 16 == 0
    assert read_table(b"\1\0\0\0" + extension, "<") == HARD


def test_the_table_is_found_behind_other_extensions_in_both_byte_orders():
    content = table_extension(HARD)[8:]
    for order in "<>":
        other, own = (struct.pack(f"{order}ii", len(c) + 8, 6) + c for c in (b"comment\0", content))
        assert read_table(b"\1\0\0\0" + other + own, order) == HARD
        assert read_table(b"\0\0\0\0" + other + own, order) == ()  # the file says that there is none
        assert read_table(b"\1\0\0\0" + other + own[:-1], order) == ()


@pytest.mark.parametrize(
    "between", [b"", b"\1", b"\1\0\0\0", b"\1\0\0\0" + bytes(8), b"\1\0\0\0\xff\xff\xff\x7f\0\0\0\0"]
)
def test_bytes_that_are_no_extensions_are_no_table(between):
    assert read_table(between, "<") == ()
