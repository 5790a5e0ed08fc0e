"""What the form says is what the algorithm is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.smooth import gaussian, median
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.smooth import Method, Smooth
from napari_vol3d.gui.forms.where import Area, Where
from napari_vol3d.gui.forms.which_classes import Which
from tests.gui.bench.conftest import SHAPE, SPACING


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> Smooth:
    """The tool in hand, over two ragged classes that touch."""
    rng = np.random.default_rng(1)
    record.labels[4:20, 6:20, 6:26] = 1
    record.labels[4:20, 20:34, 6:26] = 2
    record.labels[rng.random(SHAPE) < 0.1] = 0
    record.labels[rng.random(SHAPE) < 0.03] = 1
    record.layer.selected_label = 1
    tool = Smooth()
    qtbot.addWidget(tool)
    desk.choose(tool)
    tool.show()
    return tool


def planned(desk: Desk, tool: Smooth) -> Edit:
    """Run the plan."""
    task = desk.task()
    assert task is not None
    edit = tool.plan(task)()
    assert edit is not None
    return edit


def same(edit: Edit, other: Edit | None) -> bool:
    """Tell whether two edits change the same."""
    return other is not None and edit.box == other.box and np.array_equal(edit.after, other.after)


def test_the_defaults_smooth_the_chosen_class_everywhere(desk: Desk, record: Record, tool: Smooth) -> None:
    edit = planned(desk, tool)
    assert edit.name == "Smooth class 1"
    radius = tool.radius.value()
    assert same(edit, median(record.labels, classes=[1], radius=radius, spacing=SPACING))
    specks = np.count_nonzero(record.labels[:3] == 1)
    record.do(edit)
    assert np.count_nonzero(record.labels[:3] == 1) < specks / 4


def test_all_classes_by_a_gaussian_keep_their_volumes(desk: Desk, record: Record, tool: Smooth) -> None:
    tool.method.setCurrentIndex(list(Method).index(Method.GAUSSIAN))
    tool.sigma.setValue(1.7)
    tool.which.setValue(Which.ALL)
    assert tool.sigma.isVisible()
    assert not tool.radius.isVisible()
    edit = planned(desk, tool)
    assert edit.name == "Smooth all classes"
    assert same(edit, gaussian(record.labels, classes=[1, 2], sigma=1.7, spacing=SPACING))
    before = np.bincount(record.labels.ravel())[1:]
    record.do(edit)
    assert np.abs(np.bincount(record.labels.ravel())[1:] / before - 1).max() < 0.01


def test_only_the_slices_asked_for_change(desk: Desk, tool: Smooth) -> None:
    desk.viewer.dims.set_current_step(0, 9)
    tool.where.setValue(Where(area=Area.SLICE, neighbours=1))
    edit = planned(desk, tool)
    assert (edit.box.start[0], edit.box.stop[0]) == (8, 11)


def test_locked_classes_and_limits_hold(desk: Desk, record: Record, tool: Smooth) -> None:
    record.locked = frozenset({2})
    desk.inside = frozenset({1})
    tool.which.setValue(Which.ALL)
    edit = planned(desk, tool)
    assert set(np.unique(edit.before[edit.changed])) == {1}
    assert set(np.unique(edit.after[edit.changed])) == {0}


def test_the_reach_in_voxels_is_said(qtbot: Any, tool: Smooth) -> None:
    with qtbot.waitSignal(tool.optionsChanged, timeout=1000):
        tool.radius.setValue(2.6)
    assert tool.reach.text() == "z 1, y 3, x 2 voxels"
    tool.method.setCurrentIndex(1)
    tool.sigma.setValue(1)
    assert tool.reach.text() == "z 1, y 3, x 2 voxels"


def test_what_is_too_fine_is_refused_in_a_sentence(desk: Desk, tool: Smooth) -> None:
    tool.radius.setValue(0.1)
    task = desk.task()
    assert task is not None
    with pytest.raises(Vol3dError, match="too small to smooth"):
        tool.plan(task)()
