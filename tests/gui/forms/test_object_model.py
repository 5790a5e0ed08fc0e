"""The model lists arrays as they are asked for, and tells what a person types without keeping it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_vol3d.core.object_order import Key, Wanted
from napari_vol3d.core.object_table import ObjectTable, measure_objects
from napari_vol3d.core.volume import Geometry
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.forms.object_model import PALE, Listed, ObjectModel, figure

NAMES = {1: "left", 2: "right"}
GEOMETRY = replace(Geometry.from_spacing((2, 1, 1), origin=(10, 0, 0)), anatomical=True)


def table_of(labels: Any, image: Any = None) -> ObjectTable:
    verb = measure_objects(np.asarray(labels, np.uint16), (2, 1, 1), image=image)
    while True:
        try:
            next(verb)
        except StopIteration as end:
            return end.value


LABELS = np.zeros((2, 6, 6), np.uint16)
LABELS[0, 0, :3], LABELS[0, 3, :2], LABELS[1, 5, 5], LABELS[0, 5, 0] = 1, 2, 2, 3
TABLE = table_of(LABELS, np.where(LABELS == 3, np.nan, 1234.0 * LABELS))


def look(class_id: int) -> ClassRow:
    return ClassRow(id=class_id, name=NAMES.get(class_id, f"class {class_id}"), color="#112233", shown=class_id != 2)


@pytest.fixture
def model(qtmodeltester: Any) -> Iterator[ObjectModel]:
    model = ObjectModel()
    model.set_looks(look, NAMES)
    model.set_listed(Listed(table=TABLE, geometry=GEOMETRY, image="scan"))
    yield model
    qtmodeltester.check(model)


def texts(model: ObjectModel, column: Key) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_cells_show_what_was_measured(model: ObjectModel) -> None:
    assert texts(model, Key.CLASS) == ["left", "right", "right", "class 3"]  # the largest first
    assert texts(model, Key.NUMBER) == ["1", "1", "2", "1"]
    assert texts(model, Key.VOLUME) == ["6", "4", "2", "2"]
    assert texts(model, Key.MEAN) == ["1,234", "2,468", "2,468", ""]
    assert texts(model, Key.X) == ["1.0", "0.5", "5.0", "0.0"]
    assert texts(model, Key.Z) == ["10.0", "10.0", "12.0", "10.0"]


def test_heads_carry_units(model: ObjectModel) -> None:
    def heads(role: Any = Qt.ItemDataRole.DisplayRole) -> list[str]:
        return [model.headerData(column, Qt.Orientation.Horizontal, role) for column in Key]

    assert heads() == ["Class", "No.", "mm³", "Mean", "x, mm", "y, mm", "z, mm"]
    assert heads(Qt.ItemDataRole.ToolTipRole)[Key.MEAN] == "Mean intensity in scan"
    assert heads(Qt.ItemDataRole.ToolTipRole)[Key.X] == "Centre, in mm to the patient's right"
    small = Geometry.from_spacing((1, 1, 1), unit="um")
    model.set_listed(Listed(table=TABLE.by_class(), geometry=small, by_class=True))
    assert heads() == ["Class", "Objects", "µm³", "Mean", "x, µm", "y, µm", "z, µm"]
    assert "no scan" in heads(Qt.ItemDataRole.ToolTipRole)[Key.MEAN]
    assert texts(model, Key.NUMBER) == ["1", "2", "1"]
    model.set_listed(Listed(table=TABLE))
    assert heads()[Key.VOLUME] == "voxels"


def test_rows_are_sorted_and_filtered(model: ObjectModel) -> None:
    model.sort(Key.Y, Qt.SortOrder.AscendingOrder)
    assert texts(model, Key.Y) == ["0.0", "3.0", "5.0", "5.0"]
    model.sort(Key.VOLUME, Qt.SortOrder.AscendingOrder)
    assert texts(model, Key.CLASS) == ["right", "class 3", "right", "left"]
    model.set_wanted(Wanted(text="right"))
    assert texts(model, Key.VOLUME) == ["2", "4"]
    assert model.positions(np.array([0, 1, 2])).tolist() == [0, 1]
    model.set_looks(look, {1: "right", 2: "left"})  # what is searched for follows the names
    assert texts(model, Key.VOLUME) == ["6"]
    model.set_wanted(Wanted(least=4, class_id=2))
    assert texts(model, Key.VOLUME) == ["4"]


def test_classes_are_shown_as_they_look(model: ObjectModel) -> None:
    left, right = model.index(0, Key.CLASS), model.index(1, Key.CLASS)
    assert left.data(Qt.ItemDataRole.DecorationRole).name() == "#112233"
    assert left.data(Qt.ItemDataRole.ForegroundRole) is None
    assert right.data(Qt.ItemDataRole.ForegroundRole).name() == PALE  # hidden
    assert left.data(Qt.ItemDataRole.ToolTipRole).startswith("left, id 1: 3 voxels")
    assert "hidden" in right.data(Qt.ItemDataRole.ToolTipRole)


def test_a_typed_name_is_told_and_not_kept(qtbot: Any, model: ObjectModel) -> None:
    cell = model.index(0, Key.CLASS)
    with qtbot.waitSignal(model.renamed) as told:
        assert model.setData(cell, "  anterior ")
    assert told.args == [1, "anterior"]
    assert cell.data() == "left"
    for name in ("", "  ", "left"):
        assert not model.setData(cell, name)
    assert not model.flags(model.index(0, Key.MEAN)) & Qt.ItemFlag.ItemIsEditable


def test_nothing_is_a_table_too(model: ObjectModel) -> None:
    model.set_listed(None)
    assert model.rowCount() == 0
    model.sort(Key.MEAN)
    model.set_listed(Listed(table=table_of(np.zeros((1, 2, 2)))))
    assert model.rowCount() == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001234567, "0.001235"), (12.3456, "12.35"), (1234567.8, "1,234,568"), (np.nan, ""), (-4000, "-4,000")],
)
def test_figures_have_few_digits(value: float, text: str) -> None:
    assert figure(value) == text
