"""What was so on one day is so on the next: in a second viewer, and from the file of settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.settings import _clear_plugin_settings_cache, get_plugin_settings
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.gui.bench.arrangement import Arrangement
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.memory import PLUGIN, Memory
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import settle


class Day:
    """A viewer with a bench and its memory."""

    def __init__(self, viewer: Viewer, *, scan: bool = True) -> None:
        _clear_plugin_settings_cache()  # what was not written is forgotten
        self.viewer = viewer
        viewer.window.resize(1280, 800)
        self.bench = Bench(viewer, QWidget())
        self.memory = Memory(self.bench)
        if scan:
            viewer.add_image(np.zeros((5, 6, 7), np.uint8))
            self.memory.restore()
        settle()

    def end(self) -> None:
        """As the room does it."""
        self.memory.let_go()
        self.bench.let_go()
        settle()


@pytest.fixture
def day(make_napari_viewer: Any, vol3d: Any, plugin_settings: Any) -> Iterator[Any]:
    """Begins a day, after the one before has ended."""
    days: list[Day] = []

    def begin(**how: Any) -> Day:
        while days:
            days.pop().end()
        days.append(Day(make_napari_viewer(show=True), **how))
        return days[-1]

    yield begin
    while days:
        days.pop().end()
    QApplication.processEvents()


def shares(arrangement: Arrangement) -> list[float]:
    """Give what each first one of two has of the room, as it is on the screen."""
    pairs = [[int(number) for number in part.split(",")] for part in arrangement._area.sizes().split()]
    return [one / (one + other) for one, other in pairs]


def arranged(day: Day) -> Arrangement:
    assert day.bench.arrangement is not None
    return day.bench.arrangement


def test_the_first_day_is_as_the_manifest_says(day: Any) -> None:
    """napari alone, the wheel turns slices, radiological."""
    first = day()
    assert not first.bench.is_open
    assert (first.bench.crosshair, first.bench.wheel_turns, first.bench.neurological) == (True, True, False)


def test_switches_come_back(day: Any) -> None:
    """All three, each the other way round."""
    first = day()
    first.bench.crosshair = first.bench.wheel_turns = False
    first.bench.neurological = True
    second = day()
    assert (second.bench.crosshair, second.bench.wheel_turns, second.bench.neurological) == (False, False, True)
    assert not second.bench.is_open


@pytest.mark.parametrize("alone", [None, Plane.SAGITTAL])
def test_the_arrangement_comes_back(day: Any, alone: Plane | None) -> None:
    """The views, which of them was large, and how the four shared the room before."""
    first = day()
    first.bench.open()
    settle()
    arranged(first).sizes = "300,600 500,250 200,400"
    settle()
    wanted = shares(arranged(first))
    assert wanted == pytest.approx([1 / 3, 2 / 3, 1 / 3], abs=0.02)
    first.bench.show_only(alone)
    settle()
    second = day()
    assert second.bench.is_open
    assert arranged(second).alone is alone
    assert [view.plane for view in second.bench.views if view.native.isVisible()] == (
        [view.plane for view in second.bench.views] if alone is None else [alone]
    )
    second.bench.show_only(None)
    settle()
    assert shares(arranged(second)) == pytest.approx(wanted, abs=0.02)


def test_a_day_without_a_scan_changes_nothing(day: Any) -> None:
    """Who only opened napari still wants four views tomorrow; the switches are remembered at once."""
    day().bench.open()
    idle = day(scan=False)
    assert not idle.bench.is_open
    idle.bench.crosshair = False
    idle.memory.keep()
    assert get_plugin_settings(PLUGIN).reading.open
    assert not get_plugin_settings(PLUGIN).reading.crosshair


def test_what_was_closed_stays_closed(day: Any) -> None:
    """The next scan does not open it again, nor does the next day."""
    first = day()
    first.bench.open()
    first.bench.close()
    first.memory.restore()
    assert not first.bench.is_open
    assert not day().bench.is_open


def test_settings_that_make_no_sense_do_no_harm(day: Any) -> None:
    """A person may edit them in napari's preferences."""
    kept = get_plugin_settings(PLUGIN).reading
    kept.open, kept.alone, kept.sizes = True, "axial", "a,b 3"
    second = day()
    assert arranged(second).alone is None
    assert shares(arranged(second)) == pytest.approx([0.5] * 3, abs=0.02)
