"""What every tool is by itself: it does nothing, and says what it is."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from napari_vol3d.gui.correct import tools
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.keys import LEFT, RIGHT
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Place, Tool
from tests.gui.bench.conftest import SHAPE
from tests.gui.correct.tools.told import take


def every_tool() -> list[type[Tool]]:
    """Give the classes of all tools that have a key."""
    modules = [import_module(f"{tools.__name__}.{module.name}") for module in pkgutil.iter_modules(tools.__path__)]
    found = {
        item for module in modules for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Tool) and item.__name__ in RIGHT
    }  # fmt: skip
    return sorted(found, key=lambda item: item.__name__)


def test_a_tool_of_its_own_does_nothing(qtbot: Any, desk: Desk, record: Record) -> None:
    tool = MouseTool()
    take(qtbot, desk, tool)
    assert tool.desk is desk
    task = desk.task()
    assert task is not None
    assert tool.plan(task) is None
    assert tool.verb(task) is None
    assert tool.radius() is None
    place = Place(view=desk.view, voxel=(1.0, 2.0, 3.0), axis=0, index=1, pixel=(5.0, 5.0))
    assert (place.erasing, place.pressure) == (False, 1.0)
    tool.press(place)
    tool.drag([place])
    tool.release()
    tool.cancel()
    tool.let_go()
    assert record.history.steps == ()
    assert not record.labels.any()


def test_a_task_is_what_the_desk_shows(desk: Desk, record: Record, scan: Any) -> None:
    record.locked = frozenset({3})
    desk.inside, desk.intensity = frozenset({0, 1}), (100.0, 500.0)
    record.layer.selected_label = 2
    desk.viewer.dims.set_current_step(0, 9)
    task = desk.task()
    assert task is not None
    assert np.shares_memory(task.labels, record.layer.data)
    assert (task.class_id, task.unit, task.axis, task.index) == (2, "mm", 0, 9)
    assert task.point[0] == 9
    assert task.in_view.shape == SHAPE
    limits = task.held["limits"]
    assert (limits.inside, limits.locked, limits.intensity) == ({0, 1}, {3}, (100.0, 500.0))
    assert np.shares_memory(np.asarray(task.held["image"]), scan.data)
    assert task.corrected.shape == SHAPE


@pytest.mark.parametrize("kind", every_tool(), ids=lambda kind: kind.__name__)
def test_each_says_what_it_is(kind: type[Tool]) -> None:
    assert kind.title
    assert len(kind.title) <= 20  # on its button
    assert kind.tip
    assert not kind.tip.endswith(".")


def test_each_tool_has_a_key_for_either_hand() -> None:
    assert {kind.__name__ for kind in every_tool()} == set(RIGHT) == set(LEFT)
