"""An edit is made of exactly the objects that may change, and says what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from napari_vol3d.gui.bench.under import geometry_under
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.label_looks import give_name
from napari_vol3d.gui.panels.object_change import ObjectChange, named
from napari_vol3d.gui.panels.object_search import FoundObjects
from tests.core.test_object_table import measured
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.conftest import desk as desk
from tests.gui.correct.conftest import record as record


@pytest.fixture
def found(record: Record) -> FoundObjects:
    """Two objects of class 1, one of class 2."""
    record.labels[2, 5, 5:9] = record.labels[8, 5, 5] = 1
    record.labels[4, 4, 4] = 2
    record.capture()
    give_name(record.layer, 1, "anterior")
    table = measured(record.labels)
    return FoundObjects(record=record, frame=0, table=table, geometry=geometry_under(record.layer), seconds=0.1)


@pytest.fixture
def change(qtbot: Any) -> Iterator[ObjectChange]:
    change = ObjectChange()
    yield change
    change.let_go()
    qtbot.waitUntil(lambda: not change.busy, timeout=WAIT_MS)


def given(qtbot: Any, change: ObjectChange, *wish: Any) -> Any:
    with qtbot.waitSignal(change.ready, timeout=WAIT_MS) as told:
        change.give(*wish)
    return told.args[3]


def test_names_say_how_many_of_what(found: FoundObjects) -> None:
    every = np.arange(3)
    assert named(found, every[:1], 0) == "Delete object of anterior"
    assert named(found, every[:2], 0) == "Delete 2 objects of anterior"
    assert named(found, every, 0) == "Delete 3 objects of 2 classes"
    assert named(found, every[2:], 1) == "Give object of class 2 to anterior"


def test_the_edit_changes_the_objects(qtbot: Any, change: ObjectChange, found: FoundObjects) -> None:
    edit = given(qtbot, change, found, np.array([1, 2]), 0)
    assert (edit.name, edit.count) == ("Delete 2 objects of 2 classes", 2)
    assert found.record.labels[8, 5, 5] == 1  # nobody has applied it
    qtbot.waitUntil(lambda: not change.busy, timeout=WAIT_MS)
    assert given(qtbot, change, found, np.array([2]), 1).name == "Give object of class 2 to anterior"


def test_locked_classes_stay(qtbot: Any, change: ObjectChange, found: FoundObjects) -> None:
    found.record.locked = frozenset({1})
    edit = given(qtbot, change, found, np.arange(3), 0)
    assert (edit.name, edit.count) == ("Delete object of class 2", 1)
    qtbot.waitUntil(lambda: not change.busy, timeout=WAIT_MS)
    for rows, into in ((np.arange(2), 0), (np.array([2]), 1)):
        with qtbot.waitSignal(change.said) as told:
            change.give(found, rows, into)
        assert told.args == ["Anterior is locked. Unlock it in the list of classes."]
        assert not change.busy


def test_labels_that_changed_are_left_alone(qtbot: Any, change: ObjectChange, found: FoundObjects) -> None:
    found.record.labels[4, 4, 4] = 0
    with qtbot.waitSignal(change.said, timeout=WAIT_MS) as told:
        change.give(found, np.array([2]), 0)
    assert told.args[0].startswith("The labels changed since")


def test_one_change_at_a_time(qtbot: Any, change: ObjectChange, found: FoundObjects) -> None:
    change.give(found, np.array([0]), 0)
    with qtbot.waitSignal(change.said) as told:
        change.give(found, np.array([1]), 0)
    assert told.args[0].startswith("The last change is not done yet")
    qtbot.waitUntil(lambda: not change.busy, timeout=WAIT_MS)
    with qtbot.waitSignal(change.said, timeout=WAIT_MS) as told:
        change.give(found, np.array([0, 1]), 1)
    assert told.args[0].startswith("They have this class already")
