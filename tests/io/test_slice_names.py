"""Numbers count as numbers, and what is missing or there twice is named."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.slice_names import check_complete, find_series, is_slice_name


def names(form, *ranges):
    return [form.format(*numbers) for numbers in zip(*ranges, strict=True)]


@given(st.sets(st.integers(0, 10**9), min_size=2), st.sampled_from(["image_{}.png", "{}.tif", "a{:04}b.TIFF"]))
def test_two_comes_before_ten(numbers, form):
    shuffled = list(numbers)
    random.Random(0).shuffle(shuffled)
    (series,) = find_series(form.format(n) for n in shuffled)
    assert series.numbers == tuple(sorted(numbers))
    assert series.names == tuple(form.format(n) for n in sorted(numbers))


def test_each_series_by_what_its_names_have_in_common():
    mixed = [*names("image_{}.png", range(3)), *names("label_{}.png", range(3)), "overview.png", "notes.txt", "x1.png"]
    assert [(s.key, len(s.names)) for s in find_series(mixed)] == [("image", 3), ("label", 3)]
    (dated,) = find_series(names("2024-05-01_fish_{:03}.tif", range(9)))
    assert (dated.key, dated.numbers) == ("2024-05-01_fish", tuple(range(9)))


def test_the_number_with_most_values_counts_the_slices():
    several = [f"s1_z{z:03}_c{c}.tif" for z in range(12) for c in range(2)]
    found = find_series(several)
    assert [(s.key, s.numbers) for s in found] == [("s1_z_c0", tuple(range(12))), ("s1_z_c1", tuple(range(12)))]
    assert find_series(several[::2])[0].names == tuple(several[::2])


@pytest.mark.parametrize("mixed", [["1.png", "2.png", "1.tif", "2.tif"], ["a_1.png", "a_2.png", "a-1.png", "a-2.png"]])
def test_keys_are_different(mixed):
    found = find_series(mixed)
    assert len({series.key for series in found}) == len(found) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a1.png", True), ("1.TIFF", True), ("a.png", False), ("._a1.png", False), ("a1.jpg", False), ("a1", False),
        ("1.png.bak", False), (".1.png", False), ("a²1.tif", True), ("a².tif", False),
    ],
)  # fmt: skip
def test_names_of_slices(name, expected):
    assert is_slice_name(name) is expected
    assert find_series([name]) == []


@pytest.mark.parametrize("numbers", [range(5), range(0, 50, 5), (7, 8), (3, 30)])
def test_whole_series(numbers):
    check_complete(find_series(names("a{}.png", numbers))[0])


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((8, 9, 11, 12), r"Missing slice: nothing between image_9\.png and image_11\.png"),
        ((0, 5, 10, 20), r"between image_10\.png and image_20\.png"), ((0, 2, 3), r"between image_0\.png and image_2"),
    ],
)  # fmt: skip
def test_gaps_are_named(numbers, words):
    with pytest.raises(FileProblem, match=words):
        check_complete(find_series(names("image_{}.png", numbers))[0])


def test_a_number_twice_is_refused():
    with pytest.raises(FileProblem, match=r"Two slices of one number: a01\.png and a1\.png"):
        check_complete(find_series(["a0.png", "a1.png", "a01.png", "a2.png"])[0])
