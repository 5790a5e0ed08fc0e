"""What is listed is what was asked for, in the order that was asked for; what is not known comes last."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.object_order import Key, Wanted, find_rows, places_of, sort_rows
from napari_vol3d.core.volume import Geometry
from tests.core.test_object_table import SPACING, measured, some_labels

NAMES = {1: "Left hippocampus", 2: "right hippocampus", 3: "a+b (c"}
GEOMETRY = Geometry.from_spacing(SPACING, origin=(5, 6, 7))
LABELS = some_labels(8, 0.3, classes=4)
TABLE = measured(LABELS, image=np.where(LABELS == 2, np.nan, np.random.default_rng(0).normal(size=LABELS.shape)))


def classes(wanted: Wanted) -> set[int]:
    return {*TABLE.class_id[find_rows(TABLE, wanted, names=NAMES)].tolist()}


def test_words_are_looked_for_in_names_ids_and_numbers() -> None:
    assert classes(Wanted(text="HIPPO")) == {1, 2}
    assert classes(Wanted(text=" hippocampus  LEFT ")) == {1}
    assert classes(Wanted(text="+b (c")) == {3}  # no pattern: what is typed
    assert classes(Wanted(text="class 4")) == {4}
    assert classes(Wanted(text="² left")) == set()
    rows = find_rows(TABLE, Wanted(text="left 2"), names=NAMES)
    assert [(TABLE.class_id[k], TABLE.number[k]) for k in rows] == [(1, 2)]
    assert (TABLE.class_id[find_rows(TABLE, Wanted(text="3"), names=NAMES)] == 3).sum() == (TABLE.class_id == 3).sum()
    assert find_rows(TABLE, Wanted(text="9" * 40), names=NAMES).size == 0


@given(class_id=st.sampled_from([None, 1, 2, 77]), least=st.floats(0, 20))
def test_class_and_volume_limit_the_list(class_id: int | None, least: float) -> None:
    found = find_rows(TABLE, Wanted(class_id=class_id, least=least), names=NAMES)
    fits = [
        k for k in range(len(TABLE))
        if class_id in (None, TABLE.class_id[k]) and TABLE.volume[k] >= least * (1 - 1e-9)
    ]  # fmt: skip
    assert found.tolist() == fits


def test_a_volume_as_it_is_shown_is_reached() -> None:
    table = measured(np.ones((1, 1, 3), np.uint8), voxel_volume=0.1)  # 0.30000000000000004
    assert len(find_rows(table, Wanted(least=0.3), names={})) == 1
    table = measured(np.ones((1, 1, 1), np.uint8), voxel_volume=0.1 + 0.2 - 1e-16)
    assert len(find_rows(table, Wanted(least=0.3), names={})) == 1


@pytest.mark.parametrize("key", Key)
@pytest.mark.parametrize("falling", [False, True])
def test_rows_are_sorted_by_what_is_shown(key: Key, falling: bool) -> None:
    places = places_of(TABLE, GEOMETRY)
    shown = [TABLE.class_id, TABLE.number, TABLE.volume, TABLE.mean, *places.T][key]
    rows = find_rows(TABLE, Wanted(), names={})[::-1]
    ordered = sort_rows(TABLE, rows, key, falling=falling, geometry=GEOMETRY)
    known = [value for value in shown[ordered].tolist() if value == value]
    assert known == sorted(known, reverse=falling)
    assert np.isnan(shown[ordered][len(known) :]).all()
    assert sorted(ordered) == sorted(rows)
    same = [(a, b) for a, b in pairwise(ordered) if shown[a] == shown[b]]
    assert all(a > b for a, b in same)  # as they were


def test_places_are_those_of_the_world() -> None:
    table = measured(np.ones((1, 1, 3), np.uint8))
    assert places_of(table, GEOMETRY).tolist() == [[7 + 1.1, 6, 5]]
