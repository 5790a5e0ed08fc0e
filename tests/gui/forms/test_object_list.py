"""The form shows, counts and asks; rows that it speaks of are always those of the table of objects."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.core.object_order import Key
from napari_vol3d.gui.forms import object_list
from napari_vol3d.gui.forms.object_list import CHOOSE, ObjectList
from napari_vol3d.gui.forms.object_model import Listed
from tests.gui.forms.test_object_model import GEOMETRY, NAMES, TABLE, look

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> ObjectList:
    form = ObjectList()
    qtbot.addWidget(form)
    form.set_looks(look, NAMES)
    form.set_listed(Listed(table=TABLE, geometry=GEOMETRY))
    form.set_target("anterior part", why_not="")
    form.resize(320, 400)
    with qtbot.waitExposed(form):
        form.show()
    return form


def press(qtbot: Any, form: ObjectList, row: int, *, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    place = form.view.visualRect(form.model.index(row, Key.VOLUME)).center()
    qtbot.mouseClick(form.view.viewport(), LEFT, keys, place)


def told(qtbot: Any, signal: Any, do: Any) -> Any:
    with qtbot.waitSignal(signal) as heard:
        do()
    return heard.args[0]


def test_a_click_jumps_and_counts(qtbot: Any, form: ObjectList) -> None:
    assert form.count.text() == "4 objects"
    assert told(qtbot, form.jumpAsked, lambda: press(qtbot, form, 1)) == 1
    press(qtbot, form, 3, keys=Qt.KeyboardModifier.ControlModifier)
    assert form.count.text() == "4 objects, 2 chosen: 6 mm³"


def test_buttons_ask_for_what_is_chosen(qtbot: Any, form: ObjectList) -> None:
    press(qtbot, form, 1)
    press(qtbot, form, 2, keys=Qt.KeyboardModifier.ControlModifier)
    assert told(qtbot, form.deleteAsked, form.delete.click).tolist() == [1, 2]
    assert told(qtbot, form.moveAsked, form.move.click).tolist() == [1, 2]
    assert told(qtbot, form.hideAsked, form.hide_class.click) == 2
    assert told(qtbot, form.recolorAsked, form.color.click) == 2
    assert told(qtbot, form.deleteAsked, lambda: qtbot.keyClick(form.view, Qt.Key.Key_Delete)).tolist() == [1, 2]


def test_what_does_not_work_says_why(qtbot: Any, form: ObjectList) -> None:
    buttons = (form.delete, form.move, form.hide_class, form.color)
    assert not any(button.isEnabled() for button in buttons)
    assert {button.toolTip() for button in buttons} == {CHOOSE}
    form.view.selectAll()
    assert [button.isEnabled() for button in buttons] == [True, True, False, False]
    assert form.color.toolTip() == "Choose objects of one class"
    form.set_target("", why_not="")
    assert (form.move.isEnabled(), form.move.text()) == (False, "Give")
    form.set_target("anterior", why_not="It has changed.")
    assert (form.delete.isEnabled(), form.delete.toolTip()) == (False, "It has changed.")
    asked: list[Any] = []
    form.deleteAsked.connect(asked.append)
    qtbot.keyClick(form.view, Qt.Key.Key_Delete)
    assert not asked


def test_search_class_and_volume_limit_the_list(qtbot: Any, form: ObjectList) -> None:
    qtbot.keyClicks(form.search, "right")
    qtbot.waitUntil(lambda: form.count.text() == "2 of 4 objects")
    form.least.setValue(3)
    qtbot.waitUntil(lambda: form.count.text() == "1 of 4 objects")
    assert form.least.text() == "≥ 3.00 mm³"
    form.search.clear()
    form.least.setValue(0)
    form.classes.setValue(3)
    assert form.rows().tolist() == [3]
    form.classes.setValue(0)
    qtbot.waitUntil(lambda: form.count.text() == "4 objects")


def test_classes_are_listed_with_all_their_objects(qtbot: Any, form: ObjectList) -> None:
    form.by_class.click()
    assert form.count.text() == "3 classes"
    press(qtbot, form, 0)  # "right", 6 mm³ in two objects, as "left" in one: the first in the table comes first
    press(qtbot, form, 1)
    assert form.count.text() == "3 classes, 1 chosen: 6 mm³"
    assert told(qtbot, form.deleteAsked, form.delete.click).tolist() == [1, 2]
    assert told(qtbot, form.jumpAsked, lambda: press(qtbot, form, 1)) == 1
    assert told(qtbot, form.hideAsked, form.hide_class.click) == 2
    form.by_class.click()
    assert form.count.text() == "4 objects"


def test_the_menu_does_what_it_says(qtbot: Any, form: ObjectList) -> None:
    press(qtbot, form, 2)
    menu = form.menu_for(2)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == [
        "Go to", "Delete", "Give to anterior part", "Show right", "Colour of right ...", "Rename right",
    ]  # fmt: skip
    assert told(qtbot, form.jumpAsked, actions["Go to"].trigger) == 2
    assert told(qtbot, form.deleteAsked, actions["Delete"].trigger).tolist() == [2]
    assert told(qtbot, form.moveAsked, actions["Give to anterior part"].trigger).tolist() == [2]
    assert told(qtbot, form.hideAsked, actions["Show right"].trigger) == 2
    assert told(qtbot, form.recolorAsked, actions["Colour of right ..."].trigger) == 2
    actions["Rename right"].trigger()
    editor = form.view.viewport().focusWidget()
    qtbot.keyClicks(editor, "hind")
    with qtbot.waitSignal(form.renameAsked) as heard:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert heard.args == [2, "hind"]
    form.set_target("", why_not="It has changed.")
    assert [action.isEnabled() for action in form.menu_for(2).actions()] == [True, False, False, True, True, True]


def test_many_classes_are_searched_for(form: ObjectList, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [form.classes.itemText(k) for k in range(form.classes.count())] == [
        "All classes", "left", "right", "class 3"
    ]
    monkeypatch.setattr(object_list, "MOST_CLASSES", 2)
    form.set_listed(Listed(table=TABLE))
    assert (form.classes.isEnabled(), form.classes.count()) == (False, 1)
    assert form.classes.toolTip() == "3 classes: search for one by its name"


def test_it_fits_into_the_dock(form: ObjectList) -> None:
    form.set_target("an uncommonly long name of a class", why_not="")
    form.view.selectAll()
    assert form.minimumSizeHint().width() <= 320
