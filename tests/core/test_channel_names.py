"""Names say which image is which channel, and which images are of one case."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.channel_names import (
    SAME,
    kind_of,
    likely_channels,
    match_channels,
    renamed,
    says_channel,
    without_channel,
)

TRIO = ("FLAIR", "T1", "T2")
SPELLED = {kind: (kind, *same) for kind, same in SAME.items()}


@pytest.mark.parametrize(
    ("wanted", "found", "answer"),
    [
        (("FLAIR", "T1", "T2"), ("p19_T2W", "p19_FLAIR", "p19_T1W"), (1, 2, 0)),
        (("FLAIR", "T1", "T1 post", "T2"), ("patient19_T1_post.nii", "patient19_T1", "x_T2FLAIR", "T2"), (2, 1, 0, 3)),
        (("t1", "t1ce"), ("BraTS_001_t1ce", "BraTS_001_t1"), (1, 0)),
        (("T1c", "T1", "T2", "FLAIR"), [f"BraTS-GLI-00000-000-{end}" for end in ("t1c", "t1n", "t2f", "t2w")],
         (0, 1, 3, 2)),
        (("T1",), ("sub-01_T1Gd",), (None,)),
        (("T1",), ("sub-01_ce-gadolinium_T1w",), (None,)),
        (("T1c",), ("sub-01_ce-gadolinium_T1w",), (0,)),
        (("T1", "T1 post"), ("T1 pre contrast", "T1 post contrast"), (0, 1)),
        (("nuclei", "membrane"), ("embryo membrane 2", "embryo nuclei 2"), (1, 0)),
        (("image",), ("scan",), (None,)),
        (("T2",), ("case FLAIR",), (None,)),
        (("T2",), ("case_T2star",), (None,)),
        (("T2*", "T2"), ("a T2", "a T2star"), (1, 0)),
        (("T1-weighted", "T2 FLAIR MRI"), ("a FLAIR", "a mprage"), (1, 0)),
        (TRIO, ("T1_reg_FLAIR", "T2_reg_FLAIR", "FLAIR"), (2, 0, 1)),
        (("信号", "膜"), ("细胞 膜", "细胞 信号"), (1, 0)),
    ],
)  # fmt: skip
def test_names_say_which_is_which(wanted, found, answer):
    assert match_channels(wanted, found) == answer


@given(st.permutations(TRIO), st.sampled_from(("p{}", "MS_FLAIR_study_{}", "T1 and T2 of {}", "")), st.data())
def test_a_case_whose_name_says_channels_too_is_not_mixed_up(order, pattern, draw):
    """Whatever the case is called, and however the contrasts are spelled: each channel gets the image named for it."""
    case = pattern.format(draw.draw(st.integers(1, 99)))
    ends = {name: draw.draw(st.sampled_from(SPELLED[name.lower()])) for name in TRIO}
    found = [f"{case}_{ends[name]}".strip("_") for name in order]
    assert match_channels(TRIO, found) == tuple(order.index(name) for name in TRIO)


@given(st.lists(st.sampled_from([f"p{n}_{name}" for n in (1, 2) for name in TRIO]), unique=True), st.sampled_from(TRIO))
def test_of_two_cases_only_the_one_that_is_meant_is_taken(others, own):
    found = [*others, f"p2_{own}"]
    chosen = match_channels(TRIO, found, like=f"p2_{own}")
    for name, at in zip(TRIO, chosen, strict=True):
        assert (None if at is None else found[at]) == (f"p2_{name}" if f"p2_{name}" in found else None)


def test_of_the_case_that_is_meant_other_spellings_are_taken_too():
    found = ("p1_FLAIR", "p1_T1", "p1_T2_reg", "p10_T2", "T1")
    assert match_channels(TRIO, found, like="p1_T1") == (0, 1, 2)
    assert match_channels(TRIO, ("p1_FLAIR", "T1", "p10_T2"), like="p1_FLAIR") == (0, 1, None)


def test_what_is_not_clear_is_told():
    assert likely_channels(("T1", "FLAIR"), ("T1w run-1", "T1w run-2", "FLAIR")) == ((0, 1), (2,))
    assert likely_channels(("T1", "FLAIR"), ("T1w", "T1w acq-b", "FLAIR")) == ((0,), (2,))
    assert likely_channels(("T1", "T2"), ("a_T1", "a_T1w", "a_T2")) == ((0, 1), (2,))
    assert likely_channels(("PD",), TRIO) == ((),)


@pytest.mark.parametrize("kind", SAME)
def test_all_spellings_of_a_kind_are_that_kind(kind):
    for word in SPELLED[kind]:
        assert kind_of(word) == kind_of(word.upper()) == kind
        assert says_channel(f"p_{word}_1.nii.gz", kind)
        others = set(SAME) - {kind}
        assert not any(says_channel(f"p_{word}_1.nii.gz", other) for other in others)


@pytest.mark.parametrize(
    ("name", "channel", "rest"),
    [
        ("p19_T1w.nii.gz", "T1", {"p19 "}), ("p19_T1_post", "T1c", {"p19 "}), ("p19_T1_post", "T1", set()),
        ("FLAIR_reg_FLAIR", "FLAIR", {" reg flair", "flair reg "}), ("p19", "T1", set()),
        ("embryo nuclei 2", "nuclei", {"embryo  2"}), ("cell wall 3", "cell wall", {" 3"}),
    ],
)  # fmt: skip
def test_what_a_name_says_besides(name, channel, rest):
    assert without_channel(name, channel) == rest


def test_a_name_for_another_channel():
    assert renamed("p19_FLAIR", "FLAIR", "T1 post") == "p19_T1_post"
    assert renamed("FLAIR_N4", "FLAIR", "T2") == "T2_N4"
    for one, other in itertools.permutations(("FLAIR", "T1", "T1 post", "T2", "PD", "nuclei"), 2):
        name = renamed("Case 7_" + one.replace(" ", "_"), one, other)
        assert without_channel(name, other) == {"case 7 "}
