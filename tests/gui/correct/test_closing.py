"""A window does not close in silence over corrections that are in memory only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from napari import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.closing import CLOSE, STAY, Closing
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.review.reports import Trouble
from tests.gui.correct.conftest import WAIT_MS


@pytest.fixture
def closing(viewer: Viewer, desk: Desk, record: Record, qtbot: Any) -> Iterator[Closing]:
    """With a journal that is written."""
    box = Box(start=(0, 0, 0), stop=(2, 2, 2))
    before = record.labels[box.slices].copy()
    edit = Edit.between("Paint", before, before + 1)
    assert edit is not None
    record.do(edit)
    qtbot.waitUntil(lambda: bool(desk.ledgers) and not record.book.waiting, timeout=WAIT_MS)
    made = Closing(viewer, desk)
    yield made
    made.let_go()


def ask(viewer: Viewer, closing: Closing, answer: Any) -> tuple[bool, bool, list[str]]:
    """Close as the button of the window does; give whether that was held up, whether it is accepted, and what was
    asked."""
    asked: list[str] = []

    def reply() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            box.button(answer).click()

    timer = QTimer()
    timer.setInterval(20)
    timer.timeout.connect(reply)
    timer.start()
    event = QCloseEvent()
    held = closing.eventFilter(viewer.window._qt_window, event)
    timer.stop()
    return held, event.isAccepted(), asked


def test_nothing_is_asked_while_all_is_on_a_disk(viewer: Viewer, closing: Closing) -> None:
    assert ask(viewer, closing, STAY) == (False, True, [])


def test_in_this_computers_folder_they_are_safe(viewer: Viewer, desk: Desk, closing: Closing) -> None:
    desk.ledgers[0].trouble = Trouble(message="The disk is full.", hint="", place="local")
    assert ask(viewer, closing, STAY) == (False, True, [])


def test_it_is_asked_where_they_would_be_lost(viewer: Viewer, desk: Desk, closing: Closing) -> None:
    desk.ledgers[0].trouble = Trouble(message="The disk is full.", hint="", place="memory")
    held, accepted, asked = ask(viewer, closing, STAY)
    assert held
    assert not accepted
    assert "would be lost" in asked[0]
    held, accepted, asked = ask(viewer, closing, CLOSE)
    assert not held
    assert len(asked) == 1
