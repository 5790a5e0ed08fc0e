"""Figures as they are read: none is a dash, signs are seen, a class has its colour."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from napari_vol3d.gui.forms.figure_model import Column, FigureModel, FigureRow

ROW = FigureRow(
    name="anterior", color="#e69f00", dice=0.876, hd95_mm=1.25, difference_percent=-4.4, f1=1.0, tip="<qt>tip</qt>"
)


def test_figures_are_short_and_what_does_not_exist_is_a_dash() -> None:
    assert [ROW.text(column) for column in Column] == ["anterior", "0.88", "1.2", "−4 %", "1.00"]
    assert [FigureRow(name="all").text(column) for column in Column] == ["all", *["–"] * 4]
    assert FigureRow(name="", difference_percent=12.6).text(Column.VOLUME) == "+13 %"


def test_a_cell_has_its_text_its_colour_and_its_hint() -> None:
    model = FigureModel("class")
    model.set_rows([ROW, FigureRow(name="none")])
    assert (model.rowCount(), model.columnCount()) == (2, 5)
    name, dice = model.index(0, Column.NAME), model.index(0, Column.DICE)
    assert model.data(name) == "anterior"
    assert model.data(name, Qt.ItemDataRole.DecorationRole) == QColor("#e69f00")
    assert model.data(model.index(1, Column.NAME), Qt.ItemDataRole.DecorationRole) is None
    assert model.data(dice, Qt.ItemDataRole.ToolTipRole) == "<qt>tip</qt>"
    assert model.data(dice, Qt.ItemDataRole.TextAlignmentRole) is not None
    assert model.data(name, Qt.ItemDataRole.TextAlignmentRole) is None
    assert model.data(model.index(5, 5)) is None


def test_heads_are_named_and_explained() -> None:
    model, across = FigureModel("case, worst first"), Qt.Orientation.Horizontal
    assert model.headerData(0, across) == "case, worst first"
    assert [model.headerData(column, across) for column in list(Column)[1:]] == ["Dice", "HD95", "vol.", "F1"]
    assert "mm" in model.headerData(Column.HD95, across, Qt.ItemDataRole.ToolTipRole)
    assert model.headerData(0, Qt.Orientation.Vertical) is None
    assert model.headerData(9, across) is None
