"""Classes are renamed, numbered and coloured where they stand; what can't be is said."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.gui.forms.class_table import COLOR, ID, MOST_ROWS, NAME, ClassTable

LEFT = Qt.MouseButton.LeftButton
CLASSES = (LabelClass(id=1, name="grey", color="#e69f00"), LabelClass(id=7, name="white", color="#56b4e9"))


@pytest.fixture
def form(qtbot: Any) -> ClassTable:
    form = ClassTable()
    qtbot.addWidget(form)
    form.resize(230, 200)
    form.setValue(CLASSES)
    form.show()
    return form


def middle(form: ClassTable, row: int, column: int) -> QPoint:
    return form.table.visualItemRect(form.table.item(row, column)).center()


def test_what_is_shown_is_given_back(qtbot: Any, form: ClassTable) -> None:
    with qtbot.assertNotEmitted(form.valueChanged):
        form.setValue(reversed(CLASSES))
    assert form.value() == CLASSES[::-1]
    assert not form.refusal()


def test_a_name_is_typed_over(qtbot: Any, form: ClassTable) -> None:
    port = form.table.viewport()
    qtbot.mouseClick(port, LEFT, pos=middle(form, 1, NAME))
    qtbot.mouseDClick(port, LEFT, pos=middle(form, 1, NAME))
    editor = port.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "white matter")
    with qtbot.waitSignal(form.valueChanged):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert [item.name for item in form.value()] == ["grey", "white matter"]


def test_what_is_typed_and_not_closed_is_taken_over(qtbot: Any, form: ClassTable) -> None:
    form.finish()
    form.table.setCurrentCell(0, NAME)
    qtbot.keyClick(form.table, Qt.Key.Key_F2)
    editor = form.table.viewport().findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "grey matter")
    assert form.value() == CLASSES
    with qtbot.waitSignal(form.valueChanged):
        form.finish()
    assert form.value()[0].name == "grey matter"


@pytest.mark.parametrize("by_key", [False, True])
def test_a_colour_is_chosen_in_a_window_that_holds_nothing_up(qtbot: Any, form: ClassTable, by_key: bool) -> None:
    if by_key:
        form.table.setCurrentCell(0, COLOR)
        qtbot.keyClick(form.table, Qt.Key.Key_Space)
    else:
        qtbot.mouseClick(form.table.viewport(), LEFT, pos=middle(form, 0, COLOR))
    dialog = form.dialog
    assert dialog is not None
    assert not dialog.isModal()
    dialog.setCurrentColor(QColor("#123456"))
    with qtbot.waitSignal(form.valueChanged):
        dialog.accept()
    assert [item.color for item in form.value()] == ["#123456", "#56b4e9"]
    assert form.dialog is None


def test_a_question_for_a_colour_is_taken_back(qtbot: Any, form: ClassTable) -> None:
    qtbot.mouseClick(form.table.viewport(), LEFT, pos=middle(form, 0, COLOR))
    form.let_go()
    assert form.dialog is None
    assert form.value() == CLASSES


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        (ID, "0", "from 1"), (ID, "-3", "from 1"), (ID, "one", "from 1"), (ID, "4294967296", "from 1"),
        (ID, "7", "Two classes have the id 7"), (NAME, "  ", "needs a name"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_said(form: ClassTable, column: int, text: str, words: str) -> None:
    form.table.item(0, column).setText(text)
    assert words in form.refusal()


def test_many_classes_scroll_and_are_no_wider_than_the_dock(form: ClassTable) -> None:
    form.setValue(LabelClass(id=n, name="a rather long name " * 3, color=default_color(n)) for n in range(1, 118))
    QApplication.processEvents()
    assert form.table.height() < (MOST_ROWS + 3) * form.table.rowHeight(0)
    assert form.minimumSizeHint().width() < 230
    assert len(form.value()) == 117


def test_tab_leaves_the_table(qtbot: Any, form: ClassTable) -> None:
    form.table.setCurrentCell(0, NAME)
    qtbot.keyClick(form.table, Qt.Key.Key_Tab)
    assert form.table.currentRow() == 0
    assert form.table.currentColumn() == NAME
