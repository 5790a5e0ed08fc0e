"""Units by every name that files have for them."""

from __future__ import annotations

import math

import pytest

from napari_vol3d.io.lengths import LENGTHS, convert, length_unit, positive


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("µm", ("um", 1.0)), ("μm", ("um", 1.0)), (" Micron ", ("um", 1.0)), ("NM", ("um", 1e-3)), ("m", ("mm", 1e3)),
        ("inch", ("mm", 25.4)), ("furlong", ("pixel", 1.0)), ("", ("pixel", 1.0)), ("pixel", ("pixel", 1.0)),
    ],
)  # fmt: skip
def test_names_become_mm_um_or_pixel(name, expected):
    assert length_unit(name) == expected


def test_both_letters_mu_are_there():
    assert {"\u00b5m", "\u03bcm"} < set(LENGTHS)


def test_lengths_convert_there_and_back():
    assert convert(1.5, "mm", "um") == 1500
    assert convert(convert(0.37, "um", "mm"), "mm", "um") == pytest.approx(0.37, rel=1e-15)
    assert convert(2.0, "pixel", "um") == convert(2.0, "um", "um") == 2.0


@pytest.mark.parametrize("value", [None, "", "much", 0, -1, math.nan, math.inf, "nan", [1]])
def test_what_is_no_length_is_none(value):
    assert positive(value) is None


@pytest.mark.parametrize("value", [0.5, "0.5", " 5e-1"])
def test_numbers_and_their_texts_are_lengths(value):
    assert positive(value) == 0.5
