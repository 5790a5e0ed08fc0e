"""Choosing one of several volumes."""

from pathlib import Path

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.parts import Part, SeveralParts, choose

PARTS = [Part(key="a", title="T1, 20 slices"), Part(key="b", title="T2, 22 slices")]


def test_the_only_one_is_taken_and_several_are_asked_about():
    assert choose(Path("x"), PARTS[:1], None) is PARTS[0]
    assert choose(Path("x"), PARTS, "b") is PARTS[1]
    with pytest.raises(SeveralParts, match=r"2 volumes.*a \(T1, 20 slices\); b") as raised:
        choose(Path("x"), PARTS, None)
    assert raised.value.parts == tuple(PARTS)
    with pytest.raises(FileProblem, match=r"No part 'c' in x.*a, b"):
        choose(Path("x"), PARTS, "c")


def test_a_long_list_is_cut():
    many = [Part(key=f"k{i}", title="t") for i in range(20)]
    with pytest.raises(SeveralParts, match="and 12 more"):
        choose(Path("x"), many, None)
