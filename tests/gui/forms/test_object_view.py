"""What is chosen stays chosen in any order; keys and clicks go from object to object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_vol3d.core.object_order import Key, Wanted
from napari_vol3d.gui.forms.object_model import Listed, ObjectModel
from napari_vol3d.gui.forms.object_view import ObjectView
from tests.gui.forms.test_object_model import TABLE, look, table_of

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(qtbot: Any) -> ObjectView:
    model = ObjectModel()
    view = ObjectView(model)
    model.setParent(view)
    qtbot.addWidget(view)
    model.set_looks(look, {})
    model.set_listed(Listed(table=TABLE))
    view.show_order()
    view.resize(420, 200)
    with qtbot.waitExposed(view):
        view.show()
    return view


def place(view: ObjectView, row: int, column: Key = Key.VOLUME) -> QPoint:
    return view.visualRect(view.model().index(row, column)).center()


def test_a_click_goes_there_and_one_with_a_modifier_only_chooses(qtbot: Any, view: ObjectView) -> None:
    steps: list[int] = []
    view.stepped.connect(steps.append)
    qtbot.mouseClick(view.viewport(), LEFT, pos=place(view, 2))
    assert (steps, view.chosen().tolist()) == ([2], [2])
    qtbot.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, place(view, 0))
    qtbot.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, place(view, 1))
    assert (steps, view.chosen().tolist()) == ([2], [0, 2])


def test_arrow_keys_go_from_object_to_object(qtbot: Any, view: ObjectView) -> None:
    qtbot.mouseClick(view.viewport(), LEFT, pos=place(view, 0))
    steps: list[int] = []
    view.stepped.connect(steps.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(view, key)
    assert steps == [1, 2, 1, 1]
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert (len(steps), view.chosen().tolist()) == (4, [1, 2])


def test_delete_asks_and_letters_do_nothing(qtbot: Any, view: ObjectView) -> None:
    qtbot.mouseClick(view.viewport(), LEFT, pos=place(view, 0))
    with qtbot.waitSignal(view.deletePressed):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClicks(view, "class")
    assert view.chosen().tolist() == [0]


def test_heads_sort_and_what_was_chosen_stays_chosen(qtbot: Any, view: ObjectView) -> None:
    model, head = view.model(), view.horizontalHeader()
    view.choose(np.array([0, 3]))
    at = QPoint(head.sectionViewportPosition(Key.VOLUME) + 9, head.height() // 2)
    qtbot.mouseClick(head.viewport(), LEFT, pos=at)
    assert model.order == (Key.VOLUME, False)
    assert model.rows.tolist() == [2, 3, 1, 0]
    assert view.chosen().tolist() == [3, 0]
    qtbot.mouseClick(head.viewport(), LEFT, pos=at)
    assert model.order == (Key.VOLUME, True)
    assert sorted(view.chosen()) == [0, 3]
    model.set_wanted(Wanted(class_id=3))
    assert view.chosen().tolist() == [3]
    model.set_listed(Listed(table=TABLE))  # found anew: these are other objects
    assert view.chosen().tolist() == []


def test_thousands_are_chosen_at_once(view: ObjectView) -> None:
    labels = np.zeros((1, 400, 400), np.uint16)
    labels[0, ::2, ::2] = 1
    table = table_of(labels)
    view.model().set_listed(Listed(table=table))
    view.selectAll()
    assert len(view.chosen()) == len(table) == 40_000
    view.model().sort(Key.X)
    assert len(view.chosen()) == 40_000  # one span, whatever the order
    view.choose(np.flatnonzero(np.random.default_rng(0).random(40_000) < 0.5))
    assert len(view.chosen()) == 0  # too many pieces: rather nothing than some of them


def test_choosing_all_asks_only_what_is_in_sight(view: ObjectView, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def flags(model: ObjectModel, index: Any) -> Any:
        asked.append(index.row())
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled

    labels = np.zeros((1, 300, 300), np.uint16)
    labels[0, ::2, ::2] = 1
    view.model().set_listed(Listed(table=table_of(labels)))
    monkeypatch.setattr(ObjectModel, "flags", flags)
    view.selectAll()
    view.grab()
    assert len(view.chosen()) == 22_500
    assert len(asked) < 2_000


def test_only_rows_in_sight_are_asked_for(view: ObjectView) -> None:
    asked: set[int] = set()

    def watched(class_id: int) -> Any:
        asked.add(class_id)
        return look(class_id)

    labels = np.zeros((1, 300, 300), np.uint16)
    labels[0, ::2, ::2] = np.arange(1, 150 * 150 + 1).reshape(150, 150)
    view.model().set_looks(watched, {})
    view.model().set_listed(Listed(table=table_of(labels)))
    view.grab()
    assert 5 < len(asked) < 60
    assert view.model().rowCount() == 22_500
