"""The section of readers by itself: who can be read as, what is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.panels.readers_ui import ASK, NO_NAME, NO_PROJECT, ReadersUi


@pytest.fixture
def ui(qtbot: Any) -> ReadersUi:
    ui = ReadersUi(QWidget())
    qtbot.addWidget(ui)
    ui.show()
    return ui


def test_without_a_project_nothing_is_offered(ui: ReadersUi) -> None:
    for part in (ui.reader, ui.ask, ui.show_prediction):
        assert (part.isEnabled(), part.toolTip()) == (False, NO_PROJECT)
    ui.show_project(True)
    assert (ui.reader.isEnabled(), ui.ask.toolTip()) == (True, NO_NAME)
    ui.form.reader.setText("ann")
    assert (ui.ask.isEnabled(), ui.ask.toolTip()) == (True, ASK)


def test_readers_are_listed_and_nobody_is_told(qtbot: Any, ui: ReadersUi) -> None:
    with qtbot.assertNotEmitted(ui.readerChosen):
        ui.show_readers(("ann", "bob"), "bob")
    assert ui.reader.currentText() == "bob"
    ui.show_readers(("ann",), "bob")
    assert ui.reader.currentData() == ""
    with qtbot.waitSignal(ui.readerChosen) as asked:
        ui.reader.activated.emit(0)
    assert asked.args == [""]


def test_what_is_asked_for_is_counted(ui: ReadersUi) -> None:
    ui.show_count(20)
    ui.form.share.setValue(25)
    assert ui._count.text() == "5 of 20 scans"


def test_it_fits_into_the_dock(ui: ReadersUi) -> None:
    ui.asking.expand(animate=False)
    assert ui.minimumSizeHint().width() <= 320
