"""What a person does is told once; what a program or the focus does is told to nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage, QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_vol3d.gui.forms.row_table import MARGIN, RowTable

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def table(qtbot: Any) -> RowTable:
    model = QStandardItemModel()
    for row in range(30):
        model.appendRow([QStandardItem(f"scan {row}"), QStandardItem("0.5")])
    table = RowTable(model, {1: "0000"}, stretched=0)
    model.setParent(table)
    qtbot.addWidget(table)
    table.resize(300, 200)
    with qtbot.waitExposed(table):
        table.show()
    return table


@pytest.fixture
def heard(table: RowTable) -> list[Any]:
    heard: list[Any] = []
    table.stepped.connect(heard.append)
    table.opened.connect(lambda row: heard.append(("opened", row)))
    return heard


def place(table: RowTable, row: int) -> QPoint:
    return table.visualRect(table.model().index(row, 0)).center()


def chosen(table: RowTable) -> list[int]:
    return [index.row() for index in table.selectionModel().selectedRows()]


def test_a_press_steps_and_arrows_go_on(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    qtbot.mouseClick(table.viewport(), LEFT, pos=place(table, 2))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Left):
        qtbot.keyClick(table, key)
    assert heard == [2, 3, 2, 1]
    assert chosen(table) == [1]


def test_enter_and_a_double_click_open(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert heard == []  # nothing is chosen
    qtbot.mouseClick(table.viewport(), LEFT, pos=place(table, 1))
    qtbot.keyClick(table, Qt.Key.Key_Enter)
    qtbot.mouseDClick(table.viewport(), LEFT, pos=place(table, 1))
    assert heard == [1, ("opened", 1), ("opened", 1)]


def test_what_a_program_chooses_is_told_to_nobody(table: RowTable, heard: list[Any]) -> None:
    table.mark(25)
    assert chosen(table) == [25]
    assert table.viewport().rect().contains(place(table, 25))
    table.mark(-1)
    assert (chosen(table), table.currentIndex().isValid(), heard) == ([], False, [])


def test_the_focus_chooses_nothing(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    other = QLineEdit()
    qtbot.addWidget(other)
    other.show()
    other.setFocus()
    table.activateWindow()
    table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(table.hasFocus)
    assert not table.currentIndex().isValid()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert (heard, chosen(table)) == ([0], [0])


def test_no_click_takes_the_choice_away(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    qtbot.mouseClick(table.viewport(), LEFT, pos=place(table, 3))
    qtbot.mouseClick(table.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, place(table, 3))
    assert chosen(table) == [3]
    table.model().removeRows(5, 25)
    qtbot.mouseClick(table.viewport(), LEFT, pos=QPoint(20, table.viewport().height() - 2))
    assert chosen(table) == [3]


def test_dragging_steps_no_further(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    qtbot.mousePress(table.viewport(), LEFT, pos=place(table, 1))
    qtbot.mouseMove(table.viewport(), place(table, 4), LEFT)
    qtbot.mouseRelease(table.viewport(), LEFT, pos=place(table, 4))
    assert (heard, chosen(table)) == ([1], [1])


def test_letters_choose_nothing(qtbot: Any, table: RowTable, heard: list[Any]) -> None:
    qtbot.keyClicks(table, "scan 7")
    assert (heard, chosen(table)) == ([], [])


def test_no_scroll_bar_across(table: RowTable) -> None:
    for width in (320, 200, 420):
        table.resize(width, 200)
        QApplication.processEvents()
        assert table.columnWidth(0) + table.columnWidth(1) == table.viewport().width()
        assert table.columnWidth(1) == table.fontMetrics().horizontalAdvance("0000") + MARGIN
    table.setColumnHidden(1, True)
    table.fit()
    assert (table.isColumnHidden(1), table.least_width(1)) == (True, 0)


def test_another_font_makes_other_rows(table: RowTable) -> None:
    before, font = table.rowHeight(0), table.font()
    font.setPointSize(30)
    table.setFont(font)
    assert table.rowHeight(0) > before
    assert table.rowHeight(0) == table.row_height()


def test_an_empty_table_says_why(table: RowTable) -> None:
    def ink() -> int:
        image = table.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        pixels = [image.pixelColor(x, y).value() for x in range(image.width()) for y in range(image.height())]
        return int((np.array(pixels) != pixels[0]).sum())

    table.model().removeRows(0, 30)
    assert ink() == 0
    table.set_empty("No scans yet")
    assert ink() > 50
