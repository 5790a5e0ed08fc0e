"""The scan is found beside the labels, and the search ends."""

from __future__ import annotations

import os

import pydicom
import pytest

from napari_vol3d.io.dicom import reference as dicom_reference
from napari_vol3d.io.dicom.reference import find_series
from tests.io.dicom_phantom import SHAPE, phantom, series

UID, FRAME = "1.2.3.4", "1.2.3.5"


def test_a_named_series_is_found_in_the_folder_and_beside_it(tmp_path):
    folder = series(tmp_path / "case" / "scan")
    (tmp_path / "case" / "labels").mkdir()
    for where in (folder, tmp_path / "case", tmp_path / "case" / "labels"):
        found = find_series(where, ["1.9", UID], FRAME)
        assert [(one.uid, one.frame, one.folder) for one in found] == [(UID, FRAME, folder)]
        assert [volume.shape for volume in found[0].volumes()] == [(SHAPE[0], *SHAPE[1:])]
    assert find_series(tmp_path / "case" / "labels", ["1.9"], "") == ()


def test_else_those_that_share_the_frame_of_reference_in_the_folder_itself(tmp_path):
    series(tmp_path / "case" / "scan")
    series(tmp_path / "case" / "other", SeriesInstanceUID="1.2.3.9", FrameOfReferenceUID="1.8")
    (tmp_path / "case" / "labels").mkdir()
    assert [one.uid for one in find_series(tmp_path / "case", ["1.9"], FRAME)] == [UID]
    assert find_series(tmp_path / "case" / "labels", ["1.9"], FRAME) == ()


def test_slices_in_folders_of_their_own_are_one_series_and_copies_are_one_too(tmp_path):
    folder = series(tmp_path / "scan", name="{}/image")
    assert find_series(folder, [UID], "")[0].folder == folder
    copy = tmp_path / "scan" / "a copy"
    copy.mkdir()
    for index in range(SHAPE[0]):
        (copy / f"{index}.dcm").write_bytes((folder / str(index) / "image").read_bytes())
    assert find_series(folder, [UID], "")[0].folder == copy


def test_a_series_of_several_volumes_gives_all_of_them(tmp_path):
    series(tmp_path / "scan")
    series(tmp_path / "scan", phantom((2, 4, 5)), name="scout{}.dcm")
    shapes = [volume.shape for volume in find_series(tmp_path / "scan", [UID], "")[0].volumes()]
    assert sorted(shapes) == [(2, 4, 5), SHAPE]
    assert shapes[0] == SHAPE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are of Unix")
def test_junk_and_pipes_do_not_stop_it(tmp_path):
    folder = series(tmp_path / "scan")
    os.mkfifo(folder / "a pipe")
    (folder / "0 broken").symlink_to(folder / "nothing")
    (folder / "1 cut.dcm").write_bytes((folder / "0.dcm").read_bytes()[:300])
    (folder / "notes.txt").write_text("no image")
    assert find_series(folder, [UID], "")[0].folder == folder


def test_it_does_not_go_far(tmp_path, monkeypatch, caplog):
    folder = series(tmp_path / "a" / "b" / "c" / "d" / "scan")
    assert find_series(tmp_path / "a" / "b", [UID], "")
    assert not find_series(tmp_path / "a", [UID], "")
    monkeypatch.setattr(dicom_reference, "MOST_FILES", 3)
    assert find_series(folder, ["1.9"], FRAME)
    assert "Stopped looking" in caplog.text


def test_label_objects_are_no_scans(tmp_path):
    folder = series(tmp_path / "scan")
    ds = pydicom.dcmread(folder / "0.dcm")
    ds.SeriesInstanceUID, ds.Modality = "1.7", "SEG"
    ds.save_as(folder / "seg.dcm")
    assert [one.uid for one in find_series(folder, [], FRAME)] == [UID]
