"""The newest wish counts, one run at a time, and none while nobody looks."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.bench.latest import Latest
from tests.gui.bench.room3d import wait


class Kitchen:
    """Makes verbs that take what is wished for when they begin, and can be held up."""

    def __init__(self) -> None:
        self.wish = 0
        self.begun: list[int] = []
        self.going = 0
        self.most_at_once = 0
        self.door = threading.Event()
        self.door.set()
        self.found: list[int] = []

    def make(self) -> Generator[Progress, None, int]:
        return self._verb(self.wish)

    def _verb(self, wish: int) -> Generator[Progress, None, int]:
        self.begun.append(wish)
        self.going += 1
        self.most_at_once = max(self.most_at_once, self.going)
        try:
            for k in range(3):
                yield Progress(phase="cooking", done=k)
                self.door.wait(10)
        finally:
            self.going -= 1
        return wish


@pytest.fixture
def kitchen(qapp: Any) -> Kitchen:
    return Kitchen()


@pytest.fixture
def latest(kitchen: Kitchen) -> Iterator[Latest]:
    made = Latest(kitchen.make, "Cooking")
    made.found.connect(kitchen.found.append)
    yield made
    kitchen.door.set()
    made.let_go()


def test_nothing_is_made_before_it_wakes(qtbot: Any, kitchen: Kitchen, latest: Latest) -> None:
    latest.ask()
    assert not latest.busy
    latest.wake()
    wait(qtbot, latest)
    assert kitchen.found == [0]


def test_many_wishes_in_a_pause_are_one(qtbot: Any, kitchen: Kitchen, latest: Latest) -> None:
    latest.wake()
    for kitchen.wish in range(5):
        latest.ask(30)
    wait(qtbot, latest)
    assert kitchen.begun == kitchen.found == [4]


def test_a_newer_wish_stops_the_run_and_drops_its_answer(qtbot: Any, kitchen: Kitchen, latest: Latest) -> None:
    latest.wake()
    kitchen.door.clear()
    latest.ask()
    qtbot.waitUntil(lambda: kitchen.begun == [0])
    kitchen.wish = 1
    latest.ask()
    kitchen.door.set()
    wait(qtbot, latest)
    assert kitchen.found == [1]
    assert kitchen.most_at_once == 1


def test_asleep_it_stops_and_takes_up_again_what_was_not_finished(qtbot: Any, kitchen: Kitchen, latest: Latest) -> None:
    latest.wake()
    kitchen.door.clear()
    latest.ask()
    qtbot.waitUntil(lambda: kitchen.begun == [0])
    latest.sleep()
    kitchen.door.set()
    wait(qtbot, latest)
    assert kitchen.found == []
    latest.wake()
    wait(qtbot, latest)
    assert kitchen.found == [0]
    latest.sleep()
    latest.wake()
    assert not latest.busy  # what was finished is not made again


def test_let_go_nothing_runs_on_and_nobody_hears(qtbot: Any, kitchen: Kitchen, latest: Latest) -> None:
    latest.wake()
    kitchen.door.clear()
    latest.ask()
    qtbot.waitUntil(lambda: kitchen.begun == [0])
    latest.let_go()
    kitchen.door.set()
    qtbot.waitUntil(lambda: kitchen.going == 0)
    assert kitchen.found == []
    assert not latest.busy
