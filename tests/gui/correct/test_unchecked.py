"""Marks stay until a person has looked: through undo and redo, painting, other tools, other labels, other moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool, Tool
from napari_vol3d.gui.correct.unchecked import Fill, Unchecked
from napari_vol3d.gui.layers import to_layer, to_volume
from tests.gui.bench.conftest import SHAPE
from tests.gui.conftest import stroke


@pytest.fixture
def unchecked(desk: Desk, record: Record) -> Unchecked:
    return Unchecked.of(desk)


def edit_of(record: Record, box: Box, class_id: int = 1, name: str = "Fill") -> Edit:
    """Make the edit that gives a box to a class."""
    before = record.labels[box.slices].copy()
    edit = Edit.between(name, before, np.full_like(before, class_id), start=box.start)
    assert edit is not None
    return edit


def fill(desk: Desk, unchecked: Unchecked, *, axis: int = 0, first: int = 5, stop: int = 9) -> None:
    """Fill slices as the tool does: computed beside the window, applied later."""
    assert desk.record is not None
    start, end = [4, 4, 4], [20, 30, 28]
    start[axis], end[axis] = first, stop
    box = Box(start=tuple(start), stop=tuple(end))  # type: ignore[arg-type]
    edit = edit_of(desk.record, box)
    unchecked.pending.append(Fill(edit=edit, axis=axis, slices=tuple(range(first, stop))))
    desk.do(edit)


def brush(desk: Desk, *, z: int, depth: int = 0) -> None:
    """Make a stroke of a tool of ours around a slice."""
    record = desk.record
    assert record is not None
    record.draw(edit_of(record, Box(start=(z - depth, 9, 9), stop=(z + depth + 1, 12, 12)), 3))
    record.finish(f"Paint class 3, z {z}")


def test_there_is_one_a_desk(desk: Desk, unchecked: Unchecked) -> None:
    assert Unchecked.of(desk) is unchecked
    assert unchecked.slices() == {}


def test_undo_takes_the_marks_away_and_redo_brings_them_back(
    qtbot: Any, desk: Desk, record: Record, unchecked: Unchecked
) -> None:
    with qtbot.waitSignal(unchecked.changed, timeout=1000):
        fill(desk, unchecked)
    fill(desk, unchecked, axis=2, first=20, stop=22)
    both = {0: (5, 6, 7, 8), 2: (20, 21)}
    assert unchecked.slices() == both
    record.undo()
    assert unchecked.slices() == {0: (5, 6, 7, 8)}
    record.undo()
    assert unchecked.slices() == {}
    record.redo()
    record.redo()
    assert unchecked.slices() == both
    record.jump(None)
    assert unchecked.slices() == {}
    record.do(edit_of(record, Box(start=(1, 1, 1), stop=(2, 2, 2))))  # leaves the fills as a branch
    assert unchecked.slices() == {}


def test_what_is_not_a_fill_is_not_marked(desk: Desk, record: Record, unchecked: Unchecked) -> None:
    computed = edit_of(record, Box(start=(2, 2, 2), stop=(6, 9, 9)))
    unchecked.pending.append(Fill(edit=computed, axis=0, slices=(3, 4)))  # a preview that is never applied
    desk.do(edit_of(record, Box(start=(2, 2, 2), stop=(6, 9, 9)), class_id=4))
    assert unchecked.slices() == {}


def test_confirming_takes_what_is_shown_or_all(desk: Desk, viewer: Viewer, unchecked: Unchecked) -> None:
    fill(desk, unchecked)
    viewer.dims.set_current_step(0, 12)
    assert unchecked.shown() == {}
    unchecked.confirm_shown()
    assert unchecked.slices() == {0: (5, 6, 7, 8)}
    viewer.dims.set_current_step(0, 6)
    assert unchecked.shown() == {0: {6}}
    unchecked.confirm_shown()
    assert unchecked.slices() == {0: (5, 7, 8)}
    fill(desk, unchecked, axis=1, first=20, stop=21)
    unchecked.confirm_all()
    assert unchecked.slices() == {}


def test_next_goes_on_and_begins_anew(desk: Desk, viewer: Viewer, views: Bench, unchecked: Unchecked) -> None:
    assert unchecked.next() is None
    fill(desk, unchecked)
    viewer.dims.set_current_step(0, 7)
    for wanted in (8, 5, 6):
        unchecked.go_to_next()
        assert viewer.dims.current_step[0] == wanted
    views.open()
    QApplication.processEvents()
    fill(desk, unchecked, axis=2, first=15, stop=16)
    sagittal = views.view(Plane.SAGITTAL)
    assert sagittal is not None
    desk.view = sagittal
    before = viewer.dims.current_step
    unchecked.go_to_next()
    assert (viewer.dims.current_step[2], viewer.dims.current_step[:2]) == (15, before[:2])
    assert unchecked.is_shown(sagittal)
    assert unchecked.shown() == {0: {6}, 2: {15}}


def test_painting_checks_the_slice_that_is_seen_until_it_is_undone(
    desk: Desk, viewer: Viewer, record: Record, unchecked: Unchecked
) -> None:
    fill(desk, unchecked)
    viewer.dims.set_current_step(0, 6)
    brush(desk, z=6, depth=1)  # a ball reaches into slices that nobody has looked at
    assert unchecked.slices() == {0: (5, 7, 8)}
    record.undo()
    assert unchecked.slices() == {0: (5, 6, 7, 8)}
    record.redo()
    assert unchecked.slices() == {0: (5, 7, 8)}
    record.do(edit_of(record, Box(start=(6, 20, 20), stop=(7, 22, 22)), 2))
    brush(desk, z=12)
    assert unchecked.slices() == {0: (5, 7, 8)}
    fill(desk, unchecked, first=6, stop=8)  # filled anew: to be checked anew


def test_a_tool_for_all_slices_checks_none_but_a_brush_beside_it_does(
    qtbot: Any, desk: Desk, viewer: Viewer, record: Record, unchecked: Unchecked
) -> None:
    fill(desk, unchecked)
    viewer.dims.set_current_step(0, 6)
    box_tool, brush_tool = Tool(), MouseTool()
    for tool in (box_tool, brush_tool):
        qtbot.addWidget(tool)
    desk.choose(box_tool)
    record.do(edit_of(record, Box(start=(0, 0, 0), stop=(20, 20, 20)), 3, "Smooth"))
    assert unchecked.slices() == {0: (5, 6, 7, 8)}
    viewer.fit_to_view()
    record.layer.mode, record.layer.selected_label, record.layer.brush_size = "paint", 7, 4
    stroke(qtbot, viewer, _middle(record), _middle(record, 3))
    assert (record.labels[6] == 7).any()
    assert unchecked.slices() == {0: (5, 7, 8)}
    record.do(edit_of(record, Box(start=(0, 0, 0), stop=(20, 20, 20)), 4, "Smooth"))
    viewer.dims.set_current_step(0, 7)
    record.do(edit_of(record, Box(start=(0, 0, 0), stop=(20, 20, 20)), 5, "Smooth"))
    assert unchecked.slices() == {0: (5, 7, 8)}
    desk.choose(brush_tool)
    brush(desk, z=7)
    assert unchecked.slices() == {0: (5, 8)}


def test_each_layer_and_each_moment_has_its_own(
    desk: Desk, viewer: Viewer, record: Record, unchecked: Unchecked
) -> None:
    fill(desk, unchecked)
    volume = Volume(
        data=np.zeros((*SHAPE, 2), np.uint8), geometry=to_volume(record.layer).geometry, name="series", timed=True
    )
    data, keywords, _ = to_layer(volume, as_labels=True)
    series = viewer.add_labels(data, **keywords)
    assert series.data.shape == (2, *SHAPE)
    assert unchecked.slices() == {}
    viewer.dims.set_current_step(0, 1)
    edit = edit_of(desk.record, Box(start=(3, 4, 4), stop=(5, 9, 9)))  # type: ignore[arg-type]
    unchecked.pending.append(Fill(edit=edit, axis=0, slices=(3, 4)))
    desk.do(edit)
    assert unchecked.slices() == {0: (3, 4)}
    unchecked.go_to_next()
    assert viewer.dims.current_step[:2] == (1, 3)
    viewer.dims.set_current_step(0, 0)
    assert unchecked.slices() == {}
    viewer.layers.selection.active = record.layer
    assert unchecked.slices() == {0: (5, 6, 7, 8)}
    viewer.layers.remove(series)
    viewer.layers.remove(record.layer)
    assert unchecked.slices() == {}


def test_it_lets_go(qtbot: Any, desk: Desk, record: Record, unchecked: Unchecked) -> None:
    unchecked.let_go()
    with qtbot.assertNotEmitted(unchecked.changed):
        record.do(edit_of(record, Box(start=(1, 1, 1), stop=(2, 2, 2))))


def _middle(record: Record, further: int = 0) -> tuple[float, float]:
    y, x = record.layer.data_to_world((6, 20, 14 + further))[1:]
    return float(y), float(x)
