"""Folders and nameless files are told by what they hold, at a look."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tifffile

from napari_vol3d.io import folder_kind
from napari_vol3d.io.folder_kind import is_dicom, kind_of_folder

DICOM = bytes(128) + b"DICM" + bytes(20)


def test_a_folder_of_files_without_extension_is_dicom(tmp_path):
    deep = tmp_path / "study" / "series"
    deep.mkdir(parents=True)
    (tmp_path / "DICOMDIR.txt").write_text("not this one")
    (deep / "IM0001").write_bytes(DICOM)
    assert is_dicom(deep / "IM0001")
    assert kind_of_folder(tmp_path) == "DICOM"
    (deep / "IM0001").write_bytes(DICOM[:130])
    assert kind_of_folder(tmp_path) == ""


def test_a_folder_of_numbered_slices_is_one(tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"z{number}.tif", np.zeros((4, 5), np.uint8))
    assert kind_of_folder(tmp_path) == "slices"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "IM1")
    assert not is_dicom(tmp_path / "IM1")
    assert not is_dicom(tmp_path / "none")
    assert not is_dicom(tmp_path)
    assert kind_of_folder(tmp_path) == ""


def test_no_more_is_looked_at_than_said(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_kind, "MOST_LOOKED_AT", 3)
    for number in range(5):
        (tmp_path / f"a{number}").write_bytes(b"x")
    (tmp_path / "z").write_bytes(DICOM)
    assert kind_of_folder(tmp_path) == ""
    assert kind_of_folder(tmp_path / "none") == ""
