"""The panel shows what the board has, and every button does what it says, or says why it does not."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.gui.bench.board import Board
from napari_vol3d.gui.bench.measured import as_csv, as_text
from napari_vol3d.gui.panels.measure import MeasurePanel

LEFT = Qt.MouseButton.LeftButton
ENDS = (2.0, 0.0, 0.0), (2.0, 30.0, 40.0)


@pytest.fixture
def board(qtbot: Any) -> Board:
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(40, 5, (5, 60, 60)), units=("mm",) * 3, name="scan")
    return Board(viewer)


@pytest.fixture
def panel(qtbot: Any, board: Board) -> Iterator[MeasurePanel]:
    panel = MeasurePanel(board)
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    panel.let_go()


def rows(panel: MeasurePanel) -> list[list[str]]:
    return [[panel.list.topLevelItem(k).text(c) for c in range(3)] for k in range(panel.list.topLevelItemCount())]


def test_tools_are_chosen_by_their_buttons_and_one_at_a_time(qtbot: Any, board: Board, panel: MeasurePanel) -> None:
    for tool, button in panel.tools.items():
        qtbot.mouseClick(button, LEFT)
        assert board.tool == tool
        assert [one.isChecked() for one in panel.tools.values()] == [name == tool for name in panel.tools]
    qtbot.mouseClick(panel.tools["ellipse"], LEFT)
    assert board.tool is None
    board.tool = "ruler"
    board.add("ruler", ENDS, 0)
    assert not any(button.isChecked() for button in panel.tools.values())
    panel.keep.click()
    assert board.keep


def test_the_list_follows_the_board_and_a_click_goes_there(qtbot: Any, board: Board, panel: MeasurePanel) -> None:
    first, second = board.add("ruler", ENDS, 0), board.add("ellipse", ENDS, 0)
    assert rows(panel) == [["Ruler", "50.0 mm", "XY"], ["Ellipse", second.text, "XY"]]
    assert panel.list.currentItem() is panel.list.topLevelItem(1)
    place = panel.list.visualItemRect(panel.list.topLevelItem(0)).center()
    with qtbot.waitSignal(panel.goRequested) as went:
        qtbot.mouseClick(panel.list.viewport(), LEFT, pos=place)
    assert went.args == [(2.0, 15.0, 20.0)]
    assert board.chosen is first
    board.move(first, ((2.0, 0.0, 0.0), (2.0, 3.0, 4.0)))
    assert rows(panel)[0][1] == "5.0 mm"
    board.choose(None)
    assert panel.list.currentItem() is None


def test_delete_and_clear_say_why_they_wait(qtbot: Any, board: Board, panel: MeasurePanel) -> None:
    buttons = (panel.delete, panel.clear, panel.copy, panel.save)
    assert not any(button.isEnabled() for button in buttons)
    assert all("Nothing was measured yet" in button.toolTip() for button in buttons)
    board.add("ruler", ENDS, 0)
    board.add("angle", (*ENDS, (2.0, 0.0, 40.0)), 0)
    assert all(button.isEnabled() for button in buttons)
    qtbot.mouseClick(panel.delete, LEFT)
    assert [one.kind for one in board.measurements] == ["ruler"]
    assert (panel.delete.isEnabled(), panel.delete.toolTip()) == (False, "Choose one in the list first")
    qtbot.mouseClick(panel.clear, LEFT)
    assert (board.measurements, rows(panel)) == ((), [])
    assert not any(button.isEnabled() for button in buttons)


def test_copy_puts_the_text_on_the_clipboard(qtbot: Any, board: Board, panel: MeasurePanel) -> None:
    board.add("ruler", ENDS, 0)
    qtbot.mouseClick(panel.copy, LEFT)
    assert QGuiApplication.clipboard().text() == as_text(board.measurements) == "Ruler, XY: 50.0 mm"
    assert panel.said.text() == "Copied 1 measurement."


def test_save_writes_the_table_and_tells_of_failure(
    qtbot: Any, board: Board, panel: MeasurePanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.add("ellipse", ENDS, 0)
    chosen = [str(tmp_path / "mine"), str(tmp_path / "nowhere" / "mine.csv"), ""]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen.pop(0), ""))
    qtbot.mouseClick(panel.save, LEFT)
    text = (tmp_path / "mine.csv").read_text(encoding="utf-8")
    assert text == as_csv(board.measurements)
    assert next(csv.DictReader(text.splitlines()))["image"] == "scan"
    assert panel.said.text() == f"Saved mine.csv in {tmp_path}"
    notification_manager.records.clear()
    qtbot.mouseClick(panel.save, LEFT)
    assert notification_manager.records[-1].message.startswith("mine.csv was not saved")
    qtbot.mouseClick(panel.save, LEFT)  # thought better of it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv"]
    notification_manager.records.clear()


def test_it_fits_into_the_dock(board: Board, panel: MeasurePanel) -> None:
    board.add("ellipse", ENDS, 0)
    assert panel.minimumSizeHint().width() <= 320
