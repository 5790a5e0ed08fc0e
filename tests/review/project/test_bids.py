"""A data set of BIDS gives a case for each subject and session, with its contrasts and the labels it has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.review.project.bids import find_bids, is_bids
from tests.builders import save_nifti


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_nifti(path, np.zeros((2, 3, 4), np.uint8)) if name.endswith(".nii.gz") else path.write_text("{}")


@pytest.fixture
def data_set(tmp_path):
    put(
        tmp_path, "sub-01/ses-02/anat/sub-01_ses-02_FLAIR.nii.gz", "sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz",
        "sub-01/ses-02/anat/sub-01_ses-02_T1w.json", "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz",
        "sub-10/anat/sub-10_T1w.nii.gz", "sub-2/anat/sub-2_T2w.nii.gz", "sub-2/func/sub-2_task-x_bold.nii.gz",
        "sub-2/anat/sub-2_mod-T2w_defacemask.nii.gz",
    )  # fmt: skip
    description = {"Name": "made up", "BIDSVersion": "1.9.0"}
    (tmp_path / "dataset_description.json").write_text(json.dumps(description))
    return tmp_path


def seen(root):
    drafts, notes = find_bids(root)
    return {d.code: ([role for _, role in d.images], d.prior and d.prior.name) for d in drafts}, notes


def test_subjects_and_sessions(data_set):
    drafts, notes = find_bids(data_set)
    assert [(d.name, d.code, d.subject, d.session, [role for _, role in d.images]) for d in drafts] == [
        ("sub-01 ses-01", "sub-01_ses-01", "sub-01", "ses-01", ["T1w"]),
        ("sub-01 ses-02", "sub-01_ses-02", "sub-01", "ses-02", ["T1w", "FLAIR"]),
        ("sub-2", "sub-2", "sub-2", "", ["T2w"]),
        ("sub-10", "sub-10", "sub-10", "", ["T1w"]),
    ]
    assert notes == []


def test_a_data_set_is_recognised(data_set, tmp_path_factory):
    assert is_bids(data_set)
    (data_set / "dataset_description.json").unlink()
    assert is_bids(data_set)  # by where its scans lie
    other = tmp_path_factory.mktemp("other")
    put(other, "dataset_description.json", "scan.nii.gz")
    assert not is_bids(other)
    put(other, "sub-01/scan.nii.gz")
    assert is_bids(other)
    (other / "dataset_description.json").unlink()
    assert not is_bids(other)  # a folder of a subject is not enough
    assert not is_bids(data_set / "sub-01")


def test_labels_of_derivatives(data_set):
    put(
        data_set, "derivatives/manual/sub-01/ses-02/anat/sub-01_ses-02_desc-manual_dseg.nii.gz",
        "derivatives/auto/sub-01/ses-02/anat/sub-01_ses-02_dseg.nii.gz", "derivatives/sub-2/anat/sub-2_dseg.nii.gz",
        "derivatives/auto/sub-10/anat/sub-10_space-MNI152_dseg.nii.gz", "derivatives/auto/sub-7/anat/sub-7_dseg.nii.gz",
        "derivatives/auto/sub-10/anat/sub-10_probseg.nii.gz",
    )  # fmt: skip
    found, notes = seen(data_set)
    assert {code: prior for code, (_, prior) in found.items() if prior} == {
        "sub-01_ses-02": "sub-01_ses-02_desc-manual_dseg.nii.gz", "sub-2": "sub-2_dseg.nii.gz",
    }  # fmt: skip
    assert len(notes) == 3
    for said in ("2 label maps", "another space", "sub-7_dseg.nii.gz: labels of no scan"):
        assert sum(said in note for note in notes) == 1


def test_several_of_a_suffix_are_told_apart(data_set):
    put(data_set, *(f"sub-4/anat/sub-4_acq-hi_run-{run}_T1w.nii.gz" for run in (1, 2)), "sub-4/anat/sub-4_PDw.nii.gz")
    assert seen(data_set)[0]["sub-4"][0] == ["T1w acq-hi run-1", "T1w acq-hi run-2", "PDw"]


def test_an_image_with_a_contrast_agent_says_so_also_alone(data_set):
    put(data_set, "sub-5/anat/sub-5_ce-gadolinium_T1w.nii.gz", "sub-5/anat/sub-5_FLAIR.nii.gz")
    assert seen(data_set)[0]["sub-5"][0] == ["T1w ce-gadolinium", "FLAIR"]


def test_a_subject_without_scans_is_named(data_set):
    put(data_set, "sub-09/func/sub-09_task-x_bold.nii.gz")
    (data_set / "sub-08" / "anat").mkdir(parents=True)
    assert seen(data_set)[1] == ["sub-08 has no scan in anat/.", "sub-09 has no scan in anat/."]
