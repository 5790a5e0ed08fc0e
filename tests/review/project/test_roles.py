"""A name's end says which contrast it is, which channel, or that it holds labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vol3d.core.channel_names import kind_of
from napari_vol3d.review.project.roles import (
    ROLES,
    order_of,
    role_of,
    split_channel,
    split_labels,
    split_role,
    without_image,
)


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("mark", "_-. ")
def test_every_role_at_either_end(role, mark):
    for written in (role, role.upper()):
        assert split_role(f"p_07{mark}{written}") == ("p_07", ROLES[role])
        assert split_role(f"{written}{mark}p_07") == ("p_07", ROLES[role])
    assert split_role(role) == ("", ROLES[role])


@pytest.mark.parametrize("name", ["chris_crop", "hippocampus_001", "contrast1", "xT1", "", "_"])
def test_other_names_stay_whole(name):
    assert split_role(name) == (name, "")


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("T1_post", "T1post"), ("T1-Gd", "T1Gd"), ("T2_FLAIR", "FLAIR"), ("T2FLAIR", "FLAIR"), ("t1.ce", "T1ce"),
        ("MPRAGE", "T1"), ("T1km", "T1c"), ("t1w post", "T1c"),
    ],
)  # fmt: skip
def test_roles_as_segment_knows_them(written, role):
    """What Segment takes for a channel by its name is a role here, also in two words, and the card's channel is it."""
    assert split_role(f"p01_{written}") == split_role(f"{written}_p01") == ("p01", role)
    assert role_of(written) == role
    assert kind_of(role) == kind_of(written)


@pytest.mark.parametrize("name", ["case_CT_A", "p_fl", "bravo_001", "p_F_LR"])
def test_letters_that_mean_other_things(name):
    assert split_role(name) == (name, "")


@pytest.mark.parametrize("name", ["a_ch2", "a_channel2", "a_channel_2", "a-CH-02"])
def test_channels_by_number(name):
    assert split_role(name) == ("a", "channel 2")


def test_the_reference_comes_first():
    roles = ["channel 10", "FLAIR", "channel 2", "T2w", "T1w"]
    assert sorted(roles, key=order_of) == ["T1w", "T2w", "FLAIR", "channel 2", "channel 10"]


def test_channels_of_nnunet():
    assert split_channel("case_003_0001") == ("case_003", 1)
    assert split_channel("case_003") is None
    assert split_channel("_0001") is None


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("chris_t1_mask.nii.gz", "chris_t1"), ("chris_Labels.nii", "chris"), ("mask.nii.gz", ""),
        ("t1w_seg-manual.nii.gz", "t1w"), ("brain.seg.nrrd", "brain"), ("sub-1_dseg.nii.gz", "sub-1"),
    ],
)  # fmt: skip
def test_labels_say_whose_they_are(name, owner):
    split = split_labels(Path(name))
    assert split is not None
    assert split[0] == owner


@pytest.mark.parametrize("name", ["chris.nii.gz", "unmask.nii.gz", "masked.tif", "mask_001.nii.gz"])
def test_what_is_no_label_file(name):
    assert split_labels(Path(name)) is None


def test_labels_are_surer_than_a_mask():
    ranks = [split_labels(Path(f"a_{end}.nii.gz")) for end in ("labels", "seg", "mask")]
    assert ranks == sorted(ranks, key=lambda found: found[1])


def test_words():
    assert (role_of("flair"), role_of("age"), without_image("brain1_image")) == ("FLAIR", "", "brain1")
    assert without_image("image") == "image"
