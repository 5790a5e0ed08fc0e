"""Codes are what reports and exports call cases: unique, stable, and never a patient's name."""

from __future__ import annotations

import pytest

from napari_vol3d.review.project.codes import (
    alike,
    are_codes,
    codes_for,
    is_plain,
    told_outside,
    with_dates,
    with_names,
)


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


@pytest.mark.parametrize("day", ["120462", "12.04.62", "12-04-62", "04_12_62", "620412", "19620412", "12 04 1962"])
def test_a_day_of_birth_is_no_code(day):
    assert with_dates([f"x_{day}", "x_1"]) == [True, False]
    assert not are_codes([f"x_{day}", f"y_{day}"])


def test_six_digits_that_were_counted_are_no_days():
    assert not any(with_dates([f"x_{n:06d}" for n in range(0, 20_000, 7)]))
    assert are_codes([f"x_{n:06d}" for n in (900_001, 120_462, 900_003)])  # one of three


def test_two_words_of_one_code_alone_read_like_a_person():
    assert with_names(["Schmidt_Berta", "Meier_Anna"]) == [True, True]
    assert with_names(["acme_trial_phantom_1", "acme_trial_phantom_2", "ACME_Munich_3"]) == [False] * 3
    assert with_names(["Q-1", "left_hippocampus_T1", "sub-01_ses-baseline"]) == [False] * 3
    assert with_names(["Schmidt_Berta"]) == [True]


def test_a_word_that_may_be_a_name_is_told_about():
    assert codes_for(["mueller1", "mueller2"]) == ("mueller1", "mueller2")
    assert told_outside(["mueller1", "mueller2", "sub-01", "hippocampus_3"]) == ["mueller1", "mueller2"]


def test_codes_that_a_system_takes_for_one_are_one():
    assert alike("Sub1") == alike("sub1.")
    assert codes_for(["x_1", "x_2"], taken={"X_2"}) == ("case-0001", "case-0002")
    assert codes_for(["Anna"], taken={"CASE-0004"}) == ("case-0005",)
