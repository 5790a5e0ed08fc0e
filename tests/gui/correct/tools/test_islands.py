"""Each action does what its algorithm does, with the options that are shown for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.holes import close_gaps
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.islands import Action, Islands
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.forms.which_classes import Which
from tests.gui.bench.conftest import SPACING

VOXEL = float(np.prod(SPACING))  # mm3


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> Islands:
    """The tool in hand. Class 1: a block with a cavity, a tunnel along z and a crack, two islands; 2: two parts."""
    labels = record.labels
    labels[4:12, 4:20, 4:20] = 1
    labels[6:8, 6:8, 6:8] = 0  # cavity
    labels[4:12, 12:14, 6:8] = 0  # tunnel
    labels[4:12, 4:20, 16] = 0  # crack
    labels[18:20, 4:8, 4:8] = 1  # 32 voxels
    labels[18, 30, 20] = 1
    labels[2:4, 30:36, 22:30] = 2
    labels[20, 30:32, 22:24] = 2
    record.layer.selected_label = 1
    tool = Islands()
    qtbot.addWidget(tool)
    desk.choose(tool)
    tool.show()
    return tool


def act(desk: Desk, tool: Islands, action: Action) -> Edit:
    """Choose an action and run the plan."""
    tool.action.setCurrentIndex(list(Action).index(action))
    task = desk.task()
    assert task is not None
    edit = tool.plan(task)()
    assert edit is not None
    return edit


def count(record: Record, class_id: int) -> int:
    """Count the voxels of a class."""
    return int(np.count_nonzero(record.labels == class_id))


def test_the_largest_of_the_class_stays_or_of_each(desk: Desk, record: Record, tool: Islands) -> None:
    before = count(record, 1), count(record, 2)
    edit = act(desk, tool, Action.KEEP)
    assert edit.name == "Keep largest of class 1"
    record.do(edit)
    # The crack cuts the block in two: the part with the cavity is larger than the rest.
    assert count(record, 1) == before[0] - 33 - 8 * 16 * 3
    assert count(record, 2) == before[1]
    tool.which.setValue(Which.ALL)
    edit = act(desk, tool, Action.KEEP)
    record.do(edit)
    assert count(record, 2) == before[1] - 4
    assert edit.name == "Keep largest of all classes"


def test_small_islands_go_by_their_volume(desk: Desk, record: Record, tool: Islands) -> None:
    before = count(record, 1)
    tool.least.setValue(32 * VOXEL)
    edit = act(desk, tool, Action.REMOVE)
    record.do(edit)
    assert count(record, 1) == before - 1  # that of just this volume stays
    assert edit.name == "Remove islands below 70.4 mm³ of class 1"
    tool.least.setValue(33 * VOXEL)
    record.do(act(desk, tool, Action.REMOVE))
    assert count(record, 1) == before - 33


def test_removed_islands_may_become_what_they_touch(desk: Desk, record: Record, tool: Islands) -> None:
    record.labels[17:21, 3:9, 3:9][record.labels[17:21, 3:9, 3:9] == 0] = 7
    tool.refill.setCurrentIndex(1)
    record.do(act(desk, tool, Action.KEEP))
    assert (record.labels[18:20, 4:8, 4:8] == 7).all()
    assert record.labels[18, 30, 20] == 0


def test_islands_become_classes_with_free_ids(desk: Desk, record: Record, tool: Islands) -> None:
    edit = act(desk, tool, Action.SPLIT)
    record.do(edit)
    assert edit.name == "Split islands of class 1"
    ids = [int(record.labels[place]) for place in ((5, 5, 5), (5, 5, 18), (18, 5, 5), (18, 30, 20))]
    assert ids[0] == 1
    assert len(set(ids)) == 4
    assert 2 not in ids
    assert not tool.where.isVisible()


def test_cavities_are_filled_in_3d_and_tunnels_in_slices(desk: Desk, record: Record, tool: Islands) -> None:
    cavity, tunnel = np.s_[6:8, 6:8, 6:8], np.s_[4:12, 12:14, 6:8]
    record.do(act(desk, tool, Action.FILL))
    assert (record.labels[cavity] == 1).all()
    assert (record.labels[tunnel] == 0).all()
    tool.directions.setValue(True)
    desk.viewer.dims.set_current_step(0, 5)
    tool.where.setValue(Where(area=Area.SLICE))
    record.do(act(desk, tool, Action.FILL))
    assert (record.labels[5, 12:14, 6:8] == 1).all()
    assert (record.labels[6, 12:14, 6:8] == 0).all()
    tool.where.setValue(Where())
    desk.viewer.dims.order = Plane.CORONAL.order  # the tunnel is open in coronal slices
    task = desk.task()
    assert task is not None
    assert tool.plan(task)() is None


def test_gaps_are_closed(desk: Desk, record: Record, tool: Islands) -> None:
    tool.radius.setValue(1.5)
    edit = act(desk, tool, Action.CLOSE)
    wanted = close_gaps(record.labels, 1, radius=1.5, spacing=SPACING)
    assert wanted is not None
    assert np.array_equal(edit.after, wanted.after)
    record.do(edit)
    assert (record.labels[6:10, 6:18, 16] == 1).all()


SHOWN = {
    Action.KEEP: "which refill where", Action.REMOVE: "which refill where least", Action.SPLIT: "",
    Action.FILL: "directions where", Action.CLOSE: "directions where radius",
}  # fmt: skip


def test_only_options_that_count_are_shown_and_a_locked_class_is_refused(
    desk: Desk, record: Record, tool: Islands
) -> None:
    record.locked = frozenset({1})
    options = ("which", "refill", "where", "least", "radius", "directions")
    for action in Action:
        with pytest.raises(Vol3dError, match="Class 1 is locked"):
            act(desk, tool, action)
        assert {name for name in options if getattr(tool, name).isVisible()} == set(SHOWN[action].split())
