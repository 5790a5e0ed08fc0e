"""From folders, data sets, tables and dropped files to cases, of real scans; the folder may move."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.registry import read_volume, stem
from napari_vol3d.pipeline.dataset import find_pairs
from napari_vol3d.review.project.gather import gather, labels_beside
from napari_vol3d.review.project.store import Project
from tests.builders import save_nifti

TINY = np.zeros((2, 3, 4), np.uint8)


def put(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_training_folder_as_training_sees_it(shared_data, tmp_path):
    folder = shared_data / "hippocampus"
    gathered = gather([folder], base=folder.parent)
    pairs, _ = find_pairs(folder)
    assert [(case.code, case.images[0].path, case.prior) for case in gathered.cases] == [
        (pair.name, f"hippocampus/images/{pair.image.name}", f"hippocampus/labels/{pair.labels.name}")
        for pair in pairs
    ]
    assert gathered.notes == ()


def test_scans_and_their_labels_beside_them(shared_data):
    gathered = gather([shared_data / "scans"], base=shared_data)
    found = {case.name: case for case in gathered.cases}
    assert found["3DCT_lung_baseline"].prior == "scans/3DCT_lung_baseline_mask.mha"
    assert found["brain1_image"].prior == "scans/brain1_label.nrrd"
    assert [image.role for image in found["chris"].images] == ["T1", "PD"]
    assert all((shared_data / image.path).exists() for case in gathered.cases for image in case.images)
    assert all(case.code.startswith("case-") for case in gathered.cases)  # names of many kinds


def test_dicom_by_folder_and_by_dropped_files(shared_data):
    dicom = shared_data / "dicom"
    (case,) = gather([dicom / "hippocrop"], base=dicom).cases
    assert case.images[0].path == "hippocrop"
    files = sorted((dicom / "hippocrop").iterdir())
    (dropped,) = gather(files, base=dicom).cases  # one of each series stands for all
    whole = read_volume(dicom / case.images[0].path)
    assert np.array_equal(np.asarray(read_volume(dicom / dropped.images[0].path).data), np.asarray(whole.data))
    tree = gather([dicom], base=dicom).cases
    assert {"hippocrop", "ct_head", "t1post_oblique"} <= {case.name for case in tree}


def test_the_folder_moves(shared_data, tmp_path):
    home = tmp_path / "here"
    (home / "scans").mkdir(parents=True)
    for path in sorted((shared_data / "hippocampus" / "images").iterdir())[:3]:
        shutil.copy(path, home / "scans")
    project = Project.create(home / "study.vol3d", name="study", cases=gather([home / "scans"], base=home).cases)
    meant = [np.asarray(read_volume(project.place_of(case.images[0].path)).data) for case in project.cases()]
    shutil.move(home, tmp_path / "elsewhere" / "there")
    moved = Project.open(tmp_path / "elsewhere" / "there" / "study.vol3d")
    for case, data in zip(moved.cases(), meant, strict=True):
        assert np.array_equal(np.asarray(read_volume(moved.place_of(case.images[0].path)).data), data)
    assert str(tmp_path) not in (tmp_path / "elsewhere" / "there" / "study.vol3d").read_bytes().decode("latin-1")


def test_a_data_set_of_bids_with_labels_from_another_folder(tmp_path):
    session = "sub-01/ses-1/anat/sub-01_ses-1"
    for name in (f"{session}_T1w", f"{session}_FLAIR", "sub-02/anat/sub-02_T1w"):
        path = tmp_path / "bids" / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_nifti(path, TINY)
    (tmp_path / "bids" / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\n")
    put(tmp_path / "mine" / "deep" / "sub-01_ses-1_dseg.nii.gz", tmp_path / "mine" / "sub-02_T1w_labels.nii.gz")
    for source in (tmp_path / "bids", tmp_path / "bids" / "participants.tsv"):
        cases = gather([source], base=tmp_path, priors=tmp_path / "mine").cases
        assert [(case.code, len(case.images), case.prior) for case in cases] == [
            ("sub-01_ses-1", 2, "mine/deep/sub-01_ses-1_dseg.nii.gz"),
            ("sub-02", 1, "mine/sub-02_T1w_labels.nii.gz"),
        ]


def test_a_data_set_of_nnunet(tmp_path):
    put(*(tmp_path / "imagesTr" / f"p{n}_000{c}.nii.gz" for n in (1, 2) for c in (0, 1)),
        tmp_path / "labelsTr" / "p1.nii.gz", tmp_path / "imagesTs" / "p9_0000.nii.gz",
        tmp_path / "imagesTs" / "p9_0001.nii.gz")  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T1", "1": "CT"}, "labels": {}}))
    cases = gather([tmp_path], base=tmp_path).cases
    assert [(case.code, [image.role for image in case.images], case.prior) for case in cases] == [
        ("p1", ["T1", "CT"], "labelsTr/p1.nii.gz"), ("p2", ["T1", "CT"], None), ("p9", ["T1", "CT"], None),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[]", "no json", '{"channel_names": {"a": 1}}', '{"channel_names": 3}'])
def test_somebody_elses_description(tmp_path, text):
    put(tmp_path / "images" / "p_0000.nii.gz", tmp_path / "images" / "p_0001.nii.gz")
    (tmp_path / "dataset.json").write_text(text)
    assert len(gather([tmp_path], base=tmp_path).cases) == 2


def test_subjects_in_folders_of_their_own(tmp_path):
    put(*(tmp_path / f"p{n}" / f"{name}.nii.gz" for n in (1, 2) for name in ("T1", "FLAIR", "seg")))
    cases = gather([tmp_path], base=tmp_path).cases
    assert [(case.name, [image.role for image in case.images], case.prior) for case in cases] == [
        (f"p{n}", ["T1", "FLAIR"], f"p{n}/seg.nii.gz") for n in (1, 2)
    ]


def test_labels_in_a_folder_beside_the_scans(tmp_path):
    put(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", tmp_path / "labels" / "b.nii.gz")
    assert [case.prior for case in gather([tmp_path], base=tmp_path).cases] == [None, "labels/b.nii.gz"]


def test_tables_and_files_together(tmp_path):
    put(*(tmp_path / f"{name}.nii.gz" for name in ("a", "b_T1", "b_FLAIR", "c")), tmp_path / "notes.txt")
    (tmp_path / "scans.csv").write_text("subject,image\nP1,a.nii.gz\nP2,gone.nii.gz\n")
    dropped = ("b_FLAIR.nii.gz", "b_T1.nii.gz", "c.nii.gz", "a.nii.gz", "notes.txt", "none.nii")
    gathered = gather([tmp_path / name for name in ("scans.csv", *dropped)], base=tmp_path)
    assert [(case.name, len(case.images)) for case in gathered.cases] == [("P1", 1), ("b", 2), ("c", 1)]
    assert len(gathered.notes) == 4
    for said in ("Row 3", "There is no none.nii", "notes.txt", "twice"):
        assert sum(said in note for note in gathered.notes) == 1


def test_nothing_is_left(tmp_path):
    (tmp_path / "empty").mkdir()
    for sources in ([], [tmp_path / "empty"], [tmp_path / "gone"]):
        with pytest.raises(FileProblem, match="No scan was found"):
            gather(sources, base=tmp_path)


def test_labels_that_are_nowhere(tmp_path):
    put(tmp_path / "a.nii.gz", tmp_path / "other" / "b.nii.gz")
    with pytest.raises(FileProblem, match="No folder of labels"):
        gather([tmp_path / "a.nii.gz"], base=tmp_path, priors=tmp_path / "gone")
    assert gather([tmp_path / "a.nii.gz"], base=tmp_path, priors=tmp_path / "other").notes == (
        "No labels in other fit a scan.",
    )


def test_no_voxel_is_opened(shared_data, tmp_path, monkeypatch):
    for number in range(300):
        put(tmp_path / f"p{number}" / "T1.nii.gz", tmp_path / f"p{number}" / "FLAIR.nii.gz")
    opened = []
    import builtins
    import io

    for module in (builtins, io):
        real = module.open
        monkeypatch.setattr(module, "open", lambda *a, real=real, **k: opened.append(a[0]) or real(*a, **k))
    assert len(gather([tmp_path], base=tmp_path).cases) == 300
    assert opened == []


def test_every_scan_of_the_data_keeps_its_name(shared_data):
    folder = shared_data / "hippocampus" / "images"
    cases = gather([folder], base=folder).cases
    assert [case.name for case in cases] == sorted(stem(path) for path in folder.iterdir())


def test_images_bring_the_labels_beside_them(shared_data, tmp_path, monkeypatch):
    folder = shared_data / "hippocampus"
    whole, part = (gather([place], base=shared_data) for place in (folder, folder / "images"))
    assert [(c.code, c.images, c.prior) for c in part.cases] == [(c.code, c.images, c.prior) for c in whole.cases]
    assert labels_beside(folder / "images") == folder / "labels"
    assert labels_beside(folder) is None
    monkeypatch.chdir(folder / "images")
    assert len(gather([Path()], base=tmp_path).cases) == len(whole.cases)
    assert all(case.prior for case in gather([Path()], base=tmp_path).cases)


def test_images_of_nnunet_have_the_channels_beside_them(tmp_path):
    put(*(tmp_path / "imagesTr" / f"p1_000{c}.nii.gz" for c in (0, 1)), tmp_path / "labelsTr" / "p1.nii.gz")
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T1", "1": "CT"}}))
    (case,) = gather([tmp_path / "imagesTr"], base=tmp_path).cases
    assert ([image.role for image in case.images], case.prior) == (["T1", "CT"], "labelsTr/p1.nii.gz")


def test_images_alone_and_labels_that_are_named_go_as_before(tmp_path):
    put(tmp_path / "images" / "a.nii.gz", tmp_path / "mine" / "a.nii.gz")
    assert gather([tmp_path / "images"], base=tmp_path).cases[0].prior is None
    put(tmp_path / "labels" / "a.nii.gz")
    assert gather([tmp_path / "images"], base=tmp_path, priors=tmp_path / "mine").cases[0].prior == "mine/a.nii.gz"


def test_a_name_that_no_file_has(tmp_path):
    put(tmp_path / "a.nii.gz")
    (note,) = gather([tmp_path / "a.nii.gz", tmp_path / ("x" * 400)], base=tmp_path).notes
    assert len(note) < 100
