"""Values that make no sense are told as damage, never as what Python says of them."""

from __future__ import annotations

import json

import pytest

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review.project.from_file import classes_of, mapping_of, said_of, shape_of, sound_row, told_damaged
from napari_vol3d.review.project.tables import readings
from napari_vol3d.review.schema import JournalDamaged

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes", "{"), ("classes", "[3]"), ("classes", '[{"id": "one", "name": "a", "color": "b"}]'), ("model", "3"),
        ("protocol", '"ab"'), ("anything", "nul"), ("anything", DEEP),
    ],
)  # fmt: skip
def test_what_a_project_remembers(name, text):
    with pytest.raises(JournalDamaged, match="The project is damaged: its"):
        said_of(text, name)


def test_what_makes_sense_comes_back():
    assert said_of('{"name": "m"}', "model") == {"name": "m"}
    assert classes_of([{"id": 1, "name": "a", "color": "#fff"}]) == (LabelClass(id=1, name="a", color="#fff"),)
    assert (mapping_of('{"a": 1}'), shape_of("[2, 3]")) == ({"a": 1}, (2, 3))


def test_a_row_has_the_types_of_its_columns():
    with pytest.raises(JournalDamaged, match="a reading"), sound_row("a reading", readings, {"note": b"x"}):
        pass
    with sound_row("a reading", readings, {"note": "x", "seconds": 1.5, "version": None}):
        pass


@pytest.mark.parametrize("text", ["[1]", "3"])
def test_no_mapping(text):
    with pytest.raises(JournalDamaged), told_damaged("it"):
        mapping_of(text)
    assert json.loads(text) is not None
