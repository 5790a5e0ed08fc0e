"""Rows say what was put into them, or that they are damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_vol3d.review.records import Event, Layer, base_event, edit_event, new_token, utc_now
from napari_vol3d.review.schema import JournalDamaged
from tests.review.scripts import first_labels, layer_of, random_edit

FIRST = first_labels()
EDIT = random_edit(FIRST, np.random.default_rng(1), "Paint anterior, z 40-44")
EVENT = edit_event("layer", EDIT, parent="p", token=new_token(), who="anna")


def test_an_edit_comes_back_from_its_row() -> None:
    again = Event.from_row(EVENT.row(3))
    assert again == EVENT
    edit = again.edit()
    assert (edit.name, edit.box, edit.frame) == (EDIT.name, EDIT.box, 0)
    np.testing.assert_array_equal(edit.changed, EDIT.changed)
    plain = EVENT.row(3)
    del plain["payload"]
    with pytest.raises(JournalDamaged, match="Paint anterior"):
        Event.from_row(plain).edit()


def test_a_base_comes_back_from_its_row() -> None:
    row = base_event("layer", FIRST, token="t").row(1)
    np.testing.assert_array_equal(Event.from_row(row).base(FIRST.shape), FIRST)


@pytest.mark.parametrize("column", [key for key in EVENT.row(3) if key != "id"])
def test_whatever_is_changed_in_a_row_is_noticed(column: str) -> None:
    row = EVENT.row(3)
    row[column] = _other(row[column])
    with pytest.raises(JournalDamaged):
        Event.from_row(row)


@pytest.mark.parametrize("about", [{}, {"model": "m", "affine": [[0.1, 1e-9]]}])
@pytest.mark.parametrize("column", list(layer_of(FIRST).row()))
def test_whatever_is_changed_in_a_layer_is_noticed(column: str, about: dict[str, Any]) -> None:
    layer = replace(layer_of(FIRST), about=about)
    assert Layer.from_row(layer.row()) == layer
    row = layer.row()
    row[column] = _other(row[column])
    with pytest.raises(JournalDamaged):
        Layer.from_row(row)


@pytest.mark.parametrize("wrong", ["{}", "[]", "null", '{"model": "n"}', None])
def test_what_a_layer_says_of_itself_is_not_replaced_in_silence(wrong: str | None) -> None:
    row = replace(layer_of(FIRST), about={"model": "m"}).row() | {"about": wrong}
    with pytest.raises(JournalDamaged):
        Layer.from_row(row)


def test_times_are_utc_and_names_differ() -> None:
    assert utc_now().endswith("+00:00")
    assert new_token() != new_token()


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    return value[:-1] if value else "x"
