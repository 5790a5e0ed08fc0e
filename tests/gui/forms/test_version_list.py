"""The list asks for the version that is chosen; buttons that do not work say why."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.version_list import CHOOSE, NONE, VersionList
from napari_vol3d.gui.forms.version_model import Column
from tests.gui.forms.test_version_model import VERSIONS

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> VersionList:
    form = VersionList()
    qtbot.addWidget(form)
    form.setValue(VERSIONS, accepted="v3")
    form.resize(320, 180)
    with qtbot.waitExposed(form):
        form.show()
    return form


def press(qtbot: Any, form: VersionList, row: int) -> None:
    qtbot.mouseClick(form.view.viewport(), LEFT, pos=form.view.visualRect(form.model.index(row, 1)).center())


def test_buttons_ask_for_the_chosen_version(qtbot: Any, form: VersionList) -> None:
    press(qtbot, form, 1)
    for button, signal in (
        (form.look, form.lookRequested), (form.compare, form.compareRequested), (form.restore, form.restoreRequested),
    ):  # fmt: skip
        with qtbot.waitSignal(signal) as asked:
            qtbot.mouseClick(button, LEFT)
        assert asked.args == ["v2"]


def test_a_double_click_and_enter_look(qtbot: Any, form: VersionList) -> None:
    asked: list[str] = []
    form.lookRequested.connect(asked.append)
    press(qtbot, form, 2)
    qtbot.mouseDClick(form.view.viewport(), LEFT, pos=form.view.visualRect(form.model.index(2, 1)).center())
    qtbot.keyClick(form.view, Qt.Key.Key_Up)
    qtbot.keyClick(form.view, Qt.Key.Key_Return)
    assert asked == ["v1", "v2"]


def test_what_does_not_work_says_why(qtbot: Any, form: VersionList) -> None:
    buttons = (form.look, form.compare, form.restore)

    def offered() -> list[bool]:
        return [button.isEnabled() for button in buttons]

    assert (offered(), {button.toolTip() for button in buttons}) == ([False] * 3, {CHOOSE})
    press(qtbot, form, 0)
    assert offered() == [True] * 3
    form.set_why_not("Bert works on this scan.")
    assert (offered(), form.restore.toolTip()) == ([True, True, False], "Bert works on this scan.")
    form.set_why_not("")
    assert offered() == [True] * 3
    form.setValue(())
    assert (offered(), {button.toolTip() for button in buttons}) == ([False] * 3, {NONE})
    assert form.view.empty == NONE


def test_what_is_chosen_stays_so(qtbot: Any, form: VersionList) -> None:
    form.setValue(VERSIONS[:2])
    press(qtbot, form, 0)
    form.setValue(VERSIONS)
    assert form.current() == "v2"
    assert [index.row() for index in form.view.selectionModel().selectedRows()] == [1]
    form.setValue(VERSIONS[:1])
    assert (form.current(), form.value()) == (None, (VERSIONS[0],))
    form.select("v1")
    assert (form.current(), form.restore.isEnabled()) == ("v1", True)


def test_it_fits_the_dock(form: VersionList) -> None:
    assert form.minimumSizeHint().width() <= 320
    assert sum(form.view.columnWidth(column) for column in Column) == form.view.viewport().width()
