"""The edge moves by the distance asked for, in the directions and the place asked for, over what is allowed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.edges import INWARDS, MoveEdge
from napari_vol3d.gui.forms.where import Area, Where
from tests.gui.bench.conftest import SPACING


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> MoveEdge:
    """The tool in hand, over a block of class 1 beside one of class 2."""
    record.labels[8:16, 10:20, 10:20] = 1
    record.labels[8:16, 20:30, 10:20] = 2
    record.layer.selected_label = 1
    tool = MoveEdge()
    qtbot.addWidget(tool)
    desk.choose(tool)
    tool.show()
    return tool


def planned(desk: Desk, tool: MoveEdge) -> Edit:
    """Run the plan."""
    task = desk.task()
    assert task is not None
    edit = tool.plan(task)()
    assert edit is not None
    return edit


def test_growing_takes_the_background_within_the_distance(desk: Desk, record: Record, tool: MoveEdge) -> None:
    tool.by.setValue(3)
    before = record.labels.copy()
    away = ndimage.distance_transform_edt(before != 1, sampling=SPACING)
    edit = planned(desk, tool)
    record.do(edit)
    assert np.array_equal(record.labels == 1, (before == 1) | ((away <= 3) & (before == 0)))
    assert edit.name == "Grow class 1 by 3 mm"


def test_the_box_lets_it_grow_over_other_classes(qtbot: Any, desk: Desk, record: Record, tool: MoveEdge) -> None:
    tool.by.setValue(1.2)
    with qtbot.waitSignal(tool.optionsChanged, timeout=1000):
        tool.over.setChecked(True)
    record.do(planned(desk, tool))
    assert (record.labels[8:16, 20, 10:20] == 1).all()
    record.undo()
    record.locked = frozenset({2})
    record.do(planned(desk, tool))
    assert np.count_nonzero(record.labels == 2) == 800


def test_shrinking_within_the_slices_of_the_view(desk: Desk, record: Record, tool: MoveEdge) -> None:
    tool.way.setCurrentText(INWARDS)
    tool.by.setValue(2.5)
    tool.directions.setValue(True)
    assert not tool.over.isVisible()
    assert tool.reach.text() == "z 0, y 3, x 2 voxels"
    desk.viewer.dims.order = Plane.CORONAL.order
    edit = planned(desk, tool)
    assert edit.name == "Shrink class 1 by 2.5 mm"
    record.do(edit)
    wanted = np.zeros(record.labels.shape, bool)
    wanted[9:15, 10:20, 12:18] = True  # in coronal slices: nothing is lost along y
    assert np.array_equal(record.labels == 1, wanted)


def test_only_the_slice_shown(desk: Desk, record: Record, tool: MoveEdge) -> None:
    desk.viewer.dims.set_current_step(0, 12)
    tool.where.setValue(Where(area=Area.SLICE))
    edit = planned(desk, tool)
    assert (edit.box.start[0], edit.box.stop[0]) == (12, 13)


def test_limits_that_leave_no_background_are_told(desk: Desk, tool: MoveEdge) -> None:
    desk.inside = frozenset({2})
    task = desk.task()
    assert task is not None
    with pytest.raises(Vol3dError, match="no background to grow into"):
        tool.plan(task)
    tool.over.setChecked(True)
    assert set(np.unique(planned(desk, tool).before)) <= {1, 2}


def test_the_default_moves_the_edge(desk: Desk, tool: MoveEdge) -> None:
    assert planned(desk, tool).count > 0
