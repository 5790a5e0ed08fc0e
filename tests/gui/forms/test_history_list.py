"""The list asks for the step that was clicked, stays where it is, and is as quick with 10,000 steps."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont, QPalette
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem

from napari_vol3d.gui.forms.history_list import HistoryList
from napari_vol3d.gui.forms.history_model import NAME
from napari_vol3d.review.history import Step

LEFT = Qt.MouseButton.LeftButton
MANY = 10_000


def steps(count: int) -> tuple[Step, ...]:
    return tuple(
        Step(token=f"t{i}", name=f"Paint anterior, z {i}-{i + 4}", time="2026-01-01T12:00:00.000+00:00")
        for i in range(count)
    )


@pytest.fixture
def history(qtbot: Any) -> HistoryList:
    history = HistoryList()
    qtbot.addWidget(history)
    history.resize(320, 240)
    history.show()
    qtbot.waitExposed(history)
    return history


def click(qtbot: Any, history: HistoryList, row: int) -> None:
    place = history.view.visualRect(history.model.index(row, NAME)).center()
    qtbot.mouseClick(history.view.viewport(), LEFT, pos=place)


def test_a_click_asks_for_the_state_after_that_step(qtbot: Any, history: HistoryList) -> None:
    history.set_steps(steps(3), 2)
    for row, token in ((3, "t2"), (1, "t0"), (0, None)):
        with qtbot.waitSignal(history.jumpAsked) as asked:
            click(qtbot, history, row)
        assert asked.args == [token]
    with qtbot.assertNotEmitted(history.jumpAsked):
        click(qtbot, history, 2)  # where it is already
    assert history.model.at == 2  # it asks, and changes nothing


def test_each_click_asks_once(qtbot: Any, history: HistoryList) -> None:
    history.set_steps(steps(3), 3)
    heard: list[object] = []
    history.jumpAsked.connect(heard.append)
    click(qtbot, history, 1)
    assert heard == ["t0"]


def test_the_keyboard_jumps_too(qtbot: Any, history: HistoryList) -> None:
    history.set_steps(steps(3), 3)
    history.view.setCurrentIndex(history.model.index(3, NAME))
    qtbot.keyClick(history.view, Qt.Key.Key_Up)
    with qtbot.waitSignal(history.jumpAsked) as asked:
        qtbot.keyClick(history.view, Qt.Key.Key_Return)
    assert asked.args == ["t1"]


def test_buttons_are_named_for_what_they_do(qtbot: Any, history: HistoryList) -> None:
    assert not history.undo.isEnabled()
    assert history.undo.toolTip() == "Nothing to undo"
    history.set_steps(steps(2), 1)
    assert history.undo.toolTip() == "Undo: Paint anterior, z 0-4 (Ctrl+Z)"
    assert history.redo.toolTip() == "Redo: Paint anterior, z 1-5 (Ctrl+Shift+Z)"
    assert history.undo.text().startswith("Undo: Pai")
    history.resize(700, 240)
    QApplication.processEvents()
    assert history.undo.text() == "Undo: Paint anterior, z 0-4"
    for button, asked in ((history.undo, history.undoAsked), (history.redo, history.redoAsked)):
        with qtbot.waitSignal(asked):
            qtbot.mouseClick(button, LEFT)
    history.set_steps(steps(2), 2)
    assert not history.redo.isEnabled()
    assert history.redo.text() == "Redo"


def test_a_name_with_an_ampersand_is_no_shortcut(history: HistoryList) -> None:
    history.set_steps((Step(token="a", name="R&D", time="2026-01-01T12:00:00+00:00"),), 1)
    assert history.undo.text() == "Undo: R&&D"


def test_the_present_step_is_bold_and_what_was_undone_is_pale(history: HistoryList) -> None:
    history.set_steps(steps(2), 1)
    fonts, alphas = [], []
    for row in range(3):
        option = QStyleOptionViewItem()
        option.font = QFont(history.font())
        option.palette = QPalette(history.palette())
        history.view.itemDelegate().initStyleOption(option, history.model.index(row, NAME))
        fonts.append(option.font.bold())
        alphas.append(option.palette.color(QPalette.ColorRole.Text).alphaF())
    assert fonts == [False, True, False]
    assert alphas[0] == alphas[1] == 1.0
    assert alphas[2] < 0.6


def test_it_follows_the_present_step_but_never_a_person_who_scrolled_away(history: HistoryList) -> None:
    history.set_steps(steps(MANY), MANY)
    assert history.view.sees(history.model.present())
    history.set_steps(steps(MANY + 1), MANY + 1)
    assert history.view.sees(history.model.present())
    bar = history.view.verticalScrollBar()
    bar.setValue(1234)
    history.set_steps(steps(MANY + 2), MANY + 2)
    assert bar.value() == 1234
    history.set_steps(steps(MANY + 2), MANY)
    assert bar.value() == 1234


def test_steps_that_were_listed_before_it_is_shown_are_scrolled_to(qtbot: Any) -> None:
    history = HistoryList()
    qtbot.addWidget(history)
    history.set_steps(steps(50), 40)
    history.show()
    qtbot.waitExposed(history)
    assert history.view.sees(history.model.present())


def test_of_10000_steps_only_those_in_sight_are_looked_at(
    history: HistoryList, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.set_steps(steps(MANY), MANY)
    QApplication.processEvents()
    looked, data = set(), type(history.model).data

    def count(model: Any, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        looked.add(index.row())
        return data(model, index, role)

    monkeypatch.setattr(type(history.model), "data", count)
    history.set_steps(steps(MANY + 1), MANY + 1)
    history.view.viewport().update()
    QApplication.processEvents()
    assert 0 < len(looked) < 40


def test_it_fits_the_dock(history: HistoryList) -> None:
    history.set_steps(steps(MANY), MANY // 2)
    assert history.minimumSizeHint().width() <= 320
