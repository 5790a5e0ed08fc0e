"""What is not checked is listed; buttons and Enter ask for what they say."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.unchecked_list import UncheckedList

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> UncheckedList:
    form = UncheckedList()
    qtbot.addWidget(form)
    return form


def test_slices_are_listed_and_without_any_there_is_no_list(form: UncheckedList) -> None:
    assert form.isHidden()
    form.setValue({0: [12, 13, 14, 16], 2: [5]}, here=True)
    assert not form.isHidden()
    assert "z 12-14, 16; x 5" in form.words.text()
    assert form.value() == {0: (12, 13, 14, 16), 2: (5,)}
    form.setValue({0: ()}, here=False)
    assert form.isHidden()


@pytest.mark.parametrize(("button", "signal"), [("next", "nextAsked"), ("right", "rightAsked"), ("all", "allAsked")])
def test_each_button_asks(qtbot: Any, form: UncheckedList, button: str, signal: str) -> None:
    form.setValue({0: [3]}, here=True)
    with qtbot.waitSignal(getattr(form, signal), timeout=1000):
        qtbot.mouseClick(getattr(form, button), LEFT)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
@pytest.mark.parametrize("name", ["next", "right", "all"])
def test_enter_checks_this_slice_and_then_goes_on(qtbot: Any, form: UncheckedList, name: str, key: Any) -> None:
    button: QPushButton = getattr(form, name)
    form.setValue({0: [3, 4]}, here=True)
    with qtbot.waitSignal(form.rightAsked, timeout=1000), qtbot.assertNotEmitted(form.allAsked):
        qtbot.keyClick(button, key)
    form.setValue({0: [4]}, here=False)
    assert form.right.toolTip()
    with qtbot.waitSignal(form.nextAsked, timeout=1000), qtbot.assertNotEmitted(form.rightAsked):
        qtbot.keyClick(form.next, key)


def test_enter_is_its_own_where_the_window_has_a_shortcut_for_it(qtbot: Any) -> None:
    window, form, other = QWidget(), UncheckedList(), QPushButton("other")
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    for widget in (form, other):
        layout.addWidget(widget)
    apply = QShortcut(QKeySequence(Qt.Key.Key_Return), window)
    form.setValue({0: [3, 4]}, here=True)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.give_the_keyboard(window)
    form.all.setFocus()
    with qtbot.assertNotEmitted(apply.activated), qtbot.waitSignal(form.rightAsked, timeout=1000):
        qtbot.keyClick(form.all, Qt.Key.Key_Return)
    other.setFocus()
    with qtbot.assertNotEmitted(form.rightAsked), qtbot.waitSignal(apply.activated, timeout=1000):
        qtbot.keyClick(other, Qt.Key.Key_Return)
