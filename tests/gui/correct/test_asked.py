"""Classes and box are those that the form and the desk say; what can't be done is refused in a sentence."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from napari import Viewer

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.asked import MOST_CLASSES, box_of, called, chosen, classes
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Task
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.forms.which_classes import Which
from tests.gui.bench.conftest import SHAPE


@pytest.fixture
def task(desk: Desk, record: Record) -> Task:
    """A task over three classes, of which the second is chosen and the third is locked."""
    record.labels[2:5] = 1
    record.labels[8:9] = 2
    record.labels[12:13] = 9
    record.layer.selected_label = 2
    record.locked = frozenset({9})
    task = desk.task()
    assert task is not None
    return task


def test_the_chosen_class_or_all_that_may_change(task: Task) -> None:
    assert classes(task, Which.CHOSEN) == (2,)
    assert classes(task, Which.ALL) == (1, 2)
    assert called(task, Which.ALL) == "all classes"
    assert called(replace(task, names={2: "liver"}), Which.CHOSEN) == "liver"


@pytest.mark.parametrize(("class_id", "said"), [(0, "The background is chosen"), (9, "Class 9 is locked")])
def test_background_and_locked_classes_are_refused(task: Task, class_id: int, said: str) -> None:
    with pytest.raises(Vol3dError, match=said) as problem:
        chosen(replace(task, class_id=class_id))
    assert problem.value.hint


def test_none_and_too_many_are_refused(task: Task) -> None:
    empty = np.zeros_like(task.labels)
    with pytest.raises(Vol3dError, match="no class that may change"):
        classes(replace(task, labels=empty), Which.ALL)
    many = np.arange(empty.size, dtype=np.uint16).reshape(SHAPE) % (MOST_CLASSES + 3)
    with pytest.raises(Vol3dError, match=re.escape(f"{MOST_CLASSES + 1} classes")):  # without background and the locked
        classes(replace(task, labels=many), Which.ALL)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_the_box_is_where_the_view_is(desk: Desk, viewer: Viewer, views: Bench, record: Record, plane: Plane) -> None:
    viewer.dims.order = plane.order
    viewer.fit_to_view()
    axis = plane.value
    viewer.dims.set_current_step(axis, 7)
    task = desk.task()
    assert task is not None
    assert (task.axis, task.index) == (axis, 7)
    assert box_of(task, Where()) is None
    assert box_of(task, Where(area=Area.VIEW)) == Box.of(SHAPE)
    for neighbours, first, stop in ((0, 7, 8), (2, 5, 10), (900, 0, SHAPE[axis])):
        box = box_of(task, Where(area=Area.SLICE, neighbours=neighbours))
        assert box is not None
        assert (box.start[axis], box.stop[axis]) == (first, stop)
        assert all(box.shape[other] == SHAPE[other] for other in range(3) if other != axis)


def test_what_is_in_view_is_less_when_zoomed_in(desk: Desk, viewer: Viewer, record: Record) -> None:
    viewer.fit_to_view()
    viewer.scene.camera.zoom *= 4
    task = desk.task()
    assert task is not None
    box = box_of(task, Where(area=Area.VIEW))
    assert box is not None
    assert box.shape[0] == SHAPE[0]
    assert 0 < box.shape[1] < SHAPE[1] * 0.6
