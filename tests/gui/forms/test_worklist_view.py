"""Cells show what they should, and their columns share any width."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem

from napari_vol3d.gui.forms.status_icon import COLORS
from napari_vol3d.gui.forms.worklist_model import NOTED, WorklistModel
from napari_vol3d.gui.forms.worklist_order import Column
from napari_vol3d.gui.forms.worklist_view import LEAST_NAME, WorklistView
from tests.gui.forms.test_worklist_order import row_of


@pytest.fixture
def view(qtbot: Any) -> WorklistView:
    model = WorklistModel()
    view = WorklistView(model)
    model.setParent(view)
    model.set_rows([row_of("a", score=0.5, status="flagged", note="tip\nunclear"), row_of("b", score=1.0), row_of("c")])
    qtbot.addWidget(view)
    view.resize(320, 200)
    with qtbot.waitExposed(view):
        view.show()
    return view


def option(view: WorklistView, row: int, column: Column) -> QStyleOptionViewItem:
    made = QStyleOptionViewItem()
    index = view.model().index(row, column)
    made.rect = view.visualRect(index)
    view.itemDelegate().initStyleOption(made, index)
    return made


def test_columns_share_any_width(view: WorklistView) -> None:
    for width in (320, 240, 420, 900):
        view.resize(width, 200)
        QApplication.processEvents()
        shown = [view.columnWidth(column) for column in Column if not view.isColumnHidden(column)]
        assert sum(shown) == view.viewport().width()
        assert view.columnWidth(Column.NAME) >= (LEAST_NAME if width >= 320 else 40)
    assert view.columnWidth(Column.NOTE) > 200


def test_people_make_room_for_the_name(view: WorklistView) -> None:
    view.resize(420, 200)
    assert not view.isColumnHidden(Column.WHO)
    view.resize(240, 200)
    assert view.isColumnHidden(Column.WHO)
    view.resize(420, 200)
    assert not view.isColumnHidden(Column.WHO)
    view.offer_who(False)
    assert view.isColumnHidden(Column.WHO)


def test_a_status_has_its_picture_and_its_word(view: WorklistView) -> None:
    shown = option(view, 0, Column.STATUS)
    assert (shown.text, shown.icon.isNull()) == ("flagged", False)
    assert shown.features & QStyleOptionViewItem.ViewItemFeature.HasDecoration


def test_a_note_is_a_mark_where_it_cannot_be_read(view: WorklistView) -> None:
    assert option(view, 0, Column.NOTE).text == NOTED
    assert option(view, 1, Column.NOTE).text == ""
    view.resize(900, 200)
    assert option(view, 0, Column.NOTE).text == "tip unclear"


def test_the_bar_is_as_long_as_the_score(view: WorklistView) -> None:
    picture = view.viewport().grab().toImage()
    wanted = QColor(COLORS["in review"]).name()

    def length(row: int) -> int:
        room = view.visualRect(view.model().index(row, Column.SCORE))
        return sum(picture.pixelColor(x, room.bottom() - 1).name() == wanted for x in range(room.left(), room.right()))

    assert (length(2), abs(2 * length(0) - length(1)) <= 1, length(1) > 20) == (0, True, True)
