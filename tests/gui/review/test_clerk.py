"""The project is written beside the window: in order, told back here, problems said once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from napari.utils.notifications import notification_manager

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.gui.review.clerk import Clerk


@pytest.fixture
def clerk(qtbot: Any) -> Iterator[Clerk]:
    made = Clerk()
    yield made
    made.close()


def test_calls_are_done_in_order_and_told_in_the_windows_thread(qtbot: Any, clerk: Clerk) -> None:
    done: list[tuple[int, bool]] = []
    here = threading.get_ident()

    def work(number: int) -> int:
        assert threading.get_ident() != here
        return number

    def told(number: int) -> None:
        done.append((number, threading.get_ident() == here))

    with qtbot.waitSignal(clerk.idle):
        for number in range(20):
            clerk.do(lambda number=number: work(number), told)
    assert done == [(number, True) for number in range(20)]
    assert clerk.waiting == 0


def test_a_problem_is_said_and_the_next_call_is_done(qtbot: Any, clerk: Clerk) -> None:
    done: list[int] = []

    def fail() -> int:
        raise FileProblem("The disk is full.", hint="Free some space.")

    said = len(notification_manager.records)
    with qtbot.waitSignal(clerk.idle):
        clerk.do(fail, done.append)
        clerk.do(lambda: 2, done.append)
    assert done == [2]
    assert [str(record.message) for record in notification_manager.records[said:]] == [
        "The disk is full. Free some space."
    ]


def test_closing_waits_for_what_was_asked_for(qtbot: Any) -> None:
    clerk, gate, done = Clerk(), threading.Event(), []

    def work() -> None:
        gate.wait(10)
        done.append(1)

    clerk.do(work)
    threading.Timer(0.05, gate.set).start()
    clerk.close()
    assert done == [1]
