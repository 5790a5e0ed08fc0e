"""The board keeps what was measured, tells of each change once, and forgets all with the last scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vol3d.gui.bench.board import Board

ENDS = (1.0, 0.0, 0.0), (1.0, 3.0, 4.0)


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((5, 20, 20), np.uint8), units=("mm",) * 3)
    return viewer


@pytest.fixture
def board(viewer: ViewerModel, qtbot: Any) -> Board:
    return Board(viewer)


def test_a_tool_goes_off_after_one_unless_it_is_kept(qtbot: Any, board: Board) -> None:
    with qtbot.waitSignal(board.toolChanged):
        board.tool = "ruler"
    with qtbot.waitSignal(board.toolChanged):
        board.add("ruler", ENDS, 0)
    assert board.tool is None
    board.keep, board.tool = True, "ruler"
    with qtbot.assertNotEmitted(board.toolChanged):
        board.add("ruler", ENDS, 0)
        board.tool = "ruler"
    assert board.tool == "ruler"


def test_the_newest_stands_out_and_can_be_moved_and_removed(qtbot: Any, board: Board) -> None:
    first, second = board.add("ruler", ENDS, 0), board.add("ruler", ENDS, 2)
    assert board.measurements == (first, second)
    assert board.chosen is second
    assert (first.view, second.view, first.text) == ("XY", "YZ", "5.0 mm")
    with qtbot.waitSignal(board.changed):
        moved = board.move(first, (ENDS[0], (1.0, 6.0, 8.0)))
    assert (moved.value, board.measurements, board.chosen) == (10, (moved, second), moved)
    with qtbot.waitSignal(board.changed):
        board.choose(second)
    board.remove(second)
    assert (board.measurements, board.chosen) == ((moved,), None)
    board.clear()
    assert board.measurements == ()


def test_measuring_alone_keeps_nothing(qtbot: Any, board: Board) -> None:
    with qtbot.assertNotEmitted(board.changed):
        assert board.measure("angle", (*ENDS, (1.0, 3.0, 0.0)), 0).text == "36.9°"
    assert board.measurements == ()


def test_with_the_last_layer_everything_is_forgotten(qtbot: Any, viewer: ViewerModel, board: Board) -> None:
    extra = viewer.add_image(np.zeros((5, 20, 20), np.uint8))
    board.add("ruler", ENDS, 0)
    viewer.layers.remove(extra)
    assert len(board.measurements) == 1
    viewer.layers.clear()
    assert board.measurements == ()
    board.let_go()
