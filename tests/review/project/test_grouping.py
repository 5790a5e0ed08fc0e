"""Files of one scan make one case where that is certain; where it is not, each is a case and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.review.project.grouping import group_scans, with_priors


def grouped(*names, **more):
    drafts, notes = group_scans([Path("in") / name for name in names], **more)
    return [(d.name, [(p.name, r) for p, r in d.images], d.prior and d.prior.name) for d in drafts], notes


def test_contrasts_of_one_scan():
    found, notes = grouped("b_FLAIR.nii", "a_flair.nii.gz", "b_t1.nii", "a_T1.nii.gz", "c_T1.nii")
    assert found == [
        ("a", [("a_T1.nii.gz", "T1"), ("a_flair.nii.gz", "FLAIR")], None),
        ("b", [("b_t1.nii", "T1"), ("b_FLAIR.nii", "FLAIR")], None),
        ("c", [("c_T1.nii", "T1")], None),
    ]
    assert notes == []


def test_a_single_pair_does_not_rename_the_others():
    found, _ = grouped("CT_AVM.nii", "chris_PD.nii", "chris_t1.nii", "MR_Gd.nii", "x.nii")
    assert [name for name, _, _ in found] == ["chris", "CT_AVM", "MR_Gd", "x"]


def test_a_folder_of_contrasts_is_called_as_the_folder():
    assert grouped("T1.nii", "FLAIR.nii", "mask.nii")[0] == [
        ("in", [("T1.nii", "T1"), ("FLAIR.nii", "FLAIR")], "mask.nii")
    ]


@pytest.mark.parametrize(
    "names", [("a_T1.nii", "a_t1.nii.gz"), ("a_T1.nii", "a.T1.nii"), ("a_T1.nii", "a_FLAIR.nii", "a-T1.nii")]
)
def test_what_is_not_clear_stays_apart(names):
    found, notes = grouped(*names)
    assert len(found) == len(names)
    assert len(notes) == 1


def test_channels_of_nnunet():
    found, notes = grouped(*(f"p{n}_000{c}.nii.gz" for n in (1, 2) for c in (0, 1)))
    assert [(name, [role for _, role in images]) for name, images, _ in found] == [
        ("p1", ["channel 1", "channel 2"]), ("p2", ["channel 1", "channel 2"]),
    ]  # fmt: skip
    assert notes == []


def test_channels_of_one_scan_are_certain_only_where_they_are_described():
    names = ("p_0000.nii", "p_0001.nii")
    found, (note,) = grouped(*names)
    assert [name for name, _, _ in found] == ["p_0000", "p_0001"]
    assert "may be channels" in note
    found, notes = grouped(*names, channels={0: "T1", 1: "FLAIR"})
    assert found == [("p", [("p_0000.nii", "T1"), ("p_0001.nii", "FLAIR")], None)]
    assert notes == []


@pytest.mark.parametrize(
    "names",
    [
        tuple(f"case_{n:04d}.nii" for n in range(40)),  # more than any scan has channels
        ("p_0001.nii", "p_0002.nii"), ("p_0000.nii", "q_0000.nii", "q_0001.nii"), ("p_0000.nii", "q.nii"),
        tuple(f"hippocampus_{n:03d}.nii.gz" for n in range(3)),
    ],
)  # fmt: skip
def test_numbers_of_scans_are_no_channels(names):
    found, notes = grouped(*names)
    assert [images for _, images, _ in found] == [[(name, "")] for name in sorted(names)]
    assert notes == []


def test_labels_beside():
    found, notes = grouped("brain1_image.nrrd", "brain1_label.nrrd", "lung.mha", "lung_mask.mha", "x_seg.nii", "y.nii")
    assert [(name, prior) for name, _, prior in found] == [
        ("brain1_image", "brain1_label.nrrd"), ("lung", "lung_mask.mha"), ("y", None),
    ]  # fmt: skip
    assert [note.partition(":")[0] for note in notes] == ["x_seg.nii"]


def test_of_two_label_maps_the_surer_one_is_taken():
    found, (note,) = grouped("a_T1.nii", "a_FLAIR.nii", "a_mask.nii", "a_seg.nii")
    assert [prior for _, _, prior in found] == ["a_seg.nii"]
    assert "2 label maps" in note


def test_labels_of_another_folder():
    drafts, _ = group_scans([Path("images/a.nii"), Path("images/b.nii"), Path("images/c_T1.nii")])
    labels = [Path("labels") / name for name in ("a.nii", "b_labels.nii", "c.nii", "d.nii", "seg.nii")]
    found, notes = with_priors(drafts, labels)
    assert [draft.prior and draft.prior.name for draft in found] == ["a.nii", "b_labels.nii", "c.nii"]
    assert sorted(note.partition(":")[0] for note in notes) == ["d.nii", "seg.nii"]


def test_labels_that_could_be_of_two_scans_are_of_none():
    drafts, _ = group_scans([Path("p/a.nii"), Path("q/a.nii")])
    found, notes = with_priors(drafts, [Path("labels/a.nii")])
    assert [draft.prior for draft in found] == [None, None]
    assert len(notes) == 1
