"""The list of classes answers real clicks and keys, tells who was meant, and changes nothing itself."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QLineEdit, QMenu

from napari_vol3d.gui.forms.class_list import ClassList
from napari_vol3d.gui.forms.class_model import CLASS, EYE, ID, LOCK, NAME, ClassRow


def rows(count: int, *, hidden: int = 0) -> list[ClassRow]:
    return [ClassRow(id=i, name=f"organ {i}", color="#e69f00", shown=i != hidden) for i in range(1, count + 1)]


@pytest.fixture
def form(qtbot: Any) -> ClassList:
    form = ClassList()
    qtbot.addWidget(form)
    form.resize(320, 300)
    form.set_rows(rows(117))
    form.show()
    qtbot.waitExposed(form)
    return form


def cell(form: ClassList, class_id: int, column: int = NAME) -> QPoint:
    index = form.found.mapFromSource(form.model.place(class_id))
    assert index.isValid()
    return form.view.visualRect(index.sibling(index.row(), column)).center()


def click(qtbot: Any, form: ClassList, class_id: int, column: int = NAME) -> None:
    qtbot.mouseClick(form.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(form, class_id, column))


def listed(form: ClassList) -> list[int]:
    return [form.found.index(k, NAME).data(CLASS).id for k in range(form.found.rowCount())]


def test_a_click_chooses_and_tells_once(qtbot: Any, form: ClassList) -> None:
    with qtbot.waitSignal(form.valueChanged) as told:
        click(qtbot, form, 4)
    assert told.args == [4]
    assert form.value() == 4
    with qtbot.assertNotEmitted(form.valueChanged):
        click(qtbot, form, 4)
        form.setValue(9)
    with qtbot.waitSignal(form.valueChanged) as told:
        qtbot.keyClick(form.view, Qt.Key.Key_Down)
    assert told.args == [10]


def test_an_eye_is_toggled_and_chooses_nothing(qtbot: Any, form: ClassList) -> None:
    form.setValue(2)
    told: list[tuple[int, bool]] = []
    form.toggled.connect(lambda class_id, shown: told.append((class_id, shown)))
    with qtbot.assertNotEmitted(form.valueChanged):
        click(qtbot, form, 5, EYE)
        form.set_rows(rows(117, hidden=5))
        click(qtbot, form, 5, EYE)
        qtbot.mouseDClick(form.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(form, 5, EYE))
        qtbot.keyClick(form.view, Qt.Key.Key_Space)
    assert told == [(5, False), (5, True), (5, True), (2, False)]
    assert form.value() == 2
    assert form.model.rows[4].shown is False  # nobody has set it


def test_a_class_far_down_is_scrolled_to(form: ClassList) -> None:
    form.setValue(112)
    assert form.view.viewport().rect().contains(cell(form, 112))
    form.set_rows(rows(117, hidden=3))  # a changed eye far away moves nothing
    assert form.view.viewport().rect().contains(cell(form, 112))
    assert form.view.currentIndex().data(CLASS).id == 112


def test_the_search_finds_names_and_ids_and_chooses_nothing(qtbot: Any, form: ClassList) -> None:
    form.setValue(5)
    with qtbot.assertNotEmitted(form.valueChanged):
        qtbot.keyClicks(form.search, "ORGAN 11")
        assert listed(form) == [11, *range(110, 118)]
        form.search.setText("17")
        assert listed(form) == [17, 117]
        form.search.setText("nothing of that name (")
        assert listed(form) == []
        assert form.value() == 5
        form.search.clear()
    assert len(listed(form)) == 117
    assert form.view.currentIndex().data(CLASS).id == 5


def test_a_double_click_renames(qtbot: Any, form: ClassList) -> None:
    click(qtbot, form, 3)
    qtbot.mouseDClick(form.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(form, 3))
    (editor,) = form.view.viewport().findChildren(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "gallbladder")
    with qtbot.waitSignal(form.renamed) as told:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert told.args == [3, "gallbladder"]


def test_the_menu_asks_for_the_class_under_the_mouse(qtbot: Any, form: ClassList) -> None:
    form.setValue(1)
    told: list[tuple[str, Any]] = []
    form.colorAsked.connect(lambda i: told.append(("color", i)))
    form.isolateAsked.connect(lambda i: told.append(("isolate", i)))
    form.jumpAsked.connect(lambda i: told.append(("jump", i)))
    form.toggled.connect(lambda i, shown: told.append(("toggle", (i, shown))))
    with qtbot.assertNotEmitted(form.valueChanged):
        qtbot.mouseClick(form.view.viewport(), Qt.MouseButton.RightButton, pos=cell(form, 6))
        form.view.customContextMenuRequested.emit(cell(form, 6))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    for action in menu.actions():
        action.trigger()
    menu.close()
    assert dict(told) == {"color": 6, "isolate": 6, "jump": 6, "toggle": (6, False)}
    assert form.view.viewport().findChildren(QLineEdit)  # Rename


def test_other_classes_keep_what_is_chosen_where_it_is_still_there(form: ClassList) -> None:
    form.setValue(40)
    form.set_rows(rows(60))
    assert form.view.currentIndex().data(CLASS).id == 40
    form.set_rows(rows(10))
    assert not form.view.currentIndex().isValid()
    form.set_rows(rows(60))
    assert form.view.currentIndex().data(CLASS).id == 40


def test_thousands_of_ids_need_no_widget_each(qtbot: Any, form: ClassList) -> None:
    before = len(form.view.findChildren(object))
    form.set_rows(rows(5000))
    form.setValue(4321)
    assert form.view.viewport().rect().contains(cell(form, 4321))
    assert len(form.view.findChildren(object)) <= before
    assert form.minimumSizeHint().width() <= 320


def test_a_lock_is_asked_for_where_there_are_locks(qtbot: Any) -> None:
    form = ClassList(locks=True)
    qtbot.addWidget(form)
    form.resize(320, 300)
    form.set_rows(rows(9))
    form.show()
    qtbot.waitExposed(form)
    form.setValue(2)
    told: list[int] = []
    form.lockAsked.connect(told.append)
    with qtbot.assertNotEmitted(form.valueChanged), qtbot.assertNotEmitted(form.toggled):
        click(qtbot, form, 5, LOCK)
        qtbot.mouseDClick(form.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(form, 6, LOCK))
        qtbot.mouseClick(form.view.viewport(), Qt.MouseButton.RightButton, pos=cell(form, 7, LOCK))
    assert told == [5, 6]
    assert form.value() == 2
    assert not any(row.locked for row in form.model.rows)  # nobody has set it
    with qtbot.assertNotEmitted(form.lockAsked):
        click(qtbot, form, 4, ID)
        click(qtbot, form, 3, EYE)
    assert form.value() == 4
    assert form.minimumSizeHint().width() <= 320


def test_without_locks_their_column_is_not_seen(form: ClassList) -> None:
    """As in the Read tab."""
    assert form.view.isColumnHidden(LOCK)
    assert not any(form.view.isColumnHidden(column) for column in (EYE, NAME, ID))
