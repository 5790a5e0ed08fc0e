"""Codes are what reports and exports call cases: unique, stable, and never a patient's name."""

from __future__ import annotations

import pytest

from napari_vol3d.review.project.codes import are_codes, codes_for, is_plain


def test_counted_names_stay():
    assert codes_for(["hippocampus_001", "hippocampus_204"]) == ("hippocampus_001", "hippocampus_204")
    assert codes_for(["sub-01 ses-02", "sub-11 ses-1"]) == ("sub-01_ses-02", "sub-11_ses-1")


@pytest.mark.parametrize(
    "names",
    [
        ["Anna Schmidt", "Berta Meier"], ["Anna 1", "Berta 2"],  # names
        ["hippocampus_001"],  # one name says nothing about the others
        ["anna_19620304", "anna_19631224"], ["x_04.03.1962", "x_24.12.1963"], ["x-12-24-1963", "x-11-02-1970"],  # dates
        ["Müller_1", "Müller_2"], ["^x_1", "^x_2"], ["_1", "_2"], ["x" * 70 + "1", "x" * 70 + "2"],  # no file names
        ["scan_1", "scan_2", "Schmidt"],  # one of many is enough
    ],
)  # fmt: skip
def test_names_that_may_be_of_patients_are_replaced(names):
    codes = codes_for(names)
    assert codes == tuple(f"case-{number:04d}" for number in range(1, len(names) + 1))
    assert not set(codes) & set(names)


def test_numbers_that_are_no_dates_stay():
    assert are_codes(["x_19999999", "x_20001301", "x_00000001"])


def test_numbers_go_on_behind_those_that_are_there():
    assert codes_for(["Anna", "Berta"], taken={"case-0007", "case-0002", "other"}) == ("case-0008", "case-0009")
    assert codes_for(["x_1", "x_2"], taken={"x_2"}) == ("case-0001", "case-0002")


def test_ten_thousand_are_still_apart():
    codes = codes_for([f"{chr(97 + n % 26)}{n}" for n in range(12_000)])
    assert len(set(codes)) == 12_000
    assert all(map(is_plain, codes))


def test_none():
    assert codes_for([]) == ()
