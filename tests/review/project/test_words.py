"""Which words of a file's name may be a person's."""

from __future__ import annotations

import pytest

from napari_vol3d.review.project.words import KINDS, long_numbers, one_form, unknown_words


def test_names_are_found_between_words_that_say_what_was_scanned():
    assert unknown_words("sub-01_Mueller2, Anna brain T1w") == ("mueller", "anna")
    assert unknown_words("M\u00fcller_MU\u0308LLER") == ("m\u00fcller", "m\u00fcller")
    assert unknown_words("Ng_Li_01") == ()  # two letters are in too many words


@pytest.mark.parametrize("word", ["white", "gray", "hand", "young", "king", "rose", "mark", "will"])
def test_frequent_names_are_no_kinds(word):
    assert word not in KINDS


def test_numbers_that_may_be_days():
    assert long_numbers("x_120462_1.2.34567_19620412") == ("120462", "19620412")


def test_marks_are_one_with_their_letter():
    assert one_form("u\u0308") == "\u00fc"
